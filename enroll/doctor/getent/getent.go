// Package getent asks the name service as getent(1) does; below another root, the files there.
package getent

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

// wait is for one question to the name service.
const wait = 3 * time.Second

// Names is the name service, by way of getent(1), which sees every source that sshd sees; below
// another root, its files.
type Names struct {
	root   string
	groups [][]string // lines of group(5)
	users  map[string]config.User
}

// Below is the name service of a system, of which nothing is read yet.
func Below(root string) *Names { return &Names{root: root, users: map[string]config.User{}} }

// Lines asks for entries of a database by their keys, or for all of them.
func (n *Names) Lines(database string, keys ...string) [][]string {
	text := ""
	if n.root != "" {
		data, _ := os.ReadFile(n.root + "/etc/" + database) // one that is missing names no one
		text = string(data)
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
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

// Read reads all that the name service lists, and these groups, which it may know without
// listing them.
func Read(root string, groups []string) *Names {
	n := Below(root)
	n.groups = n.Lines("group")
	for _, g := range groups {
		is := func(row []string) bool { return row[0] == g }
		if !strings.ContainsAny(g, "*?") && !slices.ContainsFunc(n.groups, is) {
			n.groups = append(n.groups, n.Lines("group", g)...)
		}
	}
	for _, row := range n.Lines("passwd") {
		n.take(row)
	}
	for _, row := range n.groups {
		for _, member := range members(row) {
			n.User(member)
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
func (n *Names) take(row []string) {
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

// User is a user by name, who need not be listed.
func (n *Names) User(name string) (config.User, bool) {
	if _, known := n.users[name]; !known && n.root == "" {
		for _, row := range n.Lines("passwd", name) {
			n.take(row)
		}
	}
	u, known := n.users[name]
	return u, known
}

// All are all users that are known, by name.
func (n *Names) All() []config.User {
	var all []config.User
	for _, u := range n.users {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b config.User) int { return strings.Compare(a.Name, b.Name) })
	return all
}
