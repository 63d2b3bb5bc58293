package safefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

func TestADirectory(t *testing.T) {
	cases := []struct {
		name string
		make func(t *testing.T, dir string)
		says string // "": it is opened
	}{
		{"of ours is opened", func(t *testing.T, dir string) {}, ""},
		{"that others may write is refused", chmod(".", 0o702), "writable by others"},
		{"that its group may write is refused", chmod(".", 0o770), "writable by others"},
		{"that is sticky is refused all the same", chmod(".", 0o1777), "writable by others"},
		{"whose parent is writable by its group is refused", chmod("..", 0o775),
			"writable by others"},
		{"whose parent is writable by all is refused", chmod("..", 0o777), "writable by others"},
		{"whose parent is writable by all but sticky is opened", chmod("..", 0o1777), ""},
		{"that belongs to somebody else is refused", chown("."), "owned by uid 65534"},
		{"whose parent belongs to somebody else is refused", chown(".."), "owned by uid 65534"},
		{"whose sticky parent belongs to somebody else is refused",
			func(t *testing.T, dir string) {
				chown("..")(t, dir)
				chmod("..", 0o1777)(t, dir)
			}, "owned by uid 65534"},
		{"that is missing is an error", func(t *testing.T, dir string) {
			testroot.Must(t, os.RemoveAll(dir))
		}, "no such file or directory"},
		{"that is a file is refused", func(t *testing.T, dir string) {
			testroot.Must(t, os.RemoveAll(dir))
			testroot.Write(t, dir, nil)
		}, "not a directory"},
		{"that is a symbolic link to a good one is opened", func(t *testing.T, dir string) {
			testroot.Must(t, os.Rename(dir, dir+"2"))
			testroot.Must(t, os.Symlink(dir+"2", dir))
		}, ""},
		{"that is a symbolic link to one others may write is refused",
			func(t *testing.T, dir string) {
				chmod(".", 0o777)(t, dir)
				testroot.Must(t, os.Rename(dir, dir+"2"))
				testroot.Must(t, os.Symlink(dir+"2", dir))
			}, "writable by others"},
		{"that is a symbolic link into a place others may write is refused",
			func(t *testing.T, dir string) {
				open := filepath.Join(filepath.Dir(dir), "open")
				testroot.Must(t, os.Mkdir(open, 0o700))
				testroot.Must(t, os.Chmod(open, 0o777))
				testroot.Must(t, os.Rename(dir, open+"/dir"))
				testroot.Must(t, os.Symlink(open+"/dir", dir))
			}, "writable by others"},
		{"that is a symbolic link to itself is refused", func(t *testing.T, dir string) {
			testroot.Must(t, os.RemoveAll(dir))
			testroot.Must(t, os.Symlink(dir, dir))
		}, "too many levels of symbolic links"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir, _ := place(t)
			c.make(t, dir)
			err := openDir(dir)
			if c.says == "" && err != nil ||
				c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got error %v, want one that says %q", err, c.says)
			}
			if errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v passes for a file that is not there", err)
			}
		})
	}
}

func chmod(what string, mode uint32) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		testroot.Must(t, os.Chmod(filepath.Join(dir, what), fs.FileMode(mode&0o777)|sticky(mode)))
	}
}

func sticky(mode uint32) fs.FileMode {
	if mode&0o1000 != 0 {
		return fs.ModeSticky
	}
	return 0
}

func chown(what string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		testroot.GiveAway(t, filepath.Join(dir, what))
	}
}

func openDir(path string) error {
	d, err := safefile.OpenDir(path)
	if err == nil {
		d.Close()
	}
	return err
}

func TestADirectoryThatMayNotBeReadOrReachedIsAnError(t *testing.T) {
	for _, what := range []string{".", ".."} {
		dir, _ := place(t)
		chmod(what, 0)(t, dir)
		testroot.Unprivileged(t, func() {
			if err := openDir(dir); err == nil ||
				!strings.Contains(err.Error(), "permission denied") ||
				errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: error is %v", what, err)
			}
		})
		chmod(what, 0o700)(t, dir)
	}
}

func TestADirectoryInADirectory(t *testing.T) {
	cases := []struct {
		name string
		make func(t *testing.T, sub string)
		says string
	}{
		{"is opened", func(t *testing.T, sub string) {}, ""},
		{"is refused if it is a symbolic link", func(t *testing.T, sub string) {
			testroot.Must(t, os.Rename(sub, sub+"2"))
			testroot.Must(t, os.Symlink(sub+"2", sub))
		}, "open directory"},
		{"is refused if others may write it", chmod(".", 0o777), "writable by others"},
		{"is refused if it is sticky and others may write it", chmod(".", 0o1777),
			"writable by others"},
		{"is refused if it belongs to somebody else", chown("."), "owned by uid 65534"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir, _ := place(t)
			testroot.Must(t, os.Mkdir(dir+"/sub", 0o700))
			c.make(t, dir+"/sub")
			d, err := safefile.OpenDir(dir)
			testroot.Must(t, err)
			defer d.Close()
			sub, err := d.Sub("sub")
			if err == nil {
				sub.Close()
			}
			if c.says == "" && err != nil ||
				c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got error %v, want one that says %q", err, c.says)
			}
		})
	}
}

func TestNamesLeavesOutTemporaryFiles(t *testing.T) {
	dir, _ := place(t)
	testroot.Write(t, dir+"/.new-0123", nil)
	testroot.Write(t, dir+"/other", nil)
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	names, err := d.Names()
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{"file", "other"}) {
		t.Errorf("names are %q, %v", names, err)
	}
}
