// Command latchkey-login conducts one login: one conversation in, one verdict out.
//
// The gate (pam/gate) starts it as root with a fixed environment and with a socket as descriptor
// 0, and nothing else. It needs no environment, links no network code, and ends when the host
// does.
//
// With the go:debug lines, Go's runtime looks at its control group once and does not keep it open to
// look again, only to learn how many processors it may use: the gate tells it to use one.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/flow/verdict"
	"latchkey/pam/session"
)

// root is a prefix of every path, for tests that build a login program of their own (-ldflags -X
// main.root=DIR).
var root string

// enrollProgram is the program that enrolls users during a login; the Makefile sets it.
var enrollProgram = "/usr/libexec/latchkey/latchkey-enroll"

func main() {
	growStack()
	os.Exit(run(0, root, time.Now))
}

// loginStack is more than half of the 32 KB that the deepest call of a login needs.
const loginStack = 17 << 10

// growStack makes the stack as large as a login needs at once. From 2 KB it would be doubled, and
// copied, four times: 0.17 ms of a process that lives for three.
//
//go:noinline
func growStack() {
	var room [loginStack]byte
	fill(room[:])
}

//go:noinline
func fill(room []byte) { room[0] = 1 }

func run(fd int, under string, clock func() time.Time) int {
	return session.Session{FD: fd, Root: under, Clock: clock, Enroll: handOver}.Run()
}

// handOver replaces this process with the program that enrolls, which inherits descriptor 0, the
// environment and the limits; nothing is locked here.
func handOver(e session.Enrolling) verdict.Outcome {
	err := session.HandOver(e.Hello)
	if err == nil {
		err = unix.Exec(enrollProgram, []string{enrollProgram}, os.Environ())
	}
	return verdict.Outcome{Reason: verdict.Internal,
		Detail: fmt.Sprintf("%s: %v", enrollProgram, err)}
}
