package main

import (
	"latchkey/sshd/suite"
	"latchkey/sshd/transcript"
)

// demo is one run of the demonstration.
type demo struct {
	transcript.Transcript
	host   *suite.Host
	server *suite.Server
}

// login types at the demonstration's server.
func (d demo) login(u *suite.User, welcome bool, typed ...transcript.Line) error {
	return d.Login(d.server, "host", u, welcome, typed...)
}
