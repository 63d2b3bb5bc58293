package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"latchkey/pam/policy"
	"latchkey/pam/safefile"
)

// aside is what the name of a file that was replaced ends in.
const aside = ".before-restore"

// putFiles puts files back, each whole. One that stood there with another content is kept beside
// it.
func (h Host) putFiles(files []File) (all []Outcome) {
	for _, f := range files {
		o := Outcome{File: folder + "/" + f.Name}
		if err := h.put(f, &o); err != nil {
			o.Result, o.Problem = Failed, err.Error()
		}
		all = append(all, o)
	}
	return all
}

func (h Host) put(f File, o *Outcome) error {
	if f.Name == policyFile {
		// A policy that cannot be read denies every login.
		if _, err := policy.Parse(policy.DefaultPath, f.Text); err != nil {
			return err
		}
	}
	sub, name := path.Split(f.Name)
	if err := h.makeFolder(sub); err != nil {
		return err
	}
	dir, err := safefile.OpenDir(h.Root + folder + "/" + sub)
	if err != nil {
		return err
	}
	defer dir.Close()
	old, err := dir.ReadFile(name, 0, maxText)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && bytes.Equal(old, f.Text):
		o.Result = "unchanged"
		return nil
	case err == nil && sub == "":
		if err := dir.Replace(name+aside, old); err != nil {
			return err
		}
		o.Notes = append(o.Notes, "the one before is "+name+aside)
	}
	o.Result = Restored
	if f.Name == twilioFile {
		return dir.Replace(name, f.Text)
	}
	return dir.ReplacePublic(name, f.Text)
}

// makeFolder makes a folder of /etc/latchkey that everyone may read.
func (h Host) makeFolder(sub string) error {
	name := h.Root + folder + "/" + sub
	if err := os.Mkdir(name, 0o755); errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	return os.Chmod(name, 0o755)
}
