package sshd

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/pattern"
)

// criterion is one condition of a Match line.
type criterion struct {
	attribute string // in lower case
	patterns  string // "" where it has none
}

// bare are the criteria that need no patterns; listed those that need them.
var (
	bare   = []string{"all", "invalid-user"}
	listed = []string{"user", "group", "host", "address", "localaddress", "localport", "rdomain", "version"}
)

// parseCriteria reads the conditions of a Match line: "User alice Address 10.0.0.0/8",
// "User=alice", and so on.
func parseCriteria(text string) ([]criterion, error) {
	all, err := words(text)
	if err != nil {
		return nil, err
	}
	var found []criterion
	for len(all) > 0 {
		attribute, patterns, _ := strings.Cut(all[0], "=")
		attribute, all = strings.ToLower(attribute), all[1:]
		switch {
		case slices.Contains(bare, attribute):
			found = append(found, criterion{attribute, ""})
			continue
		case !slices.Contains(listed, attribute):
			return nil, fmt.Errorf("the criterion %q is unknown", attribute)
		case patterns == "":
			if all = trimEquals(all); len(all) == 0 {
				return nil, errors.New("nothing follows " + attribute)
			}
			patterns, all = all[0], all[1:]
		}
		found = append(found, criterion{attribute, patterns})
	}
	return found, nil
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

// holds reports whether a criterion is met, as far as that can be told here.
func (c criterion) holds(q *connection) bool {
	switch c.attribute {
	case "all":
		return true
	case "user":
		return pattern.Names(c.patterns, q.user.Name) == pattern.Includes
	case "group":
		return inGroups(c.patterns, q.user.Groups)
	case "host":
		return pattern.Hosts(c.patterns, q.host) == pattern.Includes
	case "address":
		return pattern.Addresses(c.patterns, q.addr) == pattern.Includes
	case "localaddress":
		return pattern.Addresses(c.patterns, q.laddr) == pattern.Includes
	case "localport":
		return port(c.patterns) == q.lport
	case "rdomain":
		return q.rdomain != "" && pattern.Names(c.patterns, q.rdomain) == pattern.Includes
	case "version":
		return pattern.Names(c.patterns, q.release) == pattern.Includes
	}
	return false // invalid-user: who does not exist cannot log in
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

// port reads a number or the name of a service; 0 if it is neither.
func port(text string) int {
	n, err := net.LookupPort("tcp", text)
	if err != nil {
		return 0
	}
	return n
}
