package main

import (
	"latchkey/enroll/hint"
	"latchkey/enroll/metrics"
	"latchkey/enroll/missing"
	"latchkey/pam/method"
)

// listMetrics writes numbers about all users, for a program that collects them. If the users who
// are missing cannot be told, it writes nothing: a wrong number is worse than none.
func (p *program) listMetrics(all []userStatus) error {
	var enrolled []string
	for _, s := range all {
		enrolled = append(enrolled, s.User)
	}
	absent, err := missing.Find(p.root, enrolled)
	if err != nil {
		return hint.Error(err.Error(), "getent passwd must list them (see /etc/nsswitch.conf)")
	}
	u := counted(all)
	u.Missing, u.Read = len(absent), p.clock()
	return u.Write(p.Out)
}

// counted counts users that are enrolled.
func counted(all []userStatus) metrics.Users {
	u := metrics.Users{
		Enrolled: len(all), Devices: map[method.Method]int{}, With: map[method.Method]int{},
	}
	for _, s := range all {
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
	return u
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
