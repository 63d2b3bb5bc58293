package strict_test

import (
	"fmt"

	"latchkey/pam/strict"
)

// A schema says which tables there are and where each key's value goes. Every mistake has its
// line.
func ExampleSchema_Read() {
	var limits struct{ Tries int }
	schema := strict.Schema{
		File: "latchkey.toml", Limit: 64 << 10, Tables: []string{"limits"},
		Set: func(table string, v strict.Value) error {
			if table == "limits" && v.Name == "tries" {
				return v.Int(&limits.Tries, 1, 10)
			}
			return v.Unknown()
		},
	}
	fmt.Println(schema.Read([]byte("[limits]\ntries = 3\n")), limits.Tries)
	fmt.Println(schema.Read([]byte("[limits]\ntries = 0\n")))
	fmt.Println(schema.Read([]byte("[limits]\ntrys = 3\n")))
	fmt.Println(schema.Read([]byte("limits.tries = 3\n")))
	// Output:
	// <nil> 3
	// latchkey.toml:2: tries must be a whole number from 1 to 10, not 0
	// latchkey.toml:2: unknown key "trys" in [limits]
	// latchkey.toml:1: dotted key "limits.tries": write a header and the key below it
}
