// Package session finds the login by SSH that a command is typed in.
package session

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Session is a connection to sshd, and the user who logged in by it.
type Session struct {
	UID   int
	Began time.Duration // of the connection, since the machine was started
}

// ErrNone says that a command is not typed in a login by SSH: the processes above it lead to none.
var ErrNone = errors.New("this is not typed in a login by SSH")

// process is what /proc says of one.
type process struct {
	parent int
	name   string
	began  time.Duration
	uid    int
	listen bool
}

// programs are sshd's, by their names: since 9.8, each connection has one of its own.
var programs = []string{"sshd", "sshd-session"}

// deepest is how many processes may stand between a command and its session.
const deepest = 100

// Find finds the session of a process below proc, which is /proc but in tests. The processes
// between it and sshd may be anything (a shell, sudo); a screen or tmux that goes on after its
// login belongs to none.
func Find(proc string, pid int) (Session, error) {
	var s Session
	found := false
	for range deepest {
		if pid == 0 {
			break // the first process has no parent, nor has one that came in from outside
		}
		p, err := read(proc, pid)
		if err != nil {
			return Session{}, err
		}
		switch isSSHD := slices.Contains(programs, p.name) && !p.listen; {
		case isSSHD && !found:
			s, found = Session{p.uid, p.began}, true
		case isSSHD:
			s.Began = p.began // the process that waits for its end, and began with the connection
		case found:
			return s, nil
		}
		pid = p.parent
	}
	if !found {
		return s, ErrNone
	}
	return s, nil
}

// Tick is the unit in which the kernel says when a process began, rounded down (1/USER_HZ).
const Tick = 10 * time.Millisecond

func read(proc string, pid int) (p process, err error) {
	dir := fmt.Sprintf("%s/%d/", proc, pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return p, err
	}
	// The name is in parentheses, and may have any characters in it.
	open, shut := strings.IndexByte(string(stat), '('), strings.LastIndexByte(string(stat), ')')
	if open < 0 || shut < open {
		return p, fmt.Errorf("%sstat cannot be read", dir)
	}
	p.name = string(stat[open+1 : shut])
	fields := strings.Fields(string(stat[shut+1:]))
	if len(fields) < 20 {
		return p, fmt.Errorf("%sstat is too short", dir)
	}
	if p.parent, err = strconv.Atoi(fields[1]); err != nil {
		return p, err
	}
	began, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		return p, err
	}
	p.began = time.Duration(began) * Tick
	if p.uid, err = uid(dir); err != nil {
		return p, err
	}
	shown, err := os.ReadFile(dir + "cmdline")
	p.listen = strings.Contains(string(shown), " [listener]")
	return p, err
}

// uid is the real uid of a process.
func uid(dir string) (int, error) {
	text, err := os.ReadFile(dir + "status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "Uid:" {
			return strconv.Atoi(words[1])
		}
	}
	return 0, fmt.Errorf("%sstatus says no uid", dir)
}
