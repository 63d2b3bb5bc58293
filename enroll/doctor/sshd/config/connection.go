package config

import (
	"slices"
	"strconv"
	"strings"

	"latchkey/enroll/doctor/sshd/pattern"
)

// What a connection is where no line speaks of it. The addresses are those of RFC 5737 and RFC
// 3849.
const (
	PlainUser    = "somebody"
	PlainAddress = "192.0.2.1"
	PlainLocal   = "192.0.2.2"
	PlainHost    = "host.example"
	PlainPort    = 22
)

// User is a user who may log in.
type User struct {
	Name   string
	UID    uint32
	Groups []string // by name, the primary one too
	Made   bool     // no user of that name is known: it stands for all such
}

// Connection is what Match lines look at.
type Connection struct {
	User        *User
	Host        string // what the client's name is taken for; its address unless UseDNS is yes
	Addr, LAddr string
	LPort       int
	RDomain     string
	Release     string // of sshd itself
	Named       bool   // a line names what the value fills in
}

// Spec is the connection for sshd -C; ok is false if it cannot be said there.
func (q *Connection) Spec() (spec string, ok bool) {
	pairs := []string{"user=" + q.User.Name, "host=" + q.Host, "addr=" + q.Addr,
		"laddr=" + q.LAddr,
		"lport=" + strconv.Itoa(q.LPort), "rdomain=" + q.RDomain}
	for _, p := range pairs {
		if strings.ContainsAny(p, ", \t\n\x00") {
			return "", false
		}
	}
	if q.RDomain == "" {
		pairs = pairs[:len(pairs)-1]
	}
	return strings.Join(pairs, ","), !q.User.Made || len(q.User.Groups) == 0
}

// Says is the connection for people: what is usual is left out.
func (q *Connection) Says() string {
	text := ""
	switch {
	case q.User.Made && len(q.User.Groups) > 0:
		text = "a member of " + strings.Join(q.User.Groups, " and ")
	case q.User.Name != PlainUser:
		text = "user " + q.User.Name
	}
	if q.Addr != PlainAddress {
		text += " from " + q.Addr
	}
	if q.Host != q.Addr {
		text += " (" + q.Host + ")"
	}
	if q.LAddr != PlainLocal {
		text += " to " + q.LAddr
	}
	if q.LPort != PlainPort {
		text += " port " + strconv.Itoa(q.LPort)
	}
	if q.RDomain != "" {
		text += " in routing domain " + q.RDomain
	}
	return strings.TrimSpace(text)
}

// Root reports whether the user is root.
func (q *Connection) Root() bool { return q.User.UID == 0 && !q.User.Made }

// In reports whether a user is in a group that a pattern describes.
func (u *User) In(group string) bool {
	return slices.ContainsFunc(u.Groups, func(g string) bool { return pattern.Fits(group, g) })
}
