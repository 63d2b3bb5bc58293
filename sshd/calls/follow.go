package calls

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"latchkey/sshd/apparmor"
)

// process is what a thread is at a moment.
type process struct {
	profile *apparmor.Profile // nil: none
	program string
	euid    int
}

// Deed is something that a program under a profile did.
type Deed struct {
	Profile string
	Path    string // as AppArmor sees it
	Access  apparmor.Access
	Target  string // of a link that was made
	Owned   bool   // the file is its own

	Capability string // in place of all of these but the profile
}

// Allowed returns an error unless one of these profiles allows it.
func (d Deed) Allowed(profiles apparmor.Profiles) error {
	p := profiles.Named(d.Profile)
	if p == nil {
		return fmt.Errorf("there is no profile %s", d.Profile)
	}
	if d.Capability != "" {
		if !p.Capable(d.Capability) {
			return fmt.Errorf("%s needs capability %s", d.Profile, d.Capability)
		}
		return nil
	}
	lacks := d.Access &^ p.Allows(d.Path, d.Owned)
	if d.Target != "" && !p.AllowsLink(d.Path, d.Target, d.Owned) {
		lacks = apparmor.Link
	}
	if lacks != 0 {
		return fmt.Errorf("%s needs %s %s", d.Profile, d.Path, lacks)
	}
	if d.Access&apparmor.Exec != 0 {
		_, err := profiles.Run(p, d.Path, d.Owned)
		return err
	}
	return nil
}

// follower goes through a trace.
type follower struct {
	profiles  apparmor.Profiles
	root      string // of the traced processes' files, as this side sees it
	parents   map[int]int
	processes map[int]process
	folders   map[string]bool // paths that were listed, though some may be gone
	deeds     map[Deed]Call
}

// Follow follows the programs of a trace from profile to profile, as the kernel would, and returns
// what they did, each once, with a call that did it. What is traced from the beginning has no
// profile and is root. The root is where this side sees the files of the traced processes.
func Follow(all []Call, profiles apparmor.Profiles, root string) map[Deed]Call {
	f := &follower{profiles: profiles, root: root, parents: parents(all), folders: folders(all),
		processes: map[int]process{}, deeds: map[Deed]Call{}}
	for _, c := range all {
		f.follow(c)
	}
	return f.deeds
}

// bornForm is a child's number, and the same in the name space of the reader.
var bornForm = regexp.MustCompile(`^(\d+)(?: /\* (\d+) in strace's PID NS \*/)?`)

// parents returns which process made each one. A child's calls may end before its parent's.
func parents(all []Call) map[int]int {
	of := map[int]int{}
	for _, c := range all {
		switch c.Name {
		case "clone", "clone3", "fork", "vfork":
			m := bornForm.FindStringSubmatch(c.Result)
			if m == nil {
				continue
			}
			child := m[1]
			if m[2] != "" {
				child = m[2]
			}
			if pid, err := strconv.Atoi(child); err == nil {
				of[pid] = c.PID
			}
		}
	}
	return of
}

func folders(all []Call) map[string]bool {
	listed := map[string]bool{}
	for _, c := range all {
		if c.Name == "getdents64" {
			listed[opened(c.Args[0])] = true
		} else if contains(c.Args, "O_DIRECTORY") {
			listed[opened(c.Result)] = true
		}
	}
	return listed
}

// of is the state of a process, at first that of its parent.
func (f *follower) of(pid int) process {
	p, ok := f.processes[pid]
	if !ok {
		if parent, ok := f.parents[pid]; ok {
			p = f.of(parent)
		}
		f.processes[pid] = p
	}
	return p
}

func (f *follower) follow(c Call) {
	p := f.of(c.PID)
	if needed := c.capability(); needed != "" && p.euid == 0 && p.profile != nil {
		f.deeds[Deed{Profile: p.profile.Name, Capability: needed}] = c
	}
	switch c.Name {
	case "execve", "execveat":
		p = f.run(p, c)
	case "setuid", "setfsuid":
		p.euid = changed(p.euid, c.Args[0])
	case "setreuid", "setresuid":
		p.euid = changed(p.euid, c.Args[1])
	}
	f.processes[c.PID] = p
	if p.profile == nil {
		return
	}
	for _, u := range c.uses() {
		target := ""
		if u.target != "" {
			target = f.resolve(use{path: u.target, parent: true})
		}
		f.did(p, c, f.resolve(u), u.access, target)
	}
}

func changed(euid int, arg string) int {
	if id, err := strconv.Atoi(arg); err == nil && id >= 0 {
		return id
	}
	return euid
}

// run returns a process after its execve. The kernel maps the program under the new profile.
func (f *follower) run(p process, c Call) process {
	arg := 0
	if c.Name == "execveat" {
		arg = 1
	}
	program := p.program
	if asked := named(c.Args, arg); asked != "/proc/self/exe" {
		program = f.resolve(use{path: asked})
	}
	f.did(p, c, program, apparmor.Exec, "")
	if next, err := f.profiles.Run(p.profile, program, f.owns(p, program)); err == nil {
		p.profile = next
	}
	p.program = program
	if info, err := os.Stat(f.root + program); err == nil && info.Mode()&os.ModeSetuid != 0 {
		p.euid = int(info.Sys().(*syscall.Stat_t).Uid)
	}
	f.did(p, c, program, apparmor.Read|apparmor.Map, "")
	return p
}

// did keeps a deed of a process that has a profile.
func (f *follower) did(p process, c Call, file string, access apparmor.Access, target string) {
	if p.profile != nil {
		f.deeds[Deed{Profile: p.profile.Name, Path: file, Access: access, Target: target,
			Owned: f.owns(p, file)}] = c
	}
}

// owns reports whether a file is the process's own. What is gone counts as its own: a temporary
// file, or a process that has ended.
func (f *follower) owns(p process, file string) bool {
	info, err := os.Lstat(f.root + strings.TrimSuffix(file, "/"))
	return err != nil || int(info.Sys().(*syscall.Stat_t).Uid) == p.euid
}

// resolve gives a path as AppArmor sees it: without links, and with a slash after a folder's.
func (f *follower) resolve(u use) string {
	file := u.path
	if !u.resolved {
		if u.parent {
			file = path.Join(f.real(path.Dir(file)), path.Base(file))
		} else {
			file = f.real(file)
		}
	}
	info, err := os.Lstat(f.root + file)
	if file != "/" && (u.folder || f.folders[file] || err == nil && info.IsDir()) {
		file += "/"
	}
	return file
}

// real follows links inside the root, as far as there are files.
func (f *follower) real(file string) string {
	at := "/"
	for parts, links := strings.Split(file, "/"), 0; len(parts) > 0; parts = parts[1:] {
		next := path.Join(at, parts[0])
		target, err := os.Readlink(filepath.Join(f.root, next))
		if err != nil || links > 40 {
			at = next
			continue
		}
		if links++; path.IsAbs(target) {
			at = "/"
		}
		parts = append([]string{""}, append(strings.Split(target, "/"), parts[1:]...)...)
	}
	return at
}
