package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/pam/safefile"
)

// sizeLimit is far beyond any file that is edited here.
const sizeLimit = 64 << 10

// find finds the file of a PAM service: the first folder that has it counts.
func (p *planner) find(service string) (path, text string, err error) {
	for _, dir := range pamd.Dirs {
		path = dir + "/" + service
		text, err = p.read(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return path, text, err
		}
	}
	return "", "", fmt.Errorf("PAM service %s has no file: %w", service, fs.ErrNotExist)
}

// read reads a file as it is planned. A link is refused: what it leads to may belong to a program
// that writes it again.
func (p *planner) read(path string) (string, error) {
	if text, planned := p.over[path]; planned {
		return text, nil
	}
	if st, err := os.Lstat(p.root + path); err != nil {
		return "", err
	} else if !st.Mode().IsRegular() {
		return "", refuse(path, "not a regular file")
	}
	data, err := safefile.ReadFile(p.root+path, safefile.NotWritable, sizeLimit)
	return string(data), err
}

func (p *planner) isFolder(path string) bool {
	st, err := os.Stat(p.root + path)
	return err == nil && st.IsDir()
}
