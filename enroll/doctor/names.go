package doctor

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/enroll/doctor/sshd/config"
)

// nameWait is for one question to the name service.
const nameWait = 3 * time.Second

// names is the name service, by way of getent(1), which sees every source that sshd sees; below
// another root, its files.
type names struct {
	root   string
	groups [][]string // lines of group(5)
	users  map[string]config.User
}

// lines asks for entries of a database by their keys, or for all of them.
func (n *names) lines(database string, keys ...string) [][]string {
	text := ""
	if n.root != "" {
		data, _ := os.ReadFile(n.root + "/etc/" + database) // one that is missing names no one
		text = string(data)
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), nameWait)
		defer cancel()
		args := append([]string{database}, keys...)
		out, _ := exec.CommandContext(ctx, "/usr/bin/getent", args...).Output()
		text = string(out) // also where some keys are unknown
	}
	var rows [][]string
	for line := range strings.Lines(text) {
		rows = append(rows, strings.Split(strings.TrimSpace(line), ":"))
	}
	return rows
}

// newNames reads all that the name service lists, and these groups, which it may know without
// listing them.
func newNames(root string, groups []string) *names {
	n := &names{root: root, users: map[string]config.User{}}
	n.groups = n.lines("group")
	for _, g := range groups {
		is := func(row []string) bool { return row[0] == g }
		if !strings.ContainsAny(g, "*?") && !slices.ContainsFunc(n.groups, is) {
			n.groups = append(n.groups, n.lines("group", g)...)
		}
	}
	for _, row := range n.lines("passwd") {
		n.take(row)
	}
	for _, row := range n.groups {
		for _, member := range members(row) {
			n.user(member)
		}
	}
	return n
}

func members(group []string) []string {
	if len(group) < 4 || group[3] == "" {
		return nil
	}
	return strings.Split(group[3], ",")
}

// take takes down a line of passwd(5), with the groups of that user.
func (n *names) take(row []string) {
	if len(row) < 4 {
		return
	}
	uid, err := strconv.ParseUint(row[2], 10, 32)
	if err != nil {
		return
	}
	u := config.User{Name: row[0], UID: uint32(uid)}
	for _, g := range n.groups {
		if len(g) > 2 && g[2] == row[3] || slices.Contains(members(g), u.Name) {
			u.Groups = append(u.Groups, g[0])
		}
	}
	if _, known := n.users[u.Name]; !known {
		n.users[u.Name] = u
	}
}

// user is a user by name, who need not be listed.
func (n *names) user(name string) (config.User, bool) {
	if _, known := n.users[name]; !known && n.root == "" {
		for _, row := range n.lines("passwd", name) {
			n.take(row)
		}
	}
	u, known := n.users[name]
	return u, known
}

// all are all users that are known, by name.
func (n *names) all() []config.User {
	var all []config.User
	for _, u := range n.users {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b config.User) int { return strings.Compare(a.Name, b.Name) })
	return all
}
