package main

import (
	"os"
	"time"

	"latchkey/enroll/firstlogin/grace"
	"latchkey/pam/enrollment"
)

// deadline is when a login that began now is over at the latest: the proof of the password ends,
// or sshd ends the connection.
func (e *setup) deadline(now time.Time) time.Time {
	left := enrollment.ProofLife
	if e.Request.BySSHD {
		if sshd, limited := grace.Left(e.Root, os.Getppid()); limited {
			left = min(left, sshd)
		}
	}
	return now.Add(left)
}
