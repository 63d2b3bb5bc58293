// Package missing finds the users who could log in and have no second factor.
package missing

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"latchkey/enroll/doctor/getent"
)

// User is one of them; its JSON is an interface.
type User struct {
	Name     string `json:"user"`
	UID      uint32 `json:"uid"`
	Shell    string `json:"shell"`
	Password string `json:"password"` // set, locked, none or unknown; with a key none is needed
}

// noShells are programs that end a login.
var noShells = []string{"nologin", "false", "true", "sync", "halt", "shutdown", "poweroff"}

// usualLeast is the first uid of people where login.defs(5) does not say.
const usualLeast = 1000

// ErrUntold says that the name service lists no one, which cannot be.
var ErrUntold = errors.New("the name service lists no users")

var errCut = errors.New("the name service does not list all users: it is too slow")

// Find lists the users that the name service of a system lists and that have not enrolled, by
// name. System accounts other than root are among them if they have a password. read is called for
// each entry that is read.
func Find(root string, enrolled []string, read func()) (all []User, err error) {
	n := getent.Below(root)
	passwords := map[string]string{}
	for row := range n.Each("shadow") {
		read()
		if len(row) > 1 {
			passwords[row[0]] = kind(row[1], true)
		}
	}
	least, any := leastUID(root), false
	seen := map[string]bool{} // or enrolled
	for _, name := range enrolled {
		seen[name] = true
	}
	for row := range n.Each("passwd") {
		read()
		any = true
		u, ok := user(row, passwords)
		if ok && u.mayLogIn(least) && !seen[u.Name] {
			seen[u.Name] = true
			all = append(all, u)
		}
	}
	switch {
	case !any:
		return nil, ErrUntold
	case n.Cut():
		return nil, errCut
	}
	slices.SortFunc(all, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// user reads a line of passwd(5). passwords has the kinds of those in shadow(5).
func user(row []string, passwords map[string]string) (u User, ok bool) {
	if len(row) < 7 {
		return u, false
	}
	uid, err := strconv.ParseUint(row[2], 10, 32)
	password, told := passwords[row[0]]
	if !told {
		password = kind(row[1], row[1] != "x" && row[1] != "*")
	}
	return User{row[0], uint32(uid), cmp.Or(row[6], "/bin/sh"), password}, err == nil
}

func kind(hash string, told bool) string {
	switch {
	case !told:
		return "unknown"
	case hash == "":
		return "none"
	case strings.HasPrefix(hash, "!") || strings.HasPrefix(hash, "*"):
		return "locked"
	}
	return "set"
}

func (u User) mayLogIn(least uint32) bool {
	if slices.Contains(noShells, filepath.Base(u.Shell)) {
		return false
	}
	return u.UID == 0 || u.UID >= least || u.Password == "set" || u.Password == "none"
}

// leastUID is the first uid of people.
func leastUID(root string) uint32 {
	text, _ := os.ReadFile(root + "/etc/login.defs") // without it the usual one counts
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "UID_MIN" {
			if n, err := strconv.ParseUint(words[1], 10, 32); err == nil {
				return uint32(n)
			}
		}
	}
	return usualLeast
}
