package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// put makes root/etc/latchkey/latchkey.toml and returns root and the file.
func put(t *testing.T, text string) (root, file string) {
	t.Helper()
	root = t.TempDir()
	file = filepath.Join(root, DefaultPath)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return root, file
}

func TestPolicyThatOnlyRootCouldWriteIsLoaded(t *testing.T) {
	root, _ := put(t, "[limits]\ntries = 2\n")
	p, err := Load(root, DefaultPath)
	if err != nil || p.Tries != 2 {
		t.Fatalf("got %+v, %v", p, err)
	}
}

func TestPolicyIsNotLoadedWhen(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(file string) error
		says  string
	}{
		"it is missing": {os.Remove, "no such file"},
		"its group may write it": {func(f string) error { return os.Chmod(f, 0o664) },
			"gives others access"},
		"all may write it": {func(f string) error { return os.Chmod(f, 0o646) },
			"gives others access"},
		"others may write its directory": {func(
			f string) error {
			return os.Chmod(filepath.Dir(f), 0o777)
		}, "writable by others"},
		"others may write a parent directory": {func(
			f string) error {
			return os.Chmod(filepath.Dir(filepath.Dir(f)), 0o777)
		},
			"writable by others"},
		"it is a symbolic link": {func(f string) error {
			if err := os.Rename(f, f+".real"); err != nil {
				return err
			}
			return os.Symlink(f+".real", f)
		}, "too many levels of symbolic links"},
		"it has another name too": {func(f string) error { return os.Link(f, f+".other") },
			"hard links"},
		"it is a directory": {func(f string) error {
			if err := os.Remove(f); err != nil {
				return err
			}
			return os.Mkdir(f, 0o755)
		}, "not a regular file"},
		"it is too long": {func(f string) error {
			return os.WriteFile(f,
				make([]byte, maxFile+1), 0o644)
		}, "longer than"},
		"it does not parse": {func(f string) error {
			return os.WriteFile(f, []byte("\ntrys = 3\n"),
				0o644)
		}, "latchkey.toml:2: "},
	} {
		t.Run(name, func(t *testing.T) {
			root, file := put(t, "")
			if err := c.spoil(file); err != nil {
				t.Fatal(err)
			}
			p, err := Load(root, DefaultPath)
			if err == nil || p != nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, %v; want an error with %q", p, err, c.says)
			}
		})
	}
}
