package audit

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Syslog sends lines to the system's log.
//
// Package log/syslog could do it, but it links package net, whose initialization would slow down
// every login, and a resolver, into a program that must not know any network. One datagram needs
// neither.
type Syslog struct {
	Path    string // /dev/log
	Journal string // the socket of systemd's journal, which is tried first; "": there is none
	JSON    bool   // each entry is one JSON object
}

// System is the log of the system below root ("" for the system's own).
func System(root string) Syslog {
	return Syslog{Path: root + "/dev/log", Journal: root + "/run/systemd/journal/socket"}
}

// Facility and severities of syslog(3).
const (
	authPriv = 10 << 3
	Alert    = authPriv | 1
	Notice   = authPriv | 5
	Warning  = authPriv | 4
	Debug    = authPriv | 7
)

// Log sends an entry with the given priority: to the journal with its fields, or where there is no
// journal as a line.
func (s Syslog) Log(priority int, e Entry) {
	line := plain(e)
	if s.JSON {
		line = object(e)
	}
	if s.Journal == "" || !send(s.Journal, journal(priority, line, e)) {
		s.Send(priority, line)
	}
}

// Send sends line with the given priority. If that fails there is nowhere to report it, and a
// login must not fail for it.
//
// The time stamp is left to the receiver: the system's loggers use their own for local messages,
// and formatting it means reading the time zone at every login.
func (s Syslog) Send(priority int, line string) {
	send(s.Path, "<"+strconv.Itoa(priority)+">"+line)
}

// send sends one datagram, and reports whether a logger has it.
func send(path, packet string) bool {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	// A busy logger is waited for; one that hangs is not.
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: 1})
	err = unix.Sendto(fd, []byte(packet), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: path})
	return err == nil
}

// journal returns a line and its fields as systemd's journal takes them (the page "Native Journal
// Protocol" of systemd). No value has a line feed in it.
func journal(priority int, line string, e Entry) string {
	var b strings.Builder
	b.Grow(2 * usual)
	write(&b, "MESSAGE=", strings.TrimPrefix(line, prefix),
		"\nPRIORITY=", strconv.Itoa(priority&7), "\nSYSLOG_FACILITY=", strconv.Itoa(priority>>3),
		"\nSYSLOG_IDENTIFIER=", strings.TrimSuffix(prefix, ": "), "\n")
	for _, f := range e.fields() {
		write(&b, "LATCHKEY_", strings.ToUpper(f.name), "=", escape(f.value), "\n")
	}
	return b.String()
}
