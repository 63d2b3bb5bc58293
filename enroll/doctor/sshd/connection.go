package sshd

import (
	"strconv"
	"strings"
)

// User is somebody who may log in.
type User struct {
	Name   string
	UID    uint32
	Groups []string // by name, the primary one too
	made   bool     // nobody of that name is known: it stands for all such
}

// connection is what Match lines look at.
type connection struct {
	user        *User
	host        string // what the client's name is taken for; its address unless UseDNS is yes
	addr, laddr string
	lport       int
	rdomain     string
	release     string // of sshd itself
	named       bool   // a line names what the value fills in
}

// spec is the connection for sshd -C; ok is false if it cannot be said there.
func (q *connection) spec() (spec string, ok bool) {
	pairs := []string{"user=" + q.user.Name, "host=" + q.host, "addr=" + q.addr, "laddr=" + q.laddr,
		"lport=" + strconv.Itoa(q.lport), "rdomain=" + q.rdomain}
	for _, p := range pairs {
		if strings.ContainsAny(p, ", \t\n\x00") {
			return "", false
		}
	}
	if q.rdomain == "" {
		pairs = pairs[:len(pairs)-1]
	}
	return strings.Join(pairs, ","), !q.user.made || len(q.user.Groups) == 0
}

// says is the connection for people: what is usual is left out.
func (q *connection) says() string {
	text := ""
	switch {
	case q.user.made && len(q.user.Groups) > 0:
		text = "a member of " + strings.Join(q.user.Groups, " and ")
	case q.user.Name != plainUser:
		text = "user " + q.user.Name
	}
	if q.addr != plainAddress {
		text += " from " + q.addr
	}
	if q.host != q.addr {
		text += " (" + q.host + ")"
	}
	if q.laddr != plainLocal {
		text += " to " + q.laddr
	}
	if q.lport != plainPort {
		text += " port " + strconv.Itoa(q.lport)
	}
	if q.rdomain != "" {
		text += " in routing domain " + q.rdomain
	}
	return strings.TrimSpace(text)
}
