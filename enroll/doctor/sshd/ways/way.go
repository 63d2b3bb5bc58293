// Package ways has the ways in that sshd's options leave open, and what is wrong with them.
package ways

import (
	"slices"
	"strings"
)

// methods are the options that have to be on, by method.
var methods = map[string]string{
	"publickey": "PubkeyAuthentication", "hostbased": "HostbasedAuthentication",
	"gssapi-with-mic": "GSSAPIAuthentication", "gssapi-keyex": "GSSAPIKeyExchange",
	"password": "PasswordAuthentication", "keyboard-interactive": "KbdInteractiveAuthentication",
	"none": "PermitEmptyPasswords",
}

// withoutPAM are the methods that need nothing of PAM, in the order in which they are told.
var withoutPAM = []string{"publickey", "hostbased", "gssapi-with-mic", "gssapi-keyex"}

// silent are the methods that ask PAM but cannot ask the user a second question.
var silent = []string{"password", "none"}

// asking is the method by which PAM asks.
const asking = "keyboard-interactive"

// enabled reports whether a client may use a method.
func (o Options) enabled(method string) bool {
	name, device, _ := strings.Cut(method, ":")
	switch {
	case !o.On(strings.ToLower(methods[name])):
		return false
	case name == "publickey":
		return o.Keys()
	case name == "none":
		return o.On("passwordauthentication")
	}
	return name != asking || device == "" || device == "pam"
}

// Keys reports whether there is anything that says which keys are right.
func (o Options) Keys() bool {
	set := func(keyword string) bool { v := o.First(keyword); return v != "" && v != "none" }
	return o.First("authorizedkeysfile") != "none" || set("authorizedkeyscommand") ||
		set("trustedusercakeys")
}

// open are the methods that are enabled, in the order in which they are told.
func (o Options) open() []string {
	all := append(slices.Clone(withoutPAM), "password", asking)
	return slices.DeleteFunc(all, func(m string) bool { return !o.enabled(m) })
}

// Ways are the lists of methods by which a client can log in; root only by those that
// PermitRootLogin leaves. listed reports whether AuthenticationMethods says so.
func (o Options) Ways(root bool) (lists [][]string, listed bool) {
	value := o.First("authenticationmethods")
	if listed = value != "" && value != "any"; listed {
		for _, list := range strings.Fields(value) {
			lists = append(lists, strings.Split(list, ","))
		}
	} else {
		for _, m := range o.open() {
			lists = append(lists, []string{m})
		}
	}
	closed := func(m string) bool { return !o.enabled(m) || root && !o.forRoot(m) }
	return slices.DeleteFunc(lists, func(way []string) bool {
		return slices.ContainsFunc(way, closed)
	}), listed
}

// forRoot: prohibit-password takes keyboard-interactive for a password.
func (o Options) forRoot(method string) bool {
	name, _, _ := strings.Cut(method, ":")
	return o.First("permitrootlogin") == "yes" || slices.Contains(withoutPAM, name)
}

// asks is the place at which a way asks PAM for the code; -1 if it does not.
func asks(way []string) int {
	return slices.IndexFunc(way, func(m string) bool {
		return m == asking || strings.HasPrefix(m, asking+":")
	})
}

// Keyed reports whether some way shows a key before PAM is asked.
func Keyed(ways [][]string) bool {
	return slices.ContainsFunc(ways, func(way []string) bool {
		return slices.Contains(way[:max(asks(way), 0)], "publickey")
	})
}

// KeyFirst reports whether every way shows a key (or what is as good) before PAM is asked.
func KeyFirst(ways [][]string) bool {
	for _, way := range ways {
		at := asks(way)
		key := func(m string) bool { return slices.Contains(withoutPAM, m) }
		if at >= 0 && !slices.ContainsFunc(way[:at], key) {
			return false
		}
	}
	return true
}
