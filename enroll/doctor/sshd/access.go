package sshd

import (
	"slices"
	"strings"
)

// admits reports whether sshd lets somebody try at all (auth.c, allowed_user): AllowUsers and
// its like, RefuseConnection, and PermitRootLogin no.
func admits(o Options, q *connection) bool {
	if o.on("refuseconnection") || q.user.UID == 0 && !q.user.made && o.First("permitrootlogin") == "no" {
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
		patterns := o.fields(l.keyword)
		if len(patterns) > 0 && slices.ContainsFunc(patterns, l.in) != l.allows {
			return false
		}
	}
	return true
}

// userAt matches USER or USER@HOST (match.c, match_user).
func userAt(pattern string, q *connection) bool {
	at := strings.LastIndex(pattern, "@")
	if at < 0 {
		return fits(pattern, q.user.Name)
	}
	if !fits(pattern[:at], q.user.Name) {
		return false
	}
	ip, host := addresses(pattern[at+1:], q.addr), hosts(pattern[at+1:], q.host)
	return ip != excludes && host != excludes && (ip == includes || host == includes)
}
