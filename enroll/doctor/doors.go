package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"latchkey/enroll/doctor/stack"
)

// door is a PAM service that leads to the same as others.
type door struct {
	service string
	// its program asks for it whether it has a file or not: without one PAM takes "other"
	always bool
}

// doors are services that lead to the same room, so that a code in one of them is worth nothing
// without the others: what a program calls itself depends on how it was called (sudo -i, su -),
// or on what is shown (gdm: a password, a finger, a card).
var doors = [][]door{
	{{"su", false}, {"su-l", true}},
	{{"login", false}, {"remote", false}},
	{{"gdm-password", false}, {"gdm-fingerprint", false}, {"gdm-smartcard", false},
		{"gdm-smartcard-pkcs11-exclusive", false},
		{"gdm-smartcard-sssd-exclusive", false}, {"gdm-smartcard-sssd-or-password", false},
		{"gdm-pin", false}, {"gdm-switchable-auth", false}},
	{{"kde", false}, {"kde-fingerprint", false}, {"kde-smartcard", false}},
}

// isDoor reports whether programs come in by this service, even if others include its file.
func isDoor(name string) bool {
	is := func(d door) bool { return d.service == name }
	return name == "sudo" || name == "sudo-i" || slices.ContainsFunc(doors,
		func(room []door) bool { return slices.ContainsFunc(room, is) })
}

// checkDoors finds services that ask for no code where others do that lead to the same.
func (d Doctor) checkDoors() []Finding {
	var found []Finding
	for _, room := range append(slices.Clone(doors), d.sudo()) {
		found = append(found, d.checkRoom(room)...)
	}
	return append(found, d.checkHelpers()...)
}

func (d Doctor) checkRoom(room []door) (found []Finding) {
	guarded := ""
	var open []string
	for _, of := range room {
		s, err := stack.Read(d.Root, of.service)
		switch {
		// what cannot be read lets no one in; elsewhere doctor says so
		case err != nil || !of.always && !own(s):
		case s.Has():
			guarded = of.service
		case s.LetsIn():
			open = append(open, of.service)
		}
	}
	if guarded == "" {
		return nil
	}
	for _, name := range open {
		found = append(found, fault("PAM service "+name,
			fmt.Errorf("it asks for no code, and %s, which leads to the same place, does",
				guarded),
			below))
	}
	return found
}

// own reports whether the service has a file, and is not what "other" says.
func own(s *stack.Service) bool { return len(s.Files) > 0 && filepath.Base(s.Files[0]) == s.Name }

// sudoOption is how sudoers(5) names a service; for some users or hosts only, if something
// stands right behind Defaults.
var sudoOption = regexp.MustCompile(`(?m)^[ \t]*Defaults([^ \t\n]*)[^#\n]*` +
	`\b(pam_service|pam_login_service|pam_askpass_service)[ \t]*=[ \t]*"?([A-Za-z0-9_.-]+)`)

// sudo is the room that sudo leads to. sudo -i asks for a service of its own.
func (d Doctor) sudo() []door {
	usual := map[string]string{"pam_service": "sudo", "pam_login_service": "sudo-i"}
	var room []door
	for _, m := range sudoOption.FindAllStringSubmatch(d.sudoers(), -1) {
		room = append(room, door{strings.ToLower(m[3]), true})
		if m[1] == "" {
			delete(usual, m[2])
		}
	}
	for _, name := range usual {
		room = append(room, door{name, true})
	}
	slices.SortFunc(room, func(a, b door) int { return strings.Compare(a.service, b.service) })
	return slices.Compact(room)
}

// sudoers is what sudo reads. What root cannot read sudo cannot either.
func (d Doctor) sudoers() string {
	var all strings.Builder
	files, _ := filepath.Glob(d.Root + "/etc/sudoers.d/*") // the pattern has no mistake
	for _, file := range append([]string{d.Root + "/etc/sudoers"}, files...) {
		text, _ := os.ReadFile(file)
		fmt.Fprintf(&all, "%s\n", strings.ReplaceAll(string(text), "\\\n", " "))
	}
	return all.String()
}

// helpers are other programs that make root of users who may use sudo, for the same password, and
// the services by which they ask.
var helpers = []struct{ program, service string }{{"/usr/bin/pkexec", "polkit-1"},
	{"/usr/bin/doas", "doas"}}

func (d Doctor) checkHelpers() (found []Finding) {
	sudo, err := stack.Read(d.Root, "sudo")
	if err != nil || !own(sudo) || !sudo.Has() {
		return nil
	}
	for _, h := range helpers {
		st, err := os.Stat(d.Root + h.program)
		if err != nil || st.Mode()&os.ModeSetuid == 0 {
			continue
		}
		if s, err := stack.Read(d.Root, h.service); err == nil && !s.Has() && s.LetsIn() {
			found = append(found, warning("PAM service "+h.service,
				"it asks for no code, and sudo does: "+h.program+" makes the same users root",
				below))
		}
	}
	return found
}
