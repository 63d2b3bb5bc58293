// Package apparmor answers what AppArmor's profiles allow, as the kernel does: it reads what
// apparmor_parser compiles for the kernel, so that it need not know what profiles are written in.
package apparmor

import (
	"fmt"
	"slices"
	"strings"
)

// Access is what a program does to a file, in AppArmor's own bits.
type Access uint32

// The accesses that profiles tell apart.
const (
	Exec Access = 1 << iota
	Write
	Read
	Append
	Link
	Lock
	Map // into memory, to be run
)

// String returns the accesses as profiles write them.
func (a Access) String() string {
	var b strings.Builder
	for i, letter := range "xwralkm" {
		if a&(1<<i) != 0 {
			b.WriteRune(letter)
		}
	}
	return b.String()
}

// Profile is a compiled profile.
type Profile struct {
	Name   string
	attach *machine // accepts the programs that start under it
	files  *machine // accepts paths, with what may be done to them
	opened bool     // its flags were read, after which come the rules
	// capabilities has a bit for each of the first 32, as capability.h numbers them; nil: not read
	capabilities *uint32
}

// Profiles are those that a system has loaded.
type Profiles []*Profile

// Named returns the profile of that name, nil if there is none.
func (all Profiles) Named(name string) *Profile {
	for _, p := range all {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// others is by how much the bits for other users' files are above those for the owner's.
const others = 14

// bits are what the rules that were compiled say in a state.
func (m *machine) bits(state uint32, owner bool) uint32 {
	bits := m.accept[state]
	if !owner {
		bits >>= others
	}
	return bits & (1<<others - 1)
}

// Allows returns what a program under the profile may do to a path. owner says that the file is
// its own. A directory's path ends in a slash.
func (p *Profile) Allows(path string, owner bool) Access {
	return Access(p.files.bits(p.files.match(start, path), owner)) & (Map<<1 - 1)
}

// AllowsLink reports whether a link to a file may be made.
func (p *Profile) AllowsLink(link, target string, owner bool) bool {
	between := p.files.step(p.files.match(start, link), 0)
	to := Access(p.files.bits(p.files.match(between, target), owner))
	return p.Allows(link, owner)&to&Link != 0
}

// Capabilities that Capable knows, at their numbers.
var capabilityNames = []string{0: "chown", 6: "setgid", 7: "setuid"}

// Capable reports whether a program under the profile may use a capability that it has.
func (p *Profile) Capable(capability string) bool {
	bit := slices.Index(capabilityNames, capability)
	return bit >= 0 && capability != "" && *p.capabilities&(1<<bit) != 0
}

// How a rule for execution goes on, as its bits say it.
const (
	unconfined = 0x80 // where there is no other profile
	inherit    = 0x200
	index      = 0xf << 10
	toNone     = 1 << 10
	toAttached = 2 << 10
)

// Run returns the profile under which a program goes on that runs another, nil for none. A nil p
// is a program under no profile.
func (all Profiles) Run(p *Profile, program string, owner bool) (*Profile, error) {
	if p == nil {
		return all.attached(program), nil
	}
	bits := p.files.bits(p.files.match(start, program), owner)
	if Access(bits)&Exec == 0 {
		return nil, fmt.Errorf("%s may not run %s", p.Name, program)
	}
	switch bits & index {
	case 0, toNone:
	case toAttached:
		if next := all.attached(program); next != nil {
			return next, nil
		}
	default:
		return nil, fmt.Errorf("%s runs %s under a profile by name, which this cannot follow",
			p.Name, program)
	}
	switch {
	case bits&inherit != 0:
		return p, nil
	case bits&unconfined != 0 || bits&index == toNone:
		return nil, nil
	}
	return nil, fmt.Errorf("%s may run %s only under a profile, and it has none", p.Name, program)
}

// attached is the profile of a program, if any.
func (all Profiles) attached(program string) *Profile {
	for _, p := range all {
		if p.attach != nil && p.attach.accept[p.attach.match(start, program)] != 0 {
			return p
		}
	}
	return nil
}
