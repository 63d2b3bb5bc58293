package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/pam/safefile"
)

const (
	fileLimit  = 64 << 10
	linesLimit = 10000 // files that include each other could make any number
)

// Read reads a service below root, which is empty but in tests. The error matches fs.ErrNotExist
// if neither the service nor "other", which libpam falls back to, is there.
func Read(root, service string) (*Service, error) {
	return read(&reader{root: root, dirs: pamd.Dirs, open: ReadTrusted}, service)
}

// ReadAnyones is Read for files that anyone may own and write: libpam does not look at that.
func ReadAnyones(root, service string) (*Service, error) {
	open := func(file string) ([]byte, error) {
		text, err := pamd.Read(file, fileLimit)
		return []byte(text), err
	}
	return read(&reader{root: root, dirs: pamd.Dirs, open: open}, service)
}

// ReadOver is Read as if these files, by their paths below root, had this content.
func ReadOver(root, service string, files map[string]string) (*Service, error) {
	open := func(file string) ([]byte, error) {
		if text, planned := files[strings.TrimPrefix(file, root)]; planned {
			return []byte(text), nil
		}
		return ReadTrusted(file)
	}
	return read(&reader{root: root, dirs: pamd.Dirs, open: open}, service)
}

func read(r *reader, service string) (*Service, error) {
	s, err := r.service(pamd.ServiceName(service))
	if err == nil {
		s.inspect(r.root)
	}
	return s, err
}

func (r *reader) service(name string) (*Service, error) {
	missing := r.file(name, "", 0, 0)
	if missing != nil && !errors.Is(missing, fs.ErrNotExist) {
		return nil, missing
	}
	s := &Service{Name: name}
	s.take(r.lines)
	if name != pamd.Fallback {
		err := s.fallBack(r)
		if len(s.Auth) == 0 && err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil && missing != nil {
			return nil, missing
		}
	}
	s.Files = r.files
	return s, nil
}

// fallBack takes from "other" what the service has nothing for, each type by itself.
func (s *Service) fallBack(r *reader) error {
	if s.whole() {
		return nil
	}
	other := &reader{root: r.root, dirs: r.dirs, open: r.open}
	err := other.file(pamd.Fallback, "", 0, 0)
	if err != nil {
		return err
	}
	rest := &Service{}
	rest.take(other.lines)
	if len(s.Auth) == 0 {
		r.files = append(r.files, other.files...)
	}
	for kind := range pamd.Types {
		if its := s.stack(kind); len(*its) == 0 {
			*its = *rest.stack(kind)
		}
	}
	return nil
}

type reader struct {
	root  string
	dirs  []string
	open  func(file string) ([]byte, error)
	lines []*Line
	files []string
}

// file reads the lines of one type, or all if only is empty. An absolute name is a path.
func (r *reader) file(name string, only pamd.Type, depth, level int) error {
	if depth >= depthLimit {
		return fmt.Errorf("includes are nested more than %d deep", depthLimit)
	}
	file, data, err := r.find(name)
	if err != nil {
		return err
	}
	r.files = append(r.files, file)
	lines, err := pamd.Lines(string(data))
	if err != nil {
		return fmt.Errorf("%s:%w", file, err)
	}
	for _, l := range lines {
		if err := r.line(file, l, only, depth, level); err != nil {
			return err
		}
	}
	return nil
}

// find opens the file as libpam does: the first folder that has it counts. Others must not be able
// to write it.
func (r *reader) find(name string) (string, []byte, error) {
	candidates := []string{name}
	if !path.IsAbs(name) {
		candidates = nil
		for _, dir := range r.dirs {
			candidates = append(candidates, dir+"/"+name)
		}
	}
	for _, candidate := range candidates {
		data, err := r.open(r.root + candidate)
		if !errors.Is(err, fs.ErrNotExist) {
			return candidate, data, err
		}
	}
	return "", nil, fmt.Errorf("no PAM file %q: %w", name, fs.ErrNotExist)
}

// ReadTrusted reads a file, or what a link leads to, that others cannot write.
func ReadTrusted(file string) ([]byte, error) {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil, err
	}
	return safefile.ReadFile(real, safefile.NotWritable, fileLimit)
}

// line adds what one line of a file says: a module, or the lines of another file.
func (r *reader) line(file string, l pamd.Line, only pamd.Type, depth, level int) error {
	at := func(err error) error { return fmt.Errorf("%s:%d: %w", file, l.Number, err) }
	e, err := l.Parse()
	if err != nil {
		return at(err)
	}
	if only != "" && e.Type != "" && e.Type != only {
		return nil
	}
	here := &Line{File: file, Number: l.Number, Type: e.Type, level: level}
	if e.Include == "" {
		here.Module, here.Args, here.control = e.Module, e.Args, e.Control
		return r.add(here, at)
	}
	if here.Type == "" {
		here.Type = only
	}
	if e.Substack {
		here.substack = true
		if err := r.add(here, at); err != nil {
			return err
		}
		level++
	}
	err = r.file(e.Include, here.Type, depth+1, level)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s:%d: %v", file, l.Number, err) // what is missing is not the service
	}
	return err
}

func (r *reader) add(l *Line, at func(error) error) error {
	if len(r.lines) >= linesLimit {
		return at(fmt.Errorf("more than %d lines", linesLimit))
	}
	r.lines = append(r.lines, l)
	return nil
}
