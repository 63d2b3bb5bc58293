// Package lockedout names the users who would not get in by SSH once logins ask for codes.
package lockedout

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"latchkey/enroll/activate/plan"
	"latchkey/enroll/doctor/sshd/ways"
	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/enroll/explain"
	"latchkey/enroll/missing"
	"latchkey/pam/flow/verdict"
)

// Survey looks at the users who may log in now.
type Survey struct {
	Stack plan.Stack
	SSHD  ways.Options // what is in force in sshd
	// Home is a user's home folder; empty: it is not known.
	Home func(name string) string
	// Explain says what becomes of a user's login once the first step, the password or the key,
	// is done.
	Explain func(u missing.User) (explain.Explanation, error)
}

// From is an address that no rule has for its own (RFC 5737).
const From = "192.0.2.1"

// Most is how many users are looked at: each takes about a millisecond.
const Most = 1000

// User is a user who would not get in, and why.
type User struct {
	Name string
	Why  string
	Next string // what to do about it
	Key  bool   // a key alone lets them in now
}

// Look says which of the users would not get in, and how many would.
func (s Survey) Look(users []missing.User) (out []User, in int) {
	for _, u := range users[:min(len(users), Most)] {
		l, may := s.one(u)
		switch {
		case !may:
		case l.Why == "":
			in++
		default:
			out = append(out, l)
		}
	}
	return out, in
}

// one looks at one user. may is false for those who do not get in now either.
func (s Survey) one(u missing.User) (l User, may bool) {
	l.Name = u.Name
	key, sure := s.hasKey(u.Name)
	password := u.Password == "set" || u.Password == "unknown"
	l.Key = key && !password
	root := s.SSHD.First("permitrootlogin")
	switch {
	case u.UID == 0 && root == "no":
		return l, false
	case u.UID == 0 && root != "yes":
		l.Why = "sshd lets root in with a key and nothing else (PermitRootLogin " + root + ")"
		l.Next = "log in as a user, then: sudo -i"
	case !key && sure && !password:
		return l, false
	case s.Stack == plan.PasswordAndCode && !password:
		l.Why, l.Next = "has a key and no password", "passwd "+u.Name
	case s.Stack == plan.KeyAndCode && !key && sure:
		l.Why = "has no key in authorized_keys"
	default:
		l.Why, l.Next = s.refused(u)
	}
	return l, true
}

// refused is why latchkey lets a user not in; empty: it does.
func (s Survey) refused(u missing.User) (why, next string) {
	e, err := s.Explain(u)
	switch {
	case err != nil:
		return err.Error(), "enroll explain " + u.Name
	case e.Result != "deny":
		return "", ""
	case e.Reason == verdict.Unenrolled:
		return "has no second factor", "enroll --user " + u.Name
	case e.Detail != "":
		return e.Detail, "enroll explain " + u.Name
	}
	return "latchkey denies the login: reason=" + string(e.Reason), "enroll explain " + u.Name
}

// hasKey reports whether sshd would find a key of a user's. sure is false if that cannot be told:
// a command or a certificate authority may know one.
func (s Survey) hasKey(name string) (has, sure bool) {
	set := func(keyword string) bool {
		v := s.SSHD.First(keyword)
		return v != "" && v != "none"
	}
	if !s.SSHD.On("pubkeyauthentication") {
		return false, true
	}
	sure = !set("authorizedkeyscommand") && !set("trustedusercakeys")
	home := s.Home(name)
	for _, file := range s.SSHD.Fields("authorizedkeysfile") {
		file = strings.NewReplacer("%%", "%", "%h", home, "%u", name).Replace(file)
		if !filepath.IsAbs(file) {
			file = home + "/" + file
		}
		text, err := pamd.Read(file, pamd.Largest)
		if err == nil && slices.ContainsFunc(strings.Split(text, "\n"), isKey) {
			return true, sure
		}
	}
	return false, sure
}

func isKey(line string) bool {
	line = strings.TrimSpace(line)
	return line != "" && line[0] != '#'
}

// String is the line for people.
func (l User) String() string { return fmt.Sprintf("%s would not get in: %s", l.Name, l.Why) }
