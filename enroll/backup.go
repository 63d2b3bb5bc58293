package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"latchkey/enroll/backup"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/enroll/usage"
	"latchkey/pam/audit"
)

// backup writes users and policy into one encrypted file.
func (p *program) backup(o options.Options) error {
	if err := p.ownUsers(o); err != nil {
		return err
	}
	if _, err := os.Lstat(o.Operand); !errors.Is(err, fs.ErrNotExist) {
		return hint.Error(o.Operand+" exists; nothing was written", "name a new file")
	}
	if _, err := os.Stat(filepath.Dir(o.Operand)); err != nil { // before a passphrase is asked for
		return hint.Error(err.Error()+"; nothing was written", "")
	}
	to, err := backup.Recipients(o.Recipient, o.Recipients, p.newPassphrase)
	if err != nil {
		return err
	}
	b, missing, err := backup.Host{Root: p.root, Keyring: p.keyring, Told: p.counting}.Take()
	if err != nil {
		return err
	}
	b.Version, b.Created = usage.Version, p.clock().UTC().Truncate(1e9)
	b.Host, _ = os.Hostname() // it is only shown
	sum, err := p.writeBackup(o.Operand, b, to)
	if err != nil {
		next := ""
		if errors.Is(err, backup.ErrUserChanged) || errors.Is(err, backup.ErrKeyChanged) {
			next = "start again"
		}
		return hint.Error(fmt.Sprintf("%s was not written: %v", o.Operand, err), next)
	}
	p.logged(audit.Change{What: "backup", Detail: plural.Of(b.Users, "user")})
	if err := p.sayBackup(o, b, missing, sum); err != nil || len(missing) == 0 {
		return err
	}
	return hint.Error(plural.Of(len(missing), "user")+" could not be read and cannot log in; "+
		"the backup has all others", "see why with: enroll list")
}

// newPassphrase asks for a passphrase, twice.
func (p *program) newPassphrase() (string, error) {
	first, err := p.askPassphrase("Passphrase for the backup: ")
	if err != nil {
		return "", err
	}
	again, err := p.askPassphrase("The same again: ")
	switch {
	case err != nil:
		return "", err
	case first != again:
		return "", hint.Error("the two passphrases differ; nothing was written", "start again")
	case backup.Short(first):
		fmt.Fprintln(p.Err, "enroll: warning: that passphrase is short: anyone who has the file "+
			"can try as many as they like")
	}
	return first, nil
}

// askPassphrase asks on standard error, so that standard output is the result alone.
func (p *program) askPassphrase(prompt string) (string, error) {
	defer func(out io.Writer) { p.Out = out }(p.Out)
	p.Out = p.Err
	typed, err := p.AskHidden(prompt)
	if err == nil && typed == "" {
		err = errors.New("an empty passphrase; nothing was done")
	}
	return typed, err
}

// writeBackup writes a new file under a name of its own, and then gives it the one that was asked
// for. It returns the SHA-256 of the file.
func (p *program) writeBackup(path string, b *backup.Taken, to []age.Recipient) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".enroll-backup-*") // mode 0600
	if err != nil {
		return "", err
	}
	remove := func() { os.Remove(f.Name()) }
	defer remove()
	defer p.Until(remove)()
	defer f.Close()
	sum := sha256.New()
	if err := b.Write(io.MultiWriter(f, sum), to...); err != nil {
		return "", err
	}
	if err := f.Sync(); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), os.Rename(f.Name(), path)
}

func (p *program) sayBackup(o options.Options, b *backup.Taken, missing []backup.Missing,
	sum string) error {
	files := []string{}
	for _, f := range b.Files {
		files = append(files, f.Name)
	}
	if o.JSON {
		return writeJSON(p.Out, struct {
			File    string           `json:"file"`
			SHA256  string           `json:"sha256"`
			Users   int              `json:"users"`
			Files   []string         `json:"files"`
			Missing []backup.Missing `json:"missing"`
		}{o.Operand, sum, b.Users, files, append([]backup.Missing{}, missing...)})
	}
	for _, m := range missing {
		fmt.Fprintf(p.Err, "enroll: warning: %s is not in the backup: %s\n", m.User, m.Problem)
	}
	_, err := fmt.Fprintf(p.Out, "%s: %s, the host key, %s\nSHA-256: %s\n", o.Operand,
		plural.Of(b.Users, "user"), plural.Of(len(files), "file"), sum)
	return err
}
