package stack

import (
	"path/filepath"
	"slices"
	"strings"

	"latchkey/enroll/doctor/stack/pamd"
)

// inspect looks at the modules themselves: which are copies of pam_latchkey under another name,
// and which are not there.
func (s *Service) inspect(root string) {
	modules := pamd.ModulesBelow(root)
	dirs := moduleDirs(root)
	for kind := range pamd.Types {
		for _, l := range *s.stack(kind) {
			if l.substack {
				continue
			}
			l.copied = l.role() == unknown && modules.Ours(l.Module)
			l.absent = len(dirs) > 0 && !slices.ContainsFunc(l.files(root, dirs), pamd.Exists)
		}
	}
}

// moduleDirs are the folders below root in which libpam's own modules are; none if that cannot be
// told.
func moduleDirs(root string) (dirs []string) {
	for _, pattern := range pamd.Securities {
		found, _ := filepath.Glob(root + pattern) // the patterns have no mistakes
		for _, dir := range found {
			if pamd.Exists(dir+"/pam_unix.so") && pamd.Exists(dir+"/pam_permit.so") {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// files are where the module can be.
func (l *Line) files(root string, dirs []string) (files []string) {
	path := strings.ReplaceAll(l.Module, "$ISA", ".")
	if filepath.IsAbs(path) {
		return []string{root + path}
	}
	for _, dir := range dirs {
		files = append(files, dir+"/"+path)
	}
	return files
}

// Missing are the first lines of auth and account whose module is not on this machine, where that
// keeps everyone out.
func (s *Service) Missing() (lines []*Line) {
	for _, all := range []Stack{s.Auth, s.Account} {
		missing := slices.IndexFunc(all, func(l *Line) bool { return l.absent })
		if missing >= 0 && !passable(s.Name, all) {
			lines = append(lines, all[missing])
		}
	}
	return lines
}

// LetsIn reports whether a login can succeed by the service's auth stack, with the modules that
// there are.
func (s *Service) LetsIn() bool { return passable(s.Name, s.Auth) }

// Admits reports whether anyone passes the service's account stack, with the modules that there
// are.
func (s *Service) Admits() bool { return passable(s.Name, s.Account) }

func passable(name string, all Stack) bool {
	s := &Service{Name: name, Auth: all, asInstalled: true}
	w := s.explore(func(*Line) bool { return false })
	return slices.ContainsFunc(w.nodes, func(n node) bool { return n.ended(all) && n.passes() })
}

// AsksPassword reports whether the service lets in with a right password, or what stands in for
// it, and not without.
func (s *Service) AsksPassword() (lets, asks bool) {
	w := s.explore(func(l *Line) bool { return l.role() == password || l.role() == unknown })
	asks = true
	for _, n := range w.nodes {
		if n.ended(s.Auth) && n.passes() {
			lets, asks = true, asks && n.checked
		}
	}
	return lets, asks
}
