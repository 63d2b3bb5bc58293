package record_test

import (
	"fmt"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
)

// A name becomes the name of a file, an argument and a part of a line in the log.
func ExampleCheckName() {
	for _, name := range []string{"alice", `CORP\alice`, "../shadow", "-rf", "two\nlines"} {
		fmt.Printf("%q: %v\n", name, record.CheckName(name))
	}
	// Output:
	// "alice": <nil>
	// "CORP\\alice": <nil>
	// "../shadow": not a user name latchkey accepts
	// "-rf": not a user name latchkey accepts
	// "two\nlines": not a user name latchkey accepts
}

// Check names the first parameter that a login could not use.
func ExampleDevice_Check() {
	d := record.Device{
		Type: method.TOTP, Label: "phone", Created: time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC),
		Secret: []byte("01234567890123456789"), Algorithm: "SHA1", Digits: 6,
		Period: 30 * time.Second,
	}
	fmt.Println(d.Check())
	d.Digits = 7
	fmt.Println(d.Check())
	// Output:
	// <nil>
	// 7 digits; only 6 and 8 exist
}
