package sshd

import (
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/pattern"
	"latchkey/enroll/doctor/sshd/ways"
)

// admits reports whether sshd lets a user try at all (auth.c, allowed_user): AllowUsers and
// its like, RefuseConnection, and PermitRootLogin no.
func admits(o ways.Options, q *config.Connection) bool {
	if o.On("refuseconnection") || q.User.UID == 0 && !q.User.Made &&
		o.First("permitrootlogin") == "no" {
		return false
	}
	user := func(p string) bool { return userAt(p, q) }
	for _, l := range []struct {
		keyword string
		in      func(string) bool
		allows  bool
	}{
		{"denyusers", user, false}, {"allowusers", user, true},
		{"denygroups", q.User.In, false}, {"allowgroups", q.User.In, true},
	} {
		all := o.Fields(l.keyword)
		if len(all) > 0 && slices.ContainsFunc(all, l.in) != l.allows {
			return false
		}
	}
	return true
}

// userAt matches USER or USER@HOST (match.c, match_user).
func userAt(text string, q *config.Connection) bool {
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return pattern.Fits(text, q.User.Name)
	}
	if !pattern.Fits(text[:at], q.User.Name) {
		return false
	}
	ip, host := pattern.Addresses(text[at+1:], q.Addr), pattern.Hosts(text[at+1:], q.Host)
	return ip != pattern.Excludes && host != pattern.Excludes &&
		(ip == pattern.Includes || host == pattern.Includes)
}
