package main

import (
	"fmt"
	"io"

	"latchkey/sshd/suite"
)

// demo is one run of the demonstration.
type demo struct {
	out    io.Writer
	host   *suite.Host
	server *suite.Server
}

func (d demo) say(format string, args ...any) {
	fmt.Fprintf(d.out, "\n── "+format+"\n\n", args...)
}
