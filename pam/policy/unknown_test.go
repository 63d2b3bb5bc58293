package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/pam/method"
)

var errDown = errors.New("the name service is down")

// telling is a lookup that knows some groups; the others' names begin with "U" and cannot be told.
func telling(groups ...string) func(string) (bool, error) {
	return func(group string) (bool, error) {
		if strings.HasPrefix(group, "U") {
			return false, errDown
		}
		return slices.Contains(groups, group), nil
	}
}

// FAULTS 35
func TestAnUnknownConditionGetsTheStricterOfBothOutcomes(t *testing.T) {
	const phones = "\nmethods = ['sms', 'totp']"
	named := Request{User: "a", From: "gw.example"}
	cases := []struct {
		name, rules string
		request     Request
		require     Require
		methods     []method.Method
		rule        int
	}{
		{"code above none",
			rule("groups=['U']", "code") + rule("", "none"), Request{}, RequireCode, method.All(),
			1},
		{"none above code",
			rule("groups=['U']", "none") + rule("", "code"), Request{}, RequireCode, method.All(),
			2},
		{"none above nothing",
			rule("groups=['U']", "none"), Request{}, RequireCode, method.All(), 0},
		{"none above none",
			rule("groups=['U']", "none") + rule("", "none"), Request{}, RequireNone, nil, 2},
		{"none above deny",
			rule("groups=['U']", "none") + rule("", "deny"), Request{}, RequireDeny, nil, 2},
		{"deny above none",
			rule("groups=['U']", "deny") + rule("", "none"), Request{}, RequireDeny, nil, 1},
		{"a netgroup",
			rule("groups=['@x', 'U']", "deny") + rule("", "none"), Request{}, RequireDeny, nil, 1},
		{"a group that is the user's beside one that is unknown",
			rule("groups=['U', 'g']", "none"), Request{}, RequireNone, nil, 1},
		{"a rule that another condition excludes",
			rule("users=['b']\ngroups=['U']", "deny") + rule("", "none"), Request{}, RequireNone,
			nil, 2},
		{"no lookup at all",
			rule("groups=['g']", "deny"),
			Request{InGroup: func(string) (bool, error) { return false, errNoLookup }},
			RequireDeny, nil, 1},
		{"only methods that both accept",
			rule("groups=['U']", "code"+phones) + rule("", "code\nmethods=['totp', 'key']"),
			Request{}, RequireCode, []method.Method{method.TOTP}, 1},
		{"methods of the rule below are fewer",
			rule("groups=['U']", "code") + rule("", "code"+phones), Request{}, RequireCode,
			[]method.Method{method.SMS, method.TOTP}, 2},
		{"methods of the rule above are fewer",
			rule("groups=['U']", "code"+phones), Request{}, RequireCode,
			[]method.Method{method.SMS, method.TOTP}, 1},
		{"no method that both accept",
			rule("groups=['U']", "code\nmethods=['key']") + rule("", "code"+phones), Request{},
			RequireDeny, nil, 1},
		{"three rules",
			rule("groups=['U']", "none") + rule("groups=['U2']", "code\nmethods=['key']") +
				rule("", "none"),
			Request{}, RequireCode, []method.Method{method.Key}, 2},
		{"a name in a network that denies",
			rule("from=['10.0.0.0/8']", "deny") + rule("", "none"), named, RequireDeny, nil, 1},
		{"a name in a network that is exempt",
			rule("from=['10.0.0.0/8']", "none"), named, RequireCode, method.All(), 0},
		{"a name in all networks",
			rule("from=['0.0.0.0/0', '::/0']", "none"), named, RequireCode, method.All(), 0},
		{"no number",
			rule("from=['0.0.0.0/0']", "deny") + rule("", "none"), Request{From: "999.1.1.1"},
			RequireDeny, nil, 1},
		{"a zero before a number",
			rule("from=['192.0.2.0/24']", "deny") + rule("", "none"), Request{From: "010.0.0.1"},
			RequireDeny, nil, 1},
		{"an address and a space",
			rule("from=['192.0.2.0/24']", "deny") + rule("", "none"), Request{From: "10.0.0.1 "},
			RequireDeny, nil, 1},
		{"an address and a name",
			rule("from=['192.0.2.0/24']", "deny") + rule("", "none"),
			Request{From: "10.0.0.1.example"}, RequireDeny, nil, 1},
		{"a port",
			rule("from=['192.0.2.0/24']", "deny") + rule("", "none"), Request{From: "10.0.0.1:22"},
			RequireDeny, nil, 1},
		{"an address elsewhere",
			rule("from=['10.0.0.0/8']", "deny") + rule("", "none"), Request{From: "192.0.2.7"},
			RequireNone, nil, 2},
		{"an address elsewhere, IPv6",
			rule("from=['10.0.0.0/8']", "deny") + rule("", "none"), Request{From: "2001:db8::1"},
			RequireNone, nil, 2},
		{"no address",
			rule("from=['0.0.0.0/0', '::/0']", "deny") + rule("", "none"), Request{}, RequireNone,
			nil, 2},
		{"a name, and another service",
			rule("from=['10.0.0.0/8']\nservices=['su']", "deny") + rule("", "none"), named,
			RequireNone, nil, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.request.User = "a"
			if c.request.InGroup == nil {
				c.request.InGroup = telling("g")
			}
			d := parse(t, c.rules).Decide(c.request)
			if d.Require != c.require || !slices.Equal(d.Methods, c.methods) || d.Rule != c.rule {
				t.Errorf("got  %+v\nwant %s by %v, rule %d", d, c.require, c.methods, c.rule)
			}
		})
	}
}

// rule writes one down.
func rule(conditions, require string) string {
	word, rest, _ := strings.Cut(require, "\n")
	return fmt.Sprintf("[[rule]]\n%s\nrequire = %q\n%s\n", conditions, word, rest)
}

func TestADecisionSaysWhatWasUnknownAndWhetherThatDecided(t *testing.T) {
	p := parse(t, rule("groups=['Ux']\nfrom=['10.0.0.0/8']", "code")+rule("groups=['Uy']", "none"))
	d := p.Decide(Request{User: "a", From: "gw.example", InGroup: telling()})
	want := []Unknown{
		{2, 6, `group "Uy"`, "the name service is down", true},
		{1, 1, `from "gw.example"`, "not a literal address", false},
	}
	if !slices.Equal(d.Unknown, want) {
		t.Errorf("got  %+v\nwant %+v", d.Unknown, want)
	}
	if got, want := d.Doubts(), `cannot be checked: rule 2, line 6, group "Uy": the name service is down`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	d = parse(t, strings.Repeat(rule("groups=['Ux']", "code"), 5)+rule("", "none")).Decide(
		Request{User: "a", InGroup: telling()})
	if got, want := d.Doubts(), `cannot be checked: rule 5, line 17, group "Ux": the name service is down`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d := (Decision{}); d.Doubts() != "" {
		t.Errorf("a decision without a doubt has %q", d.Doubts())
	}
}

func TestWhatIsUnknownIsOneShortLineHoweverMuchItIs(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "[[rule]]\ngroups = [\"Ua%[1]d\", \"Ub%[1]d\", \"Uc%[1]d\"]\nrequire = %[2]q\n", i, []string{"code", "none"}[i%2])
	}
	noisy := func(string) (bool, error) {
		return false,
			errors.New("\x1b[2J\n" + strings.Repeat("x", 1000))
	}
	d := parse(t, text.String()+rule("", "none")).Decide(Request{User: "a", InGroup: noisy})
	checkPrintable(t, d.Why)
	checkPrintable(t, d.Doubts())
	if d.Require != RequireCode || len(d.Unknown) != 300 ||
		!strings.HasSuffix(d.Doubts(), "more") {
		t.Errorf("got %s with %d unknown conditions: %s", d.Require, len(d.Unknown), d.Doubts())
	}
}

// A question to the name service may need the network, or fail.
func TestNoGroupIsAskedForThatCannotChangeTheDecision(t *testing.T) {
	cases := []struct {
		name, rules, from string
		asked             string
	}{
		{"a rule without groups", rule("", "none") + rule("groups=['g']", "deny"), "", ""},
		{"below a rule that holds",
			rule("groups=['g']", "code") + rule("groups=['h']", "deny"), "", "g"},
		{"another condition excludes the rule",
			rule("from=['::1']\ngroups=['g']", "deny"), "", ""},
		{"above the same, behind an unknown address",
			rule("from=['::1']\ngroups=['g']", "code"), "name", ""},
		{"laxer than what is below, behind an unknown address",
			rule("from=['::1']\ngroups=['g']", "none"), "name", ""},
		{"stricter than what is below, behind an unknown address",
			rule("from=['::1']\ngroups=['g']", "deny"), "name", "g"},
		{"below a rule that may deny",
			rule("from=['::1']", "deny") + rule("groups=['g']", "none"), "name", ""},
		{"below a group that may deny",
			rule("groups=['U']", "deny") + rule("groups=['g']", "none"), "", "U"},
		{"in two rules",
			rule("groups=['h', 'i']", "none") + rule("groups=['i', 'h', 'j']", "deny"), "", "hij"},
		{"in two rules, unknown",
			rule("groups=['U']", "none") + rule("groups=['U']", "none"), "", "U"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			asked := ""
			parse(t, c.rules).Decide(Request{User: "a", From: c.from,
				InGroup: func(group string) (bool, error) {
					asked += group
					return telling("g")(group)
				}})
			if asked != c.asked {
				t.Errorf("asked for %q, not %q", asked, c.asked)
			}
		})
	}
}

// What decides below an unknown rule is found once, not once for each way to get there.
func TestTheCostOfADecisionIsLinearInTheNumberOfUnknownRules(t *testing.T) {
	const rules = 500 // that fit into 64 KiB
	p := parse(t, strings.Repeat(rule("from=['::1']\ngroups=['U']", "deny"), rules))
	d := p.Decide(Request{User: "a", From: "name", InGroup: telling()})
	if d.Require != RequireDeny || len(d.Unknown) != rules+1 {
		t.Errorf("got %s with %d unknown conditions", d.Require, len(d.Unknown))
	}
}
