package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/pattern"
)

// Criterion is one condition of a Match line.
type Criterion struct {
	Attribute string // in lower case
	Patterns  string // "" where it has none
}

// bare are the criteria that need no patterns; listed those that need them.
var (
	bare   = []string{"all", "invalid-user"}
	listed = []string{"user", "group", "host", "address", "localaddress", "localport", "rdomain",
		"version"}
)

// parseCriteria reads the conditions of a Match line: "User alice Address 10.0.0.0/8",
// "User=alice", and so on.
func parseCriteria(text string) ([]Criterion, error) {
	rest, err := words(text)
	if err != nil {
		return nil, err
	}
	var all []Criterion
	for len(rest) > 0 {
		attribute, patterns, _ := strings.Cut(rest[0], "=")
		attribute, rest = strings.ToLower(attribute), rest[1:]
		switch {
		case slices.Contains(bare, attribute):
			all = append(all, Criterion{attribute, ""})
			continue
		case !slices.Contains(listed, attribute):
			return nil, fmt.Errorf("the criterion %q is unknown", attribute)
		case patterns == "":
			if rest = trimEquals(rest); len(rest) == 0 {
				return nil, errors.New("nothing follows " + attribute)
			}
			patterns, rest = rest[0], rest[1:]
		}
		all = append(all, Criterion{attribute, patterns})
	}
	return all, nil
}

// trimEquals takes off an equals sign that stands alone or before the first word.
func trimEquals(all []string) []string {
	if len(all) > 0 && all[0] == "=" {
		return all[1:]
	}
	if len(all) > 0 && strings.HasPrefix(all[0], "=") {
		return append([]string{all[0][1:]}, all[1:]...)
	}
	return all
}

// Holds reports whether a criterion is met, as far as that can be told here.
func (c Criterion) Holds(q *Connection) bool {
	switch c.Attribute {
	case "all":
		return true
	case "user":
		return pattern.Names(c.Patterns, q.User.Name) == pattern.Includes
	case "group":
		return inGroups(c.Patterns, q.User.Groups)
	case "host":
		return pattern.Hosts(c.Patterns, q.Host) == pattern.Includes
	case "address":
		return pattern.Addresses(c.Patterns, q.Addr) == pattern.Includes
	case "localaddress":
		return pattern.Addresses(c.Patterns, q.LAddr) == pattern.Includes
	case "localport":
		return Port(c.Patterns) == q.LPort
	case "rdomain":
		return q.RDomain != "" && pattern.Names(c.Patterns, q.RDomain) == pattern.Includes
	case "version":
		return pattern.Names(c.Patterns, q.Release) == pattern.Includes
	}
	return false // invalid-user: users who do not exist cannot log in
}

// inGroups: an exception that fits one of the groups outweighs all others.
func inGroups(patterns string, groups []string) bool {
	found := false
	for _, g := range groups {
		switch pattern.Names(patterns, g) {
		case pattern.Excludes:
			return false
		case pattern.Includes:
			found = true
		}
	}
	return found
}

// Port reads a number or the name of a service; 0 if it is neither.
func Port(text string) int {
	n, err := net.LookupPort("tcp", text)
	if err != nil {
		return 0
	}
	return n
}
