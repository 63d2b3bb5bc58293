package policy

import (
	"strings"
	"testing"

	"latchkey/pam/method"
)

func TestDecisionNamesTheRuleThatWasDecidedByAnUnknownGroup(t *testing.T) {
	text := ruleText("users=['x']", "code") +
		ruleText("from=['10.0.0.0/8']\ngroups=['U']", "deny") + ruleText("", "none")
	d := parse(t, text).Decide(Request{User: "a", From: "gw.example", InGroup: telling()})
	if d.Rule != 2 || len(d.Unknown) != 2 || d.Unknown[0].Rule != 2 || d.Unknown[1].Rule != 2 {
		t.Errorf("got %+v; want rule 2, with two unknown conditions of rule 2", d)
	}
}

func TestReasonNamesTwoUnknownConditionsAndCountsTheRest(t *testing.T) {
	for groups, want := range map[string]string{
		"'Ua', 'Ub'":             `: unknown group "Ua", unknown group "Ub"`,
		"'Ua', 'Ub', 'Uc'":       `: unknown group "Ua", unknown group "Ub", 1 more unknown`,
		"'Ua', 'Ub', 'Uc', 'Ud'": `: unknown group "Ua", unknown group "Ub", 2 more unknown`,
	} {
		d := parse(t, ruleText("groups=["+groups+"]", "deny")+ruleText("", "none")).Decide(
			Request{User: "a", InGroup: telling()})
		if _, got, _ := strings.Cut(d.Why, "requires deny"); got != want {
			t.Errorf("%s: got %q, want %q", groups, got, want)
		}
	}
}

func TestReasonSaysThatMethodsWereLeftOutOnlyIfSomeWere(t *testing.T) {
	const fewer = "; methods that are accepted either way"
	phones, some := "code\nmethods=['totp', 'sms']", "code\nmethods=['totp', 'key']"
	for name, c := range map[string]struct {
		above, below string
		said         bool
	}{
		"both accept more":           {phones, some, true},
		"the rule above is stricter": {"code\nmethods=['totp']", phones, false},
		"the rule below is stricter": {phones, "code\nmethods=['totp']", false},
		"they are the same":          {phones, phones, false},
	} {
		d := parse(t, ruleText("groups=['U']", c.above)+ruleText("", c.below)).Decide(
			Request{User: "a", InGroup: telling()})
		if got := strings.HasSuffix(d.Why, fewer); got != c.said || d.Methods[0] != method.TOTP {
			t.Errorf("%s: got %q and %q; want methods left out: %v", name, d.Methods, d.Why,
				c.said)
		}
	}
}

func TestProgramToNotifyHasAPathThatTheKernelTakes(t *testing.T) {
	long := "/" + strings.Repeat("a", 4094)
	for path, want := range map[string]bool{
		"": true, "/usr/bin/tell": true, long: true, long + "a": false,
		"/": false, "tell": false, "/usr/../tell": false, "/usr/bin/": false,
	} {
		if got := isProgram(path); got != want {
			t.Errorf("%.20q, %d bytes: got %v, want %v", path, len(path), got, want)
		}
	}
}

func TestNumberIsAllowedIfItHasOneOfThePrefixes(t *testing.T) {
	for number, want := range map[string]bool{"+15551234567": true, "+445551234": true,
		"+4915": false} {
		p := Phone{Prefixes: []string{"+1", "+44"}}
		if got := p.Allows(number); got != want {
			t.Errorf("%s: got %v, want %v", number, got, want)
		}
		if !(&Phone{}).Allows(number) {
			t.Errorf("%s: got it refused where no prefix is set", number)
		}
	}
}

func TestTrustingIsWhereTheTableOrARuleGivesDays(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                   false,
		"[trust]\ndays = 0\n":                false,
		"[trust]\ndays = 1\n":                true,
		ruleText("", "code\ntrust_days = 0"): false,
		ruleText("", "code\ntrust_days = 1"): true,
		ruleText("users=['a']", "code"):      false,
	} {
		if got := parse(t, text).Trusting(); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
