package safefile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"latchkey/pam/safefile"
)

// A file is replaced as a whole, and read only if no one else could have written it.
func ExampleDir_Replace() {
	path, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(path)
	dir, err := safefile.OpenDir(path)
	if err != nil {
		panic(err)
	}
	defer dir.Close()
	read := func() ([]byte, error) { return dir.ReadFile("alice", safefile.Private, 4096) }

	_, err = read()
	fmt.Println("missing:", errors.Is(err, fs.ErrNotExist))

	err = dir.Replace("alice", []byte("secret\n"))
	text, _ := read()
	fmt.Printf("written: %q, %v\n", text, err)

	os.Chmod(path+"/alice", 0o644)
	text, err = read()
	fmt.Printf("readable by all: %q, refused: %v\n", text, err != nil)
	// Output:
	// missing: true
	// written: "secret\n", <nil>
	// readable by all: "", refused: true
}
