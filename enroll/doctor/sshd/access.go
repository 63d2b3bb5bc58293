package sshd

import (
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/pattern"
	"latchkey/enroll/doctor/sshd/ways"
)

// admits reports whether sshd lets somebody try at all (auth.c, allowed_user): AllowUsers and
// its like, RefuseConnection, and PermitRootLogin no.
func admits(o ways.Options, q *connection) bool {
	if o.On("refuseconnection") || q.user.UID == 0 && !q.user.made && o.First("permitrootlogin") == "no" {
		return false
	}
	user := func(p string) bool { return userAt(p, q) }
	for _, l := range []struct {
		keyword string
		in      func(string) bool
		allows  bool
	}{
		{"denyusers", user, false}, {"allowusers", user, true},
		{"denygroups", q.user.in, false}, {"allowgroups", q.user.in, true},
	} {
		patterns := o.Fields(l.keyword)
		if len(patterns) > 0 && slices.ContainsFunc(patterns, l.in) != l.allows {
			return false
		}
	}
	return true
}

// userAt matches USER or USER@HOST (match.c, match_user).
func userAt(text string, q *connection) bool {
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return pattern.Fits(text, q.user.Name)
	}
	if !pattern.Fits(text[:at], q.user.Name) {
		return false
	}
	ip, host := pattern.Addresses(text[at+1:], q.addr), pattern.Hosts(text[at+1:], q.host)
	return ip != pattern.Excludes && host != pattern.Excludes && (ip == pattern.Includes || host == pattern.Includes)
}
