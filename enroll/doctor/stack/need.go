package stack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Need is a place in PAM's files that needs pam_latchkey: without the module whoever comes to it
// is denied.
type Need struct {
	File     string
	From, To int   // its lines; 0: what the file says is not known
	Err      error // why not
}

// vendor are where some distributions have service files besides Dirs.
var vendor = []string{"/usr/share/pam.d", "/usr/etc/pam.d"}

// ourOwn is the service of enroll, which goes when the module goes.
const ourOwn = "enroll"

// Needs are all places that name the module, by its own name or as a copy of it or a link to it,
// in services of PAM's and in what these include. It is made for the removal of the module, so it
// is generous where Read is strict: a line that PAM does not take, or one that only seems to name
// the module, is a need, and so is a file that cannot be read.
func Needs(root string) []Need {
	s := &search{root: root, seen: map[string]bool{}, known: map[string]bool{}}
	named := map[string]bool{ourOwn: true}
	for _, dir := range slices.Concat(Dirs, vendor) {
		entries, err := os.ReadDir(root + dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.found = append(s.found, Need{File: dir, Err: err})
		}
		for _, e := range entries {
			name := e.Name()
			if path := dir + "/" + name; !named[name] && IsService(name) && exists(root+path) {
				named[name] = true // the first folder that has it counts
				s.file(path)
			}
		}
	}
	s.file("/etc/pam.conf") // most builds of libpam do not read it beside pam.d; some do
	return s.found
}

// leftovers are the ends of names of copies, which editors, package managers and pam-auth-update
// leave beside a file.
var leftovers = []string{"~", "#", ".bak", ".orig", ".old", ".save", ".swp", ".rpmnew", ".rpmsave",
	".rpmorig", ".pam-old", ".pam-new",
	".dpkg-old", ".dpkg-dist", ".dpkg-new", ".dpkg-tmp", ".dpkg-bak", ".ucf-old", ".ucf-dist",
	".ucf-new", ".pacnew", ".pacsave"}

// IsService reports whether a file of that name can be a service: libpam asks for names in lower
// case, and no program's name for itself looks like a copy of a file.
func IsService(name string) bool {
	copied := slices.ContainsFunc(leftovers, func(end string) bool {
		return strings.HasSuffix(name,
			end)
	})
	return !copied && name == strings.ToLower(name) && !strings.HasPrefix(name, ".")
}

// Services are the names of all services below root.
func Services(root string) []string {
	var names []string
	for _, dir := range Dirs {
		entries, _ := os.ReadDir(root + dir) // reading the service says why
		for _, e := range entries {
			if name := e.Name(); IsService(name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

type search struct {
	root  string
	seen  map[string]bool // files that were looked at
	known map[string]bool // modules that were looked at: are they pam_latchkey?
	found []Need
}

// file looks at a file and at all that it includes.
func (s *search) file(path string) {
	if s.seen[path] {
		return
	}
	s.seen[path] = true
	text, err := readAny(s.root+path, largest)
	if errors.Is(err, fs.ErrNotExist) {
		return // PAM does not find it either
	}
	if err != nil {
		s.found = append(s.found, Need{File: path, Err: err})
		return
	}
	s.lines(path, text)
}

// lines looks at what libpam makes of a text: versions before 1.7 pass over empty lines and
// comments behind a backslash.
func (s *search) lines(path, text string) {
	at, open := Need{File: path}, false
	var words []string
	for line := range strings.Lines(text) {
		at.To++
		more, goes := loosely(line)
		if open && !goes && len(more) == 0 {
			continue
		}
		if !open {
			at.From = at.To
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
func (s *search) line(at Need, words []string) {
	if slices.ContainsFunc(words, s.ours) {
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
	for _, dir := range slices.Concat(Dirs, vendor) {
		if exists(s.root + dir + "/" + name) {
			s.file(dir + "/" + name)
			return
		}
	}
}

// exists is true of what cannot be looked at, too, and false of a link that leads nowhere.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Securities are where libpam looks for modules, by distribution.
var Securities = []string{
	"/usr/lib/*/security", "/usr/lib64/security", "/usr/lib/security", "/lib/*/security",
	"/lib64/security", "/lib/security",
}

// ours reports whether a word names the module: by its name, in whatever folder, or by what the
// file is.
func (s *search) ours(word string) bool {
	if filepath.Base(word) == Module {
		return true
	}
	if strings.Contains(word, "=") {
		return false
	}
	if known, ok := s.known[word]; ok {
		return known
	}
	path := strings.ReplaceAll(word, "$ISA", ".")
	files := []string{s.root + path}
	if !filepath.IsAbs(word) {
		files = nil
		for _, dir := range Securities {
			found, _ := filepath.Glob(s.root + dir) // the patterns have no mistakes
			for _, dir := range found {
				files = append(files, dir+"/"+path)
			}
		}
	}
	s.known[word] = slices.ContainsFunc(files, isCopy)
	return s.known[word]
}

// largest is far more than the module has, or any file of PAM's.
const largest = 4 << 20

// isCopy reports whether a file is pam_latchkey, or a link that leads to it: without the login
// program a copy denies everybody as well.
func isCopy(path string) bool {
	if target, err := os.Readlink(path); err == nil && filepath.Base(target) == Module {
		return true
	}
	text, err := readAny(path, largest)
	return err == nil && strings.Contains(text, "pam_sm_authenticate") && strings.Contains(text,
		"/latchkey-login")
}

// readAny reads a file, whoever can write it. Folders and /dev/null are empty for PAM. Nothing
// else is opened: a FIFO would never end, and of a device nobody knows what opening it does.
func readAny(path string, limit int64) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	switch kind := st.Mode & unix.S_IFMT; {
	case kind == unix.S_IFDIR, kind == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3):
		return "", nil
	case kind != unix.S_IFREG:
		return "", errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("longer than %d bytes", limit)
	}
	return string(text), err
}
