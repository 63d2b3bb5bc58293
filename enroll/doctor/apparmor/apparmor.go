// Package apparmor says what AppArmor does to latchkey's programs on a machine.
package apparmor

import (
	"os"
	"regexp"
	"slices"
	"strings"
)

// loaded is the kernel's list of profiles: a name and a mode in each line.
const loaded = "/sys/kernel/security/apparmor/profiles"

// The modes that matter here.
const (
	Enforce  = "enforce"
	Complain = "complain" // nothing is denied, but for what a profile says must be
)

// Profiles are the modes of latchkey's profiles, by their names.
type Profiles map[string]string

// own are the names of the profiles that come with latchkey for hosts.
var own = []string{"enroll", "latchkey-enroll", "latchkey-fleet", "latchkey-login",
	"latchkey-notify", "latchkey-twilio"}

// Loaded are the profiles that the kernel has. enabled is false where there is no AppArmor, or it
// cannot be asked, as in most containers.
func Loaded(root string) (p Profiles, enabled bool) {
	text, err := os.ReadFile(root + loaded)
	if err != nil {
		return nil, false
	}
	p = Profiles{}
	for line := range strings.Lines(string(text)) {
		name, mode, _ := strings.Cut(strings.TrimSpace(line), " ")
		if slices.Contains(own, name) {
			p[name] = strings.Trim(mode, "()")
		}
	}
	return p, true
}

// In are the names of the profiles in a mode.
func (p Profiles) In(mode string) (names []string) {
	for _, name := range own {
		if p[name] == mode {
			names = append(names, name)
		}
	}
	return names
}

// readable are the folders that the profiles of the login programs let them read.
var readable = regexp.MustCompile(`^/(etc|opt|srv|usr|var)/`)

// local are the files in which a site allows more.
var local = []string{"/etc/apparmor.d/local/usr.libexec.latchkey.latchkey-login",
	"/etc/apparmor.d/local/usr.libexec.latchkey.latchkey-enroll"}

// Unreadable is the file in which a rule is missing that lets the logins read a path of the
// site's; empty: none is missing. A rule counts if it names the path's first folder.
func (p Profiles) Unreadable(root, path string) (file string) {
	if readable.MatchString(path) {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	for i, name := range []string{"latchkey-login", "latchkey-enroll"} {
		text, _ := os.ReadFile(root + local[i]) // there may be none
		if p[name] == Enforce && !strings.Contains(string(text), "/"+first) {
			return local[i]
		}
	}
	return ""
}
