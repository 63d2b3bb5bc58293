package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"latchkey/pam/policy/value"
	"latchkey/pam/strict"
)

var errNoLookup = errors.New("groups cannot be looked up here")

// told is what the request alone says of the rule: everything but its groups, which may need the
// network.
func (r Rule) told(q Request) finding {
	return r.users(q).and(r.services(q)).and(r.from(q))
}

func (r Rule) users(q Request) finding {
	return listed("user", q.User, r.Users)
}

func (r Rule) services(q Request) finding {
	return listed("service", q.Service, r.Services)
}

// listed is a condition that lists exact names; nil lists none and always holds.
func listed(what, name string, list []string) finding {
	switch {
	case list == nil:
		return finding{is: yes}
	case slices.Contains(list, name):
		return holds(what + " " + strict.Quote(name))
	}
	return finding{is: no}
}

// from is a plain no for a login that comes from nowhere (su, a console). A host name could be
// in any network: anyone who runs the client's DNS chooses it.
func (r Rule) from(q Request) finding {
	switch {
	case r.From == nil:
		return finding{is: yes}
	case q.From == "":
		return finding{is: no}
	}
	address := value.LiteralAddress(q.From)
	if !address.IsValid() {
		return untold("from "+strict.Quote(q.From), "not a literal address")
	}
	i := slices.IndexFunc(r.From, func(n netip.Prefix) bool { return n.Contains(address) })
	if i < 0 {
		return finding{is: no}
	}
	return holds(fmt.Sprintf("from %s in %s", address, r.From[i]))
}

// groups asks about one group after the other until the user is in one. One that cannot be told
// may be the user's.
func (r Rule) groups(member func(group string) (bool, error)) finding {
	if r.Groups == nil {
		return finding{is: yes}
	}
	none := finding{is: no}
	for _, group := range r.Groups {
		in, err := member(group)
		switch {
		case err != nil:
			none.is = unknown
			u := Unknown{Condition: "group " + strict.Quote(group), Why: printable(err.Error())}
			none.unknown = append(none.unknown, u)
		case in:
			return holds("group " + strict.Quote(group))
		}
	}
	return none
}

// explain names the rule and what its conditions came to.
func explain(r Rule, number int, f finding) string {
	why := slices.Clone(f.held)
	for i, u := range f.unknown {
		if i == maxNamed {
			why = append(why, fmt.Sprintf("%d more unknown", len(f.unknown)-i))
			break
		}
		why = append(why, "unknown "+u.Condition)
	}
	if len(why) == 0 {
		why = []string{"no conditions"}
	}
	return fmt.Sprintf("rule %d, line %d, requires %s: %s",
		number, r.Line, r.Require, strings.Join(why, ", "))
}

// maxNamed is how many unknown conditions one line names.
const maxNamed = 2
