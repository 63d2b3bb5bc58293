package audit

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Syslog sends a line to the system's log.
//
// Package log/syslog could do it, but it links package net, whose initialization would slow down
// every login, and a resolver, into a program that must not know any network. One datagram needs
// neither.
type Syslog struct {
	Path string // /dev/log
}

// Facility and severities of syslog(3).
const (
	authPriv = 10 << 3
	Notice   = authPriv | 5
	Warning  = authPriv | 4
	Debug    = authPriv | 7
)

// Send sends line with the given priority. If that fails there is nowhere to report it, and a
// login must not fail for it.
//
// The time stamp is left to the receiver: the system's loggers use their own for local messages,
// and formatting it means reading the time zone at every login.
func (s Syslog) Send(priority int, line string) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	// A busy logger is waited for; one that hangs is not.
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: 1})
	packet := "<" + strconv.Itoa(priority) + ">" + line
	unix.Sendto(fd, []byte(packet), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: s.Path})
}
