package sshd

import "latchkey/enroll/doctor/sshd/ways"

// Fault is one problem, by the line that it comes of.
type Fault struct {
	ways.Problem
	Place string // file:line; "" if it comes of what no line says
	For   string // the connection that shows it
}

// Report is what an sshd lets through.
type Report struct {
	Base     ways.Options // what is in force where no Match line applies
	Faults   []Fault
	Services []Service
	Asked    int    // how often sshd was asked
	DNS      string // file:line of UseDNS; "" if no line sets it
}

// Service is a PAM service that sshd uses.
type Service struct {
	Name     string
	KeyFirst bool // on every way to it a key comes first
	// Keyed reports whether a key comes first on some way to it; Touch and PIN, whether
	// PubkeyAuthOptions asks for a touch and for a PIN on each of them.
	Keyed, Touch, PIN bool
}
