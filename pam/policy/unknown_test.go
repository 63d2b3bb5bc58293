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
func TestUnknownConditionGetsTheStricterOfBothOutcomes(t *testing.T) {
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
			ruleText("groups=['U']", "code") + ruleText("", "none"), Request{}, RequireCode,
			method.All(),
			1},
		{"none above code",
			ruleText("groups=['U']", "none") + ruleText("", "code"), Request{}, RequireCode,
			method.All(),
			2},
		{"none above nothing",
			ruleText("groups=['U']", "none"), Request{}, RequireCode, method.All(), 0},
		{"none above none",
			ruleText("groups=['U']", "none") + ruleText("", "none"), Request{}, RequireNone, nil,
			2},
		{"none above deny",
			ruleText("groups=['U']", "none") + ruleText("", "deny"), Request{}, RequireDeny, nil,
			2},
		{"deny above none",
			ruleText("groups=['U']", "deny") + ruleText("", "none"), Request{}, RequireDeny, nil,
			1},
		{"a netgroup",
			ruleText("groups=['@x', 'U']", "deny") + ruleText("", "none"), Request{}, RequireDeny,
			nil, 1},
		{"a group that is the user's beside one that is unknown",
			ruleText("groups=['U', 'g']", "none"), Request{}, RequireNone, nil, 1},
		{"a rule that another condition excludes",
			ruleText("users=['b']\ngroups=['U']", "deny") + ruleText("", "none"), Request{},
			RequireNone,
			nil, 2},
		{"no lookup at all",
			ruleText("groups=['g']", "deny"),
			Request{InGroup: func(string) (bool, error) { return false, errNoLookup }},
			RequireDeny, nil, 1},
		{"only methods that both accept",
			ruleText("groups=['U']", "code"+phones) +
				ruleText("", "code\nmethods=['totp', 'key']"),
			Request{}, RequireCode, []method.Method{method.TOTP}, 1},
		{"methods of the rule below are fewer",
			ruleText("groups=['U']", "code") + ruleText("", "code"+phones), Request{}, RequireCode,
			[]method.Method{method.SMS, method.TOTP}, 2},
		{"methods of the rule above are fewer",
			ruleText("groups=['U']", "code"+phones), Request{}, RequireCode,
			[]method.Method{method.SMS, method.TOTP}, 1},
		{"no method that both accept",
			ruleText("groups=['U']", "code\nmethods=['key']") + ruleText("", "code"+phones),
			Request{},
			RequireDeny, nil, 1},
		{"three rules",
			ruleText("groups=['U']", "none") + ruleText("groups=['U2']", "code\nmethods=['key']") +
				ruleText("", "none"),
			Request{}, RequireCode, []method.Method{method.Key}, 2},
		{"a name in a network that denies",
			ruleText("from=['10.0.0.0/8']", "deny") + ruleText("", "none"), named, RequireDeny,
			nil, 1},
		{"a name in a network that is exempt",
			ruleText("from=['10.0.0.0/8']", "none"), named, RequireCode, method.All(), 0},
		{"a name in all networks",
			ruleText("from=['0.0.0.0/0', '::/0']", "none"), named, RequireCode, method.All(), 0},
		{"no number",
			ruleText("from=['0.0.0.0/0']", "deny") + ruleText("", "none"),
			Request{From: "999.1.1.1"},
			RequireDeny, nil, 1},
		{"a zero before a number",
			ruleText("from=['192.0.2.0/24']", "deny") + ruleText("", "none"),
			Request{From: "010.0.0.1"},
			RequireDeny, nil, 1},
		{"an address and a space",
			ruleText("from=['192.0.2.0/24']", "deny") + ruleText("", "none"),
			Request{From: "10.0.0.1 "},
			RequireDeny, nil, 1},
		{"an address and a name",
			ruleText("from=['192.0.2.0/24']", "deny") + ruleText("", "none"),
			Request{From: "10.0.0.1.example"}, RequireDeny, nil, 1},
		{"a port",
			ruleText("from=['192.0.2.0/24']", "deny") + ruleText("", "none"),
			Request{From: "10.0.0.1:22"},
			RequireDeny, nil, 1},
		{"an address elsewhere",
			ruleText("from=['10.0.0.0/8']", "deny") + ruleText("", "none"),
			Request{From: "192.0.2.7"},
			RequireNone, nil, 2},
		{"an address elsewhere, IPv6",
			ruleText("from=['10.0.0.0/8']", "deny") + ruleText("", "none"),
			Request{From: "2001:db8::1"},
			RequireNone, nil, 2},
		{"no address",
			ruleText("from=['0.0.0.0/0', '::/0']", "deny") + ruleText("", "none"), Request{},
			RequireNone,
			nil, 2},
		{"a name, and another service",
			ruleText("from=['10.0.0.0/8']\nservices=['su']", "deny") + ruleText("", "none"), named,
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

// ruleText writes one down.
func ruleText(conditions, require string) string {
	word, rest, _ := strings.Cut(require, "\n")
	return fmt.Sprintf("[[rule]]\n%s\nrequire = %q\n%s\n", conditions, word, rest)
}

func TestDecisionSaysWhatWasUnknownAndWhetherThatDecided(t *testing.T) {
	p := parse(t, ruleText("groups=['Ux']\nfrom=['10.0.0.0/8']", "code")+ruleText("groups=['Uy']",
		"none"))
	d := p.Decide(Request{User: "a", From: "gw.example", InGroup: telling()})
	want := []Unknown{
		{2, 6, `group "Uy"`, "the name service is down", true},
		{1, 1, `from "gw.example"`, "not a literal address", false},
	}
	if !slices.Equal(d.Unknown, want) {
		t.Errorf("got  %+v\nwant %+v", d.Unknown, want)
	}
	if got, want := d.Doubts(), `cannot be checked: rule 2, line 6, group "Uy": the name `+
		`service is down`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	d = parse(t, strings.Repeat(ruleText("groups=['Ux']", "code"), 5)+ruleText("", "none")).Decide(
		Request{User: "a", InGroup: telling()})
	if got, want := d.Doubts(), `cannot be checked: rule 5, line 17, group "Ux": the name `+
		`service is down`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d := (Decision{}); d.Doubts() != "" {
		t.Errorf("a decision without a doubt has %q", d.Doubts())
	}
}

func TestWhatIsUnknownIsOneShortLineHoweverMuchItIs(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "[[rule]]\ngroups = [\"Ua%[1]d\", \"Ub%[1]d\", \"Uc%[1]d\"]\n"+
			"require = %[2]q\n", i, []string{"code", "none"}[i%2])
	}
	noisy := func(string) (bool, error) {
		return false,
			errors.New("\x1b[2J\n" + strings.Repeat("x", 1000))
	}
	d := parse(t, text.String()+ruleText("", "none")).Decide(Request{User: "a", InGroup: noisy})
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
		{"a rule without groups", ruleText("", "none") + ruleText("groups=['g']", "deny"), "", ""},
		{"below a rule that holds",
			ruleText("groups=['g']", "code") + ruleText("groups=['h']", "deny"), "", "g"},
		{"another condition excludes the rule",
			ruleText("from=['::1']\ngroups=['g']", "deny"), "", ""},
		{"above the same, behind an unknown address",
			ruleText("from=['::1']\ngroups=['g']", "code"), "name", ""},
		{"laxer than what is below, behind an unknown address",
			ruleText("from=['::1']\ngroups=['g']", "none"), "name", ""},
		{"stricter than what is below, behind an unknown address",
			ruleText("from=['::1']\ngroups=['g']", "deny"), "name", "g"},
		{"below a rule that may deny",
			ruleText("from=['::1']", "deny") + ruleText("groups=['g']", "none"), "name", ""},
		{"below a group that may deny",
			ruleText("groups=['U']", "deny") + ruleText("groups=['g']", "none"), "", "U"},
		{"in two rules",
			ruleText("groups=['h', 'i']", "none") + ruleText("groups=['i', 'h', 'j']", "deny"), "",
			"hij"},
		{"in two rules, unknown",
			ruleText("groups=['U']", "none") + ruleText("groups=['U']", "none"), "", "U"},
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
func TestCostOfADecisionIsLinearInTheNumberOfUnknownRules(t *testing.T) {
	const rules = 500 // that fit into 64 KiB
	p := parse(t, strings.Repeat(ruleText("from=['::1']\ngroups=['U']", "deny"), rules))
	d := p.Decide(Request{User: "a", From: "name", InGroup: telling()})
	if d.Require != RequireDeny || len(d.Unknown) != rules+1 {
		t.Errorf("got %s with %d unknown conditions", d.Require, len(d.Unknown))
	}
}
