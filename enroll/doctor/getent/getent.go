// Package getent asks the name service as getent(1) does; below another root, the files there.
package getent

import (
	"bufio"
	"io"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"latchkey/enroll/doctor/sshd/config"
)

// wait is how long the name service may be silent.
const wait = 3 * time.Second

// Names is the name service, by way of getent(1), which sees every source that sshd sees; below
// another root, its files.
type Names struct {
	root   string
	groups [][]string // lines of group(5)
	// The numbers of the groups with a gid, and of those that list a member.
	byGID, byMember map[string][]int
	users           map[string]config.User
	cut             atomic.Bool
}

// Below is the name service of a system, of which nothing is read yet.
func Below(root string) *Names { return &Names{root: root, users: map[string]config.User{}} }

// Lines asks for entries of a database by their keys, or for all of them.
func (n *Names) Lines(database string, keys ...string) (rows [][]string) {
	for row := range n.Each(database, keys...) {
		rows = append(rows, row)
	}
	return rows
}

// Each is Lines, one by one: there may be a million.
func (n *Names) Each(database string, keys ...string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		from, end := n.open(database, keys)
		defer end()
		for lines := bufio.NewReader(from); ; {
			line, err := lines.ReadString('\n')
			if line != "" && !yield(strings.Split(strings.TrimSpace(line), ":")) || err != nil {
				return
			}
		}
	}
}

// open is the text of a database, to be read until end is called. What is missing names no one,
// and some keys may be unknown.
func (n *Names) open(database string, keys []string) (text io.Reader, end func()) {
	nothing := strings.NewReader("")
	if n.root != "" {
		f, err := os.Open(n.root + "/etc/" + database)
		if err != nil {
			return nothing, func() {}
		}
		return f, func() { f.Close() }
	}
	cmd := exec.Command("/usr/bin/getent", append([]string{database}, keys...)...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nothing, func() {}
	}
	return patient{out, cmd.Process, &n.cut}, func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// patient reads what a process writes as long as it is not silent for long.
type patient struct {
	io.Reader
	from *os.Process
	cut  *atomic.Bool
}

func (p patient) Read(b []byte) (int, error) {
	defer time.AfterFunc(wait, func() {
		p.cut.Store(true)
		p.from.Kill()
	}).Stop()
	return p.Reader.Read(b)
}

// Cut reports whether an answer was cut off, because the name service was silent for too long.
func (n *Names) Cut() bool { return n.cut.Load() }

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
	n.index()
	for row := range n.Each("passwd") {
		n.take(row)
	}
	for _, row := range n.groups {
		for _, member := range members(row) {
			n.User(member)
		}
	}
	return n
}

// index notes who is in which groups.
func (n *Names) index() {
	n.byGID, n.byMember = map[string][]int{}, map[string][]int{}
	for i, g := range n.groups {
		if len(g) > 2 {
			n.byGID[g[2]] = append(n.byGID[g[2]], i)
		}
		for _, member := range members(g) {
			n.byMember[member] = append(n.byMember[member], i)
		}
	}
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
	if _, known := n.users[row[0]]; known {
		return
	}
	u := config.User{Name: row[0], UID: uint32(uid)}
	in := slices.Concat(n.byGID[row[3]], n.byMember[row[0]])
	slices.Sort(in)
	for _, i := range slices.Compact(in) {
		u.Groups = append(u.Groups, n.groups[i][0])
	}
	n.users[u.Name] = u
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
