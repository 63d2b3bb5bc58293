package main

import (
	"errors"
	"iter"

	"latchkey/enroll/hint"
	"latchkey/enroll/metrics"
	"latchkey/pam/method"
)

// listMetrics writes numbers about all users, for a program that collects them. If the users who
// are missing cannot be told, it writes nothing: a wrong number is worse than none.
func (p *program) listMetrics(l *listing, all iter.Seq[userStatus]) error {
	absent, err := p.absent(l.users)
	if err != nil {
		return hint.Error(err.Error(), "getent passwd must list them (see /etc/nsswitch.conf)")
	}
	u := counted(all)
	u.Enrolled, u.Missing, u.Read = len(l.users), len(absent), p.clock()
	return errors.Join(l.err, u.Write(p.Out))
}

// counted counts users that are enrolled.
func counted(all iter.Seq[userStatus]) metrics.Users {
	u := metrics.Users{Devices: map[method.Method]int{}, With: map[method.Method]int{}}
	for s := range all {
		s.count(&u)
	}
	return u
}

func (s *userStatus) count(u *metrics.Users) {
	u.Locked += one(s.locked() != "")
	u.Recovery += one(s.Recovery > 0)
	u.Unusable += one(s.Problem != "")
	u.Unused += one(s.Problem == "" && s.Accepted == nil)
	if s.Accepted != nil && (u.Oldest.IsZero() || s.Accepted.At.Before(u.Oldest)) {
		u.Oldest = s.Accepted.At
	}
	has := map[method.Method]bool{}
	for _, d := range s.Devices {
		u.Devices[d.Type]++
		u.With[d.Type] += one(!has[d.Type])
		has[d.Type] = true
	}
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
