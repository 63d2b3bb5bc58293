// Package preview lays out a machine as it will be: a folder in which everything leads to the
// machine's own files, but for those that are about to change.
package preview

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/config"
)

// copied are the folders in which files change. What else they have in them is led to one by one.
var copied = []string{"/etc", "/etc/pam.d", "/etc/ssh", "/etc/ssh/sshd_config.d"}

// asks is the folder in the preview with sshd's configuration as sshd itself is asked about it:
// there Include lines lead into the folder.
const asks = "/.sshd"

// Folder is where previews are laid out, for a moment.
const Folder = "/run"

// Preview is such a folder.
type Preview struct{ Root string }

// Make lays the preview of the machine below root out in a new folder within dir. files are those
// that change, by their paths.
func Make(dir, root string, files map[string]string) (Preview, error) {
	folder, err := os.MkdirTemp(dir, "preview-*")
	if err != nil {
		return Preview{}, err
	}
	p := Preview{folder}
	if err := p.fill(root, files); err != nil {
		return p, errors.Join(err, p.Remove())
	}
	return p, nil
}

// Remove removes it. Nothing is followed out of it.
func (p Preview) Remove() error { return os.RemoveAll(p.Root) }

func (p Preview) fill(root string, files map[string]string) error {
	if err := p.link(root, "", files); err != nil {
		return err
	}
	for _, folder := range copied {
		if err := p.link(root, folder, files); err != nil {
			return err
		}
	}
	for path, text := range files {
		if err := write(p.Root+path, text); err != nil {
			return err
		}
	}
	return p.sshd("/etc/ssh/sshd_config")
}

// link leads from the folder's entries to those of the machine, but for what is copied.
func (p Preview) link(root, folder string, files map[string]string) error {
	if err := os.MkdirAll(p.Root+folder, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(root + folder + "/")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := folder + "/" + e.Name()
		if _, changes := files[path]; changes || slices.Contains(copied, path) {
			continue
		}
		if err := os.Symlink(root+path, p.Root+path); err != nil {
			return err
		}
	}
	return nil
}

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Chmod(path, 0o644) // despite the umask
}

// sshd copies a file of sshd's configuration for sshd itself, and what it includes, wherever that
// is. What is missing, or not a file, sshd misses as it would without the preview.
func (p Preview) sshd(path string) error {
	copied := filepath.Clean(p.Root + asks + path)
	if _, err := os.Lstat(copied); err == nil {
		return nil // included by another line
	}
	text, err := os.ReadFile(p.Root + path)
	if err != nil {
		return nil
	}
	redirected, patterns := p.redirected(string(text))
	if err := write(copied, redirected); err != nil {
		return err
	}
	for _, pattern := range patterns {
		files, err := config.Matching(p.Root, pattern)
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := p.sshd(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// redirected is a text of sshd_config with Include lines that lead into the preview. patterns are
// what they name.
func (p Preview) redirected(text string) (redirected string, patterns []string) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		keyword, rest := config.CutKeyword(line)
		if keyword != "include" {
			b.WriteString(line)
			continue
		}
		b.WriteString("Include")
		for _, pattern := range config.Patterns(rest) {
			patterns = append(patterns, pattern)
			b.WriteString(` "` + quoted.Replace(filepath.Clean(p.Root+asks+pattern)) + `"`)
		}
		b.WriteString("\n")
	}
	return b.String(), patterns
}

// quoted is a text as it stands between quotes in sshd_config.
var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// SSHD makes a command that asks the machine's sshd about the configuration of the preview.
func (p Preview) SSHD(ctx context.Context, args ...string) *exec.Cmd {
	if !slices.Contains(args, "-f") && !slices.Contains(args, "-V") {
		args = append(args, "-f", p.Root+asks+"/etc/ssh/sshd_config")
	}
	return Present(ctx, args...)
}

// Program is the machine's sshd.
const Program = "/usr/sbin/sshd"

// Present makes a command that asks it about its configuration as it is now.
func Present(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, Program, args...)
}

// Plain takes the folder's name out of a text, so that it names the machine's own files.
func (p Preview) Plain(text string) string {
	return strings.NewReplacer(p.Root+asks, "", p.Root, "").Replace(text)
}
