package safefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

// place returns a directory that passes the checks, with a file that does.
func place(t *testing.T) (dir, file string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "place")
	testroot.Must(t, os.Mkdir(dir, 0o700))
	testroot.Must(t, os.Chmod(filepath.Dir(dir), 0o755))
	file = filepath.Join(dir, "file")
	testroot.Write(t, file, []byte("content"))
	return dir, file
}

func open(dir, name string) error {
	d, err := safefile.OpenDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	f, err := d.Open(name, unix.O_RDONLY, safefile.Private)
	if err != nil {
		return err
	}
	return f.Close()
}

func TestAPlainFileOfOursIsOpened(t *testing.T) {
	dir, _ := place(t)
	if err := open(dir, "file"); err != nil {
		t.Fatal(err)
	}
}

func TestAFileInACheckedDirectoryIsRefused(t *testing.T) {
	cases := []struct {
		name string
		make func(t *testing.T, file string)
		says string
	}{
		{"if it is a FIFO, without waiting for a writer", func(t *testing.T, file string) {
			testroot.Must(t, os.Remove(file))
			testroot.Must(t, unix.Mkfifo(file, 0o600))
		}, "not a regular file"},
		{"if it is a directory", func(t *testing.T, file string) {
			testroot.Must(t, os.Remove(file))
			testroot.Must(t, os.Mkdir(file, 0o700))
		}, "not a regular file"},
		{"if it is a socket", func(t *testing.T, file string) {
			testroot.Must(t, os.Remove(file))
			testroot.Must(t, unix.Mknod(file, unix.S_IFSOCK|0o600, 0))
		}, "no such device or address"},
		{"if it is a symbolic link to a good file", func(t *testing.T, file string) {
			testroot.Must(t, os.Rename(file, file+"2"))
			testroot.Must(t, os.Symlink(file+"2", file))
		}, "too many levels of symbolic links"},
		{"if it is a symbolic link that leads nowhere", func(t *testing.T, file string) {
			testroot.Must(t, os.Remove(file))
			testroot.Must(t, os.Symlink("nowhere", file))
		}, "too many levels of symbolic links"},
		{"if it has a second name", func(t *testing.T, file string) {
			testroot.Must(t, os.Link(file, file+"2"))
		}, "2 hard links"},
		{"if all may read it",
			func(t *testing.T, file string) { testroot.Must(t, os.Chmod(file, 0o644)) },
			"mode 0644"},
		{"if its group may write it",
			func(t *testing.T, file string) { testroot.Must(t, os.Chmod(file, 0o660)) },
			"mode 0660"},
		{"if its group may execute it",
			func(t *testing.T, file string) { testroot.Must(t, os.Chmod(file, 0o610)) },
			"mode 0610"},
		{"if it belongs to somebody else", func(t *testing.T, file string) {
			testroot.GiveAway(t, file)
		}, "owned by uid 65534"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir, file := place(t)
			c.make(t, file)
			err := open(dir, "file")
			if err == nil || !strings.Contains(err.Error(), c.says) ||
				!strings.Contains(err.Error(), file) {
				t.Errorf("got error %v, want one that names the file and says %q", err, c.says)
			}
			if errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v passes for a file that is not there", err)
			}
		})
	}
}

func TestAFileThatMayNotBeReadIsAnError(t *testing.T) {
	dir, file := place(t)
	testroot.Must(t, os.Chmod(file, 0))
	testroot.Unprivileged(t, func() {
		if err := open(dir, "file"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestErrNotExistMeansTheEntryIsMissing(t *testing.T) {
	dir, file := place(t)
	cases := []struct {
		name, dir, file string
		notExist        bool
	}{
		{"a file missing from a checked directory", dir, "other", true},
		{"a file in a directory that is missing", dir + "/missing", "file", false},
		{"a file in a directory that is a file", file, "file", false},
		{"a file below a directory that is a file", file + "/x", "file", false},
		{"a file with a name that is too long", dir, strings.Repeat("x", 10000), false},
		{"the empty name", dir, "", false},
		{"the directory itself", dir, ".", false},
		{"the directory above", dir, "..", false},
		{"a hidden name", dir, ".other", false},
		{"a name with a slash", dir, "a/b", false},
		{"an absolute name", dir, "/nowhere", false},
		{"a name with a NUL", dir, "a\x00b", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := open(c.dir, c.file)
			if err == nil {
				t.Fatal("it was opened")
			}
			if errors.Is(err, fs.ErrNotExist) != c.notExist {
				t.Errorf("%v: passes for not there: %v", err, !c.notExist)
			}
		})
	}
}

func TestNoMoreIsReadThanAllowed(t *testing.T) {
	dir, _ := place(t)
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	if data, err := d.ReadFile("file", safefile.Private, 7); string(data) != "content" ||
		err != nil {
		t.Errorf("a file of just the size: %q, %v", data, err)
	}
	if data, err := d.ReadFile("file", safefile.Private, 6); data != nil || err == nil {
		t.Errorf("a file one byte too long: %q, %v", data, err)
	}
}

// FAULTS 23
func TestAFileThatIsReplacedWhileItIsOpenedIsOpenedAllTheSame(t *testing.T) {
	path, _ := place(t)
	dir, err := safefile.OpenDir(path)
	testroot.Must(t, err)
	defer dir.Close()
	replaced := make(chan error)
	go func() {
		var err error
		for i := 0; i < 300 && err == nil; i++ {
			err = dir.Replace("file", []byte("new"))
		}
		replaced <- err
	}()
	for opened := 0; ; opened++ {
		select {
		case err := <-replaced:
			testroot.Must(t, err)
			if opened == 0 {
				t.Error("it was never opened meanwhile")
			}
			return
		default:
		}
		if _, err := dir.ReadFile("file", safefile.Private, 100); err != nil {
			t.Fatalf("got %v, want none", err)
		}
	}
}
