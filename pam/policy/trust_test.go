package policy

import (
	"reflect"
	"testing"
)

func TestTrustIsWhatTheRuleSaysOrElseTheTable(t *testing.T) {
	const table = "[trust]\ndays = 30\n"
	key, both := []Bind{BindKey}, []Bind{BindAddress, BindKey}
	cases := []struct {
		name, text string
		want       Trust
	}{
		{"nothing is said", ruleText("", "code"), Trust{}},
		{"the table, and no rule", table, Trust{30, key}},
		{"the table, and a rule without a word", table + ruleText("", "code"), Trust{30, key}},
		{"a rule that says 0", table + ruleText("", "code\ntrust_days = 0"), Trust{}},
		{"a rule that says less", table + ruleText("", "code\ntrust_days = 1"), Trust{1, key}},
		{"a rule alone", ruleText("", "code\ntrust_days = 365"), Trust{365, key}},
		{"a rule above the table", ruleText("", "code\ntrust_days = 7") + table, Trust{7, key}},
		{"a rule that requires nothing", table + ruleText("", "none"), Trust{}},
		{"a rule that denies", table + ruleText("", "deny"), Trust{}},
		{"both, in either order", table + "bind = ['key', 'address']\n", Trust{30, both}},
		{"a table that says 0", "[trust]\ndays = 0\nbind = ['address']\n", Trust{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if d := parse(t, c.text).Decide(
				Request{User: "a"}); !reflect.DeepEqual(d.Trust, c.want) {
				t.Errorf("got %+v; want %+v", d.Trust, c.want)
			}
		})
	}
}

// A privileged group that may be the user's is like one that is.
func TestTrustIsNoneWhereARuleThatMayHoldSaysOtherwise(t *testing.T) {
	const table = "[trust]\ndays = 30\n"
	cases := []struct {
		name, text string
		days       int
	}{
		{"the rule says 0", table + ruleText("groups=['U']", "code\ntrust_days = 0"), 0},
		{"the rule says less", table + ruleText("groups=['U']", "code\ntrust_days = 7"), 0},
		{"the rule accepts less", table + ruleText("groups=['U']", "code\nmethods = ['totp']"), 0},
		{"the rule says the same", table + ruleText("groups=['U']", "code\ntrust_days = 30"), 30},
		{"the rule requires nothing", table + ruleText("groups=['U']", "none"), 30},
		{"the rule denies", table + ruleText("groups=['U']", "deny"), 0},
		{"two rules, one of which says 0",
			table + ruleText("groups=['U']", "code") +
				ruleText("groups=['U2']", "code\ntrust_days = 0"), 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := parse(t, c.text).Decide(Request{User: "a", InGroup: telling()})
			if d.Trust.Days != c.days {
				t.Errorf("got %+v; want %d days", d, c.days)
			}
		})
	}
}

// What a computer was trusted under must not be mistaken for anything else.
func TestTermsDifferInEverythingALoginMustDo(t *testing.T) {
	same := []string{
		"[trust]\ndays = 30\n", "[trust]\ndays = 30\nbind = ['key']\n" + ruleText("", "code"),
		"[trust]\ndays = 7\n" + ruleText("users=['a']", "code\ntrust_days = 30"),
		"[trust]\ndays = 30\n[limits]\ntries = 5\n",
		"[trust]\ndays = 30\n" + ruleText("",
			"code\nmethods = ['key', 'call', 'sms', 'recovery', 'hotp', 'totp']"),
	}
	other := []string{
		"[trust]\ndays = 29\n", "[trust]\ndays = 30\nbind = ['address']\n",
		"[trust]\ndays = 30\nbind = ['address', 'key']\n", "[trust]\ndays = 0\n",
		"[trust]\ndays = 30\n[phone]\nmethods = []\n", "[trust]\ndays = 30\n[phone]\nmethods = " +
			"['sms']\n",
		"[trust]\ndays = 30\n" + ruleText("", "code\nmethods = ['totp']"),
		"[trust]\ndays = 30\n" + ruleText("", "none"), "[trust]\ndays = 30\n" +
			ruleText("", "deny"),
	}
	terms := func(text string) string { return parse(t, text).Decide(Request{User: "a"}).Terms() }
	want := terms(same[0])
	for _, text := range same {
		if got := terms(text); got != want {
			t.Errorf("%q: got %s; want %s", text, got, want)
		}
	}
	seen := map[string]string{want: same[0]}
	for _, text := range other {
		got := terms(text)
		if as, ok := seen[got]; ok {
			t.Errorf("%q and %q have the same terms: %s", text, as, got)
		}
		seen[got] = text
	}
}

func TestStricterTrustEndsNoLaterAndIsBoundToNoLess(t *testing.T) {
	key, address := []Bind{BindKey}, []Bind{BindAddress}
	both := []Bind{BindAddress, BindKey}
	for _, c := range []struct{ one, other, want Trust }{
		{Trust{30, key}, Trust{7, key}, Trust{7, key}},
		{Trust{30, key}, Trust{30, address}, Trust{30, both}},
		{Trust{30, both}, Trust{30, key}, Trust{30, both}},
		{Trust{30, key}, Trust{0, key}, Trust{}},
		{Trust{}, Trust{30, key}, Trust{}},
	} {
		for _, got := range []Trust{c.one.Stricter(c.other), c.other.Stricter(c.one)} {
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v and %+v: got %+v, want %+v", c.one, c.other, got, c.want)
			}
		}
	}
}
