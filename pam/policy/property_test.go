package policy

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/method"
)

var seed = flag.Uint64("seed", 0, "of the random policies; 0: a new one")

// FAULTS 35: no matter what is made unknown, the decision is no laxer than any that what is
// unknown may lead to.
func TestNoConditionThatBecomesUnknownMakesADecisionLaxer(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	merged, trusting := 0, 0
	for range 5000 {
		text, w := randomPolicy(r), randomWorld(r)
		p := parse(t, text)
		got := p.Decide(w.request())
		for _, known := range w.known() {
			if want := p.Decide(known.request()); laxer(got, want) {
				t.Fatalf("unknown: %+v\nknown:   %+v\n%+v may be %+v in\n%s", got, want, w, known,
					text)
			}
		}
		if strings.Contains(got.Doubts(), "cannot be checked") {
			merged++
			if got.Trust.Days > 0 {
				trusting++
			}
		}
	}
	if merged < 500 {
		t.Errorf("only %d of these decisions were made stricter", merged)
	}
	if trusting == 0 {
		t.Error("none of those allowed trust")
	}
}

// laxer reports whether a lets anyone in whom b keeps out, or accepts what b does not.
func laxer(a, b Decision) bool {
	order := map[Require]int{RequireNone: 0, RequireCode: 1, RequireDeny: 2}
	if order[a.Require] != order[b.Require] {
		return order[a.Require] < order[b.Require]
	}
	// A computer that is trusted under a's terms needs no code; under other terms it needs one.
	if a.Require == RequireCode && a.Trust.Days > 0 && a.Terms() != b.Terms() {
		return true
	}
	if a.Require == RequireCode && laxerToNewcomers(a.Newcomers, b.Newcomers) {
		return true
	}
	return slices.ContainsFunc(a.Methods,
		func(m method.Method) bool { return !slices.Contains(b.Methods, m) })
}

// laxerToNewcomers reports whether there is a day on which users without a record get further by a
// than by b. The days are those before and after every date of randomPolicy.
func laxerToNewcomers(a, b Newcomers) bool {
	order := map[string]int{"deny": 0, "enroll": 1, "allow": 2, "remind": 2}
	on := func(n Newcomers, day time.Time) int {
		if n.Remind(day) {
			return order["remind"]
		}
		return order[n.Then.String()]
	}
	for _, day := range []int{1, 10, 15, 20, 25} {
		at := time.Date(2027, 1, day, 12, 0, 0, 0, time.UTC)
		if on(a, at) > on(b, at) {
			return true
		}
	}
	return false
}

// What Decision says beyond who is let in by what: every other field has to be combined in
// stricter, compared in same, and looked at by laxer.
func TestEveryFieldOfADecisionIsCombined(t *testing.T) {
	combined := []string{"Require", "Methods", "Trust", "Newcomers"}
	descriptive := []string{"Rule", "Line", "Why", "Unknown"}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Decision]()) {
		if !slices.Contains(slices.Concat(combined, descriptive), field.Name) {
			t.Errorf("%s is not known to be combined by stricter, same and laxer", field.Name)
		}
	}
}

// world is where a login comes from and which groups are the user's; of those that are not in it
// nothing can be told.
type world struct {
	from   string
	member map[string]bool
}

var (
	allGroups = []string{"g", "h", "@n", "i"}
	addresses = []string{"10.1.2.3", "10.9.9.9", "192.0.2.7", "2001:db8::1", "::ffff:10.1.2.3"}
	names     = []string{"gw.example", "999.1.1.1", "10.1.2.3.example", "UNKNOWN"}
)

func (w world) request() Request {
	return Request{User: "a", Service: "s", From: w.from,
		InGroup: func(group string) (bool, error) {
			in, ok := w.member[group]
			if !ok {
				return false, fmt.Errorf("%s cannot be told", group)
			}
			return in, nil
		}}
}

func randomWorld(r *rand.Rand) world {
	w := world{from: pick(r, slices.Concat(addresses, names, []string{""})),
		member: map[string]bool{}}
	for _, g := range allGroups {
		if r.IntN(3) > 0 {
			w.member[g] = r.IntN(2) == 0
		}
	}
	return w
}

// known returns every world that w may be.
func (w world) known() []world {
	all := []world{w}
	if slices.Contains(names, w.from) {
		all = nil
		for _, from := range addresses {
			all = append(all, world{from, w.member})
		}
	}
	for _, group := range allGroups {
		if _, ok := w.member[group]; ok {
			continue
		}
		for _, v := range slices.Clone(all) {
			all = append(all, v.with(group, false), v.with(group, true))
		}
		all = slices.DeleteFunc(all, func(v world) bool { _, ok := v.member[group]; return !ok })
	}
	return all
}

func (w world) with(group string, in bool) world {
	w.member = maps.Clone(w.member)
	w.member[group] = in
	return w
}

// randomPolicy has up to six rules, each with up to three conditions.
func randomPolicy(r *rand.Rand) string {
	text := pick(r, []string{"", "[phone]\nmethods = []\n", "[phone]\nmethods = ['sms']\n"})
	text += pick(r, []string{"", "[trust]\ndays = 7\n", "[trust]\ndays = 7\nbind = ['address']\n"})
	text = pick(r, []string{"", "unenrolled = 'allow'\n", "unenrolled = 'enroll'\n"}) +
		pick(r, []string{"", "enroll_by = 2027-01-10\n", "enroll_by = 2027-01-20\n"}) + text
	for range 1 + r.IntN(6) {
		conditions := pick(r, []string{"", "", "users = ['a', 'b']\n", "users = ['b']\n",
			"services = ['s']\n"})
		if r.IntN(3) == 0 {
			conditions += "from = " + tomlList(
				sample(r, []string{"10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0",
					"192.0.2.7"})) + "\n"
		}
		if r.IntN(3) > 0 {
			conditions += "groups = " + tomlList(sample(r, allGroups)) + "\n"
		}
		require := pick(r, []string{"none", "code", "deny"})
		if require == "code" && r.IntN(2) == 0 {
			require += "\nmethods = " + tomlList(sample(r, method.All()))
		}
		if strings.HasPrefix(require, "code") {
			require += pick(r, []string{"", "", "\ntrust_days = 0", "\ntrust_days = 7",
				"\ntrust_days = 30"})
			require += pick(r, []string{"", "", "\nunenrolled = 'deny'", "\nunenrolled = 'allow'",
				"\nunenrolled = 'enroll'"})
			require += pick(r,
				[]string{"", "", "\nenroll_by = 2027-01-14", "\nenroll_by = 2027-01-20"})
		}
		text += ruleText(conditions, require)
	}
	return text
}

func tomlList[T ~string](items []T) string {
	var quoted []string
	for _, item := range items {
		quoted = append(quoted, fmt.Sprintf("%q", item))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// sample returns one item of the list or more, in any order.
func sample[T any](r *rand.Rand, list []T) []T {
	list = slices.Clone(list)
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:1+r.IntN(len(list))]
}
