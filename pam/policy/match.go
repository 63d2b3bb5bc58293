package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

var errNoLookup = errors.New("groups cannot be looked up here")

// match returns the conditions that held, not nil, if all of the rule's do, and nil if one does not. Groups come last:
// they may need the network.
func (r Rule) match(q Request) (held []string, err error) {
	held = []string{}
	for _, condition := range []func(Request) (string, bool, error){r.users, r.services, r.from, r.groups} {
		why, ok, err := condition(q)
		if err != nil || !ok {
			return nil, err
		}
		if why != "" {
			held = append(held, why)
		}
	}
	return held, nil
}

func (r Rule) users(q Request) (why string, ok bool, err error) {
	if r.Users == nil {
		return "", true, nil
	}
	return "user " + quote(q.User), slices.Contains(r.Users, q.User), nil
}

func (r Rule) services(q Request) (why string, ok bool, err error) {
	if r.Services == nil {
		return "", true, nil
	}
	return "service " + quote(q.Service), slices.Contains(r.Services, q.Service), nil
}

func (r Rule) from(q Request) (why string, ok bool, err error) {
	if r.From == nil {
		return "", true, nil
	}
	address := literalAddress(q.From)
	i := slices.IndexFunc(r.From, func(n netip.Prefix) bool { return n.Contains(address) })
	if i < 0 {
		return "", false, nil
	}
	return fmt.Sprintf("from %s in %s", address, r.From[i]), true, nil
}

// groups asks about one group after the other until the user is in one.
func (r Rule) groups(q Request) (why string, ok bool, err error) {
	if r.Groups == nil {
		return "", true, nil
	}
	for _, group := range r.Groups {
		in, err := q.inGroup(group)
		if err != nil || in {
			return "group " + quote(group), in && err == nil, err
		}
	}
	return "", false, nil
}

func (q Request) inGroup(group string) (bool, error) {
	if q.InGroup == nil {
		return false, errNoLookup
	}
	in, err := q.InGroup(group)
	if err != nil {
		return false, fmt.Errorf("looking up group %s: %w", quote(group), err)
	}
	return in, nil
}

// explain names the rule and the conditions that held.
func explain(r Rule, number int, held []string) string {
	why := "no conditions"
	if len(held) > 0 {
		why = strings.Join(held, ", ")
	}
	return fmt.Sprintf("rule %d, line %d, requires %s: %s", number, r.Line, r.Require, why)
}
