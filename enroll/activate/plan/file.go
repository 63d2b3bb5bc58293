package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"latchkey/enroll/doctor/stack"
	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/pam/safefile"
)

// sizeLimit is far beyond any file that is edited here.
const sizeLimit = 64 << 10

// find finds the file of a PAM service: the first folder that has it counts.
func (p *planner) find(service string) (file, text string, err error) {
	for _, dir := range pamd.Dirs {
		file = dir + "/" + service
		text, err = p.read(file)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, text, err
		}
	}
	return "", "", fmt.Errorf("PAM service %s has no file: %w", service, fs.ErrNotExist)
}

// include reads a file that a line includes. It is not edited, so it may be a link, as those of
// authselect are, and anywhere.
func (p *planner) include(name string) (text string, err error) {
	paths := []string{name}
	if !path.IsAbs(name) {
		paths = nil
		for _, dir := range pamd.Dirs {
			paths = append(paths, dir+"/"+name)
		}
	}
	for _, file := range paths {
		if text, planned := p.over[file]; planned {
			return text, nil
		}
		data, err := stack.ReadTrusted(p.root + file)
		if !errors.Is(err, fs.ErrNotExist) {
			return string(data), err
		}
	}
	return "", fmt.Errorf("%s is included and not there: %w", name, fs.ErrNotExist)
}

// read reads a file as it is planned. A link is refused: what it leads to may belong to a program
// that writes it again.
func (p *planner) read(file string) (string, error) {
	if text, planned := p.over[file]; planned {
		return text, nil
	}
	if st, err := os.Lstat(p.root + file); err != nil {
		return "", err
	} else if !st.Mode().IsRegular() {
		return "", refuse(file, "not a regular file")
	}
	data, err := safefile.ReadFile(p.root+file, safefile.NotWritable, sizeLimit)
	return string(data), err
}

func (p *planner) isFolder(folder string) bool {
	st, err := os.Stat(p.root + folder)
	return err == nil && st.IsDir()
}
