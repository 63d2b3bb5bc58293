package suite

import (
	"fmt"
	"strings"
)

// Password is every user's.
const Password = "correct horse battery staple"

// User is an account of its own inside one host.
type User struct {
	Name   string
	UID    int
	Secret string // base32, of the authenticator app; empty until enrolled
	host   *Host
}

// hashPassword lets the distribution's own tools hash the password once; yescrypt takes its time.
func (h *Host) hashPassword() error {
	out, err := h.Script("set -e\nuseradd template\necho 'template:" + Password +
		"' | chpasswd\nsed -n 's/^template:\\([^:]*\\):.*/\\1/p' /etc/shadow\nuserdel template\n")
	if err == nil {
		h.hash = strings.TrimSpace(out)
	}
	return err
}

// Users adds n accounts with home folders, at once: the tests need hundreds.
func (h *Host) Users(n int) ([]*User, error) { return h.addUsers(h.names("u", n), "/etc") }

// ForeignUsers adds n accounts that only the second name service knows; /etc/passwd has no line
// for them.
func (h *Host) ForeignUsers(n int) ([]*User, error) {
	return h.addUsers(h.names("x", n), "/var/lib/extrausers")
}

// Named adds one account with that name.
func (h *Host) Named(name string) (*User, error) {
	users, err := h.addUsers([]string{name}, "/etc")
	if err != nil {
		return nil, err
	}
	return users[0], nil
}

// names makes up n names that no user has.
func (h *Host) names(prefix string, n int) []string {
	h.users.Lock()
	defer h.users.Unlock()
	names := make([]string, n)
	for i := range names {
		h.named++
		names[i] = fmt.Sprintf("%s%d", prefix, h.named)
	}
	return names
}

// firstUID is the first user's.
const firstUID = 2000

func (h *Host) addUsers(names []string, dir string) ([]*User, error) {
	h.users.Lock()
	defer h.users.Unlock()
	var passwd, shadow, group, homes strings.Builder
	users := make([]*User, len(names))
	for i, name := range names {
		h.added++
		u := &User{Name: name, UID: firstUID + h.added, host: h}
		fmt.Fprintf(&passwd, "%s:x:%d:%d::/home/%s:/bin/sh\n", u.Name, u.UID, u.UID, u.Name)
		fmt.Fprintf(&shadow, "%s:%s:20000:0:99999:7:::\n", u.Name, h.hash)
		fmt.Fprintf(&group, "%s:x:%d:\n", u.Name, u.UID)
		fmt.Fprintf(&homes, "mkdir -m 700 /home/%s && chown %d:%d /home/%s\n", u.Name, u.UID,
			u.UID, u.Name)
		users[i] = u
	}
	script := "set -e\n" + homes.String()
	for file, text := range map[string]string{"passwd": passwd.String(),
		"shadow": shadow.String(), "group": group.String()} {
		script += fmt.Sprintf("cat >>%s/%s <<'END'\n%sEND\n", dir, file, text)
	}
	_, err := h.Script(script)
	return users, err
}

// User adds one account.
func (h *Host) User() (*User, error) {
	users, err := h.Users(1)
	if err != nil {
		return nil, err
	}
	return users[0], nil
}

// Root is the host's root, who has a password only if a test gave it one.
func (h *Host) Root() *User { return &User{Name: "root", host: h} }

// Lock keeps others from adding users while a test edits the lists of users.
func (h *Host) Lock() { h.users.Lock() }

// Unlock ends Lock.
func (h *Host) Unlock() { h.users.Unlock() }
