package policy

import (
	"reflect"
	"strings"
	"testing"

	"latchkey/pam/method"
)

// inGroups is a lookup that knows these groups.
func inGroups(groups ...string) func(string) (bool, error) {
	return func(group string) (bool, error) {
		for _, g := range groups {
			if g == group {
				return true, nil
			}
		}
		return false, nil
	}
}

// unasked is a lookup that must not happen.
func unasked(t *testing.T) func(string) (bool, error) {
	return func(group string) (bool, error) {
		t.Errorf("group %q was looked up", group)
		return true, nil
	}
}

func TestConditions(t *testing.T) {
	cases := []struct {
		name, conditions string
		request          Request
		matches          bool
	}{
		{"no condition always holds", ``, Request{}, true},
		{"a listed user", `users = ["bob", "alice"]`, Request{User: "alice"}, true},
		{"another user", `users = ["alice"]`, Request{User: "mallory"}, false},
		{"a user whose name begins alike", `users = ["alice"]`, Request{User: "alice2"}, false},
		{"a user in another case", `users = ["alice"]`, Request{User: "Alice"}, false},
		{"no user", `users = ["alice"]`, Request{}, false},
		{"a listed service", `services = ["sudo", "sshd"]`, Request{Service: "sshd"}, true},
		{"another service", `services = ["sshd"]`, Request{Service: "su"}, false},
		{"no service", `services = ["sshd"]`, Request{}, false},
		{"an address inside", `from = ["10.0.0.0/8"]`, Request{From: "10.255.0.1"}, true},
		{"an address outside", `from = ["10.0.0.0/8"]`, Request{From: "11.0.0.1"}, false},
		{"the second network", `from = ["192.0.2.0/24", "10.0.0.0/8"]`, Request{From: "10.0.0.1"},
			true},
		{"that address", `from = ["192.0.2.7"]`, Request{From: "192.0.2.7"}, true},
		{"the address after it", `from = ["192.0.2.7"]`, Request{From: "192.0.2.8"}, false},
		{"IPv4 inside IPv6", `from = ["10.0.0.0/8"]`, Request{From: "::ffff:10.0.0.1"}, true},
		{"an address with a zone", `from = ["fe80::/10"]`, Request{From: "fe80::1%eth0"}, true},
		{"IPv4 is not in all of IPv6", `from = ["::/0"]`, Request{From: "::ffff:10.0.0.1"}, false},
		{"no address in all networks", `from = ["0.0.0.0/0", "::/0"]`, Request{}, false},
		{"a member", `groups = ["wheel"]`, Request{InGroup: inGroups("wheel")}, true},
		{"a member of the second group", `groups = ["wheel", "admin"]`,
			Request{InGroup: inGroups("admin")}, true},
		{"not a member", `groups = ["wheel"]`, Request{InGroup: inGroups("users")}, false},
		{"a netgroup is asked for with its mark", `groups = ["@unix"]`,
			Request{InGroup: inGroups("@unix")}, true},
		{"a group of the netgroup's name", `groups = ["@unix"]`,
			Request{InGroup: inGroups("unix")},
			false},
		{"all hold", "users = ['a']\nservices = ['s']\nfrom = ['::1']\ngroups = ['g']",
			Request{User: "a", Service: "s", From: "::1", InGroup: inGroups("g")}, true},
		{"all but the user", "users = ['a']\nservices = ['s']\nfrom = ['::1']\ngroups = ['g']",
			Request{User: "b", Service: "s", From: "::1", InGroup: unasked(t)}, false},
		{"all but the service", "users = ['a']\nservices = ['s']\nfrom = ['::1']\ngroups = ['g']",
			Request{User: "a", Service: "t", From: "::1", InGroup: unasked(t)}, false},
		{"all but the address", "users = ['a']\nservices = ['s']\nfrom = ['::1']\ngroups = ['g']",
			Request{User: "a", Service: "s", From: "::2", InGroup: unasked(t)}, false},
		{"all but the group", "users = ['a']\nservices = ['s']\nfrom = ['::1']\ngroups = ['g']",
			Request{User: "a", Service: "s", From: "::1", InGroup: inGroups()}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := parse(t, "[[rule]]\n"+c.conditions+"\nrequire = 'none'\n")
			d := p.Decide(c.request)
			want := RequireCode
			if c.matches {
				want = RequireNone
			}
			if d.Require != want || (d.Rule == 1) != c.matches {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestFirstRuleThatMatchesDecides(t *testing.T) {
	p := parse(t, `
[[rule]]
users = ["alice"]
require = "deny"
[[rule]]
from = ["10.0.0.0/8"]
require = "none"
[[rule]]
services = ["sudo"]
require = "code"
methods = ["key", "totp"]
`)
	cases := []struct {
		name    string
		request Request
		want    Decision
	}{
		{"the first, though the second matches too", Request{User: "alice", From: "10.0.0.1"},
			Decision{Require: RequireDeny, Rule: 1, Line: 2,
				Why: `rule 1, line 2, requires deny: user "alice"`}},
		{"the second, though the third matches too",
			Request{User: "bob", From: "::ffff:10.0.0.1", Service: "sudo"},
			Decision{Require: RequireNone, Rule: 2, Line: 5,
				Why: `rule 2, line 5, requires none: from 10.0.0.1 in 10.0.0.0/8`}},
		{"the third", Request{User: "bob", Service: "sudo"},
			Decision{Require: RequireCode, Methods: []method.Method{method.Key, method.TOTP},
				Newcomers: Newcomers{Then: UnenrolledDeny},
				Rule:      3, Line: 8, Why: `rule 3, line 8, requires code: service "sudo"`}},
		{"none", Request{User: "bob", Service: "sshd", From: "192.0.2.7"},
			Decision{Require: RequireCode, Methods: method.All(),
				Newcomers: Newcomers{Then: UnenrolledDeny},
				Why:       `no rule matches: a code is required`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := p.Decide(c.request); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestReasonNamesEveryConditionThatHeld(t *testing.T) {
	p := parse(t, "[[rule]]\nusers=['a']\nservices=['s']\nfrom=['::1']\ngroups=['x','g']\n"+
		"require='code'")
	d := p.Decide(Request{User: "a", Service: "s", From: "::1", InGroup: inGroups("g")})
	if want := `rule 1, line 1, requires code: user "a", service "s", from ::1 in ::1/128, ` +
		`group "g"`; d.Why != want {
		t.Errorf("got  %s\nwant %s", d.Why, want)
	}
	d = parse(t, "[[rule]]\nrequire='deny'").Decide(Request{User: "a"})
	if want := `rule 1, line 1, requires deny: no conditions`; d.Why != want {
		t.Errorf("got  %s\nwant %s", d.Why, want)
	}
}

func TestNoGroupIsAskedForAfterTheUsersOwn(t *testing.T) {
	var asked []string
	p := parse(t, "[[rule]]\ngroups=['a', 'b', 'c']\nrequire='none'\n[[rule]]\ngroups=['d']\n"+
		"require='deny'")
	lookup := func(group string) (bool, error) {
		asked = append(asked, group)
		return group == "b", nil
	}
	if p.Decide(Request{InGroup: lookup}); strings.Join(asked, "") != "ab" {
		t.Errorf("asked for %v", asked)
	}
}

func TestMethodThatPhoneSwitchesOffIsLeftOut(t *testing.T) {
	cases := []struct {
		name, text string
		want       []method.Method
	}{
		{"all by default", "", method.All()},
		{"no phones", "[phone]\nmethods=[]",
			[]method.Method{method.TOTP, method.HOTP, method.Recovery, method.Key}},
		{"only calls", "[phone]\nmethods=['call']",
			[]method.Method{method.TOTP, method.HOTP, method.Recovery, method.Call, method.Key}},
		{"a rule without methods", "[phone]\nmethods=[]\n[[rule]]\nrequire='code'",
			[]method.Method{method.TOTP, method.HOTP, method.Recovery, method.Key}},
		{"a rule with phones, written before",
			"[[rule]]\nrequire='code'\nmethods=['sms','totp']\n[phone]\nmethods=['call']",
			[]method.Method{method.TOTP}},
		{"a rule with phones alone accepts nothing",
			"[phone]\nmethods=[]\n[[rule]]\nrequire='code'\nmethods=['sms']", []method.Method{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := parse(t, c.text).Decide(Request{User: "a"})
			if d.Require != RequireCode || !reflect.DeepEqual(d.Methods, c.want) {
				t.Errorf("got %+v, want %v", d, c.want)
			}
		})
	}
}

func TestDecisionDoesNotShareItsMethodsWithThePolicy(t *testing.T) {
	p := parse(t, "[[rule]]\nrequire='code'\nmethods=['totp','key']")
	d := p.Decide(Request{})
	d.Methods[0] = method.SMS
	if p.Rules[0].Methods[0] != method.TOTP {
		t.Error("the policy changed")
	}
}

func TestDocumentedExampleDecides(t *testing.T) {
	p := parse(t, readExample(t))
	d := p.Decide(Request{User: "alice", Service: "sshd", From: "10.1.2.3",
		InGroup: inGroups("@unix")})
	if want := `rule 1, line 23, requires code: user "alice", from 10.1.2.3 in 10.0.0.0/8, ` +
		`group "@unix"`; d.Why != want {
		t.Errorf("got %+v", d)
	}
}
