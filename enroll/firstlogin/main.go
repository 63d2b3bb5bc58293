// Command latchkey-enroll sets up a user's second factor inside the login: unenrolled = "enroll"
// in latchkey.toml.
//
// latchkey-login becomes this program once it knows that the user has no second factor, so
// everything about its start holds here too: root, a fixed environment, a socket to the gate as
// descriptor 0 and nothing else but the gate's hello, at descriptor 1. It links no network code.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"fmt"
	"os"
	"time"

	"latchkey/pam/session"
)

// root is a prefix of every path, for tests that build a program of their own (-ldflags -X
// main.root=DIR).
var root string

func main() {
	hello, err := session.TakeOver()
	if err != nil {
		fmt.Fprintln(os.Stderr, "latchkey-enroll: started by latchkey-login only; to set up "+
			"your second factor run: enroll")
		os.Exit(2)
	}
	os.Exit(session.Session{Root: root, Clock: time.Now, Hello: hello, Enroll: enroll}.Run())
}
