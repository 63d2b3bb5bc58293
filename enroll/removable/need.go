package removable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"latchkey/enroll/doctor/stack/pamd"
)

// need is a place in PAM's files that needs pam_latchkey: without the module users who come to
// it are denied.
type need struct {
	file     string
	from, to int   // its lines; 0: what the file says is not known
	err      error // why not
}

// needsBelow are all places that name the module, by its own name or as a copy of it or a link to
// it, in services of PAM's and in what these include. It is made for the removal of the module,
// so it is generous where stack.Read is strict: a line that PAM does not take, or one that only
// seems to name the module, is a need, and so is a file that cannot be read.
func needsBelow(root string) []need {
	s := &search{root: root, seen: map[string]bool{}, modules: pamd.ModulesBelow(root)}
	named := map[string]bool{pamd.Enroll: true}
	for _, dir := range slices.Concat(pamd.Dirs, pamd.Vendor) {
		entries, err := os.ReadDir(root + dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.found = append(s.found, need{file: dir, err: err})
		}
		for _, e := range entries {
			name := e.Name()
			if path := dir + "/" + name; !named[name] && pamd.IsService(name) &&
				pamd.Exists(root+path) {
				named[name] = true // the first folder that has it counts
				s.file(path)
			}
		}
	}
	s.file("/etc/pam.conf") // most builds of libpam do not read it beside pam.d; some do
	return s.found
}

type search struct {
	root    string
	seen    map[string]bool // files that were looked at
	modules *pamd.Modules
	found   []need
}

// file looks at a file and at all that it includes.
func (s *search) file(path string) {
	if s.seen[path] {
		return
	}
	s.seen[path] = true
	text, err := pamd.Read(s.root+path, pamd.Largest)
	if errors.Is(err, fs.ErrNotExist) {
		return // PAM does not find it either
	}
	if err != nil {
		s.found = append(s.found, need{file: path, err: err})
		return
	}
	s.lines(path, text)
}

// lines looks at what libpam makes of a text: versions before 1.7 pass over empty lines and
// comments behind a backslash.
func (s *search) lines(path, text string) {
	at, open := need{file: path}, false
	var words []string
	for line := range strings.Lines(text) {
		at.to++
		more, goes := loosely(line)
		if open && !goes && len(more) == 0 {
			continue
		}
		if !open {
			at.from = at.to
		}
		if words, open = append(words, more...), goes; !open {
			s.line(at, words)
			words = nil
		}
	}
	s.line(at, words)
}

// loosely splits a line that may not be one of PAM's. goes: the next one belongs to it.
func loosely(line string) (words []string, goes bool) {
	text, _, comment := strings.Cut(line, "#")
	text = strings.TrimSpace(text)
	if !comment {
		text, goes = strings.CutSuffix(text, `\`)
	}
	return strings.Fields(strings.NewReplacer("[", " ", "]", " ", "\x00", " ").Replace(text)), goes
}

// line looks at the words of one line. Where the name stands does not matter: pam.conf has one
// word more.
func (s *search) line(at need, words []string) {
	if slices.ContainsFunc(words, s.modules.Ours) {
		s.found = append(s.found, at)
	}
	for i, word := range words[:max(0, len(words)-1)] {
		switch strings.ToLower(word) {
		case "include", "substack", "@include", "-@include":
			s.include(words[i+1])
		}
	}
}

func (s *search) include(name string) {
	if filepath.IsAbs(name) {
		s.file(name)
		return
	}
	for _, dir := range slices.Concat(pamd.Dirs, pamd.Vendor) {
		if pamd.Exists(s.root + dir + "/" + name) {
			s.file(dir + "/" + name)
			return
		}
	}
}
