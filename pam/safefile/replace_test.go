package safefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	testroot.Must(t, err)
	var names []string
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return names
}

func TestReplacedFileIsWholeAndPrivateUnderAnyUmask(t *testing.T) {
	for _, umask := range []int{0, 0o077, 0o777} {
		dir, file := place(t)
		testroot.Must(t, os.Chmod(file, 0o666))
		before := unix.Umask(umask)
		err := replace([]string{dir, "file", "new content"})
		unix.Umask(before)
		testroot.Must(t, err)
		st, err := os.Lstat(file)
		testroot.Must(t, err)
		if st.Mode() != 0o600 || string(testroot.Read(t, file)) != "new content" {
			t.Errorf("umask %03o: mode %v, %q", umask, st.Mode(), testroot.Read(t, file))
		}
		if names := entries(t, dir); !slices.Equal(names, []string{"file"}) {
			t.Errorf("umask %03o: the directory has %q", umask, names)
		}
	}
}

func TestAFileOverTheSizeLimitIsAnErrorAndLeavesTheOldOne(t *testing.T) {
	dir, file := place(t)
	testroot.Unchanged(t, file)
	out, err := testroot.Role(nil, "replace small", dir, "file",
		strings.Repeat("x", 8192)).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "file too large") {
		t.Errorf("%v: %s", err, out)
	}
	if names := entries(t, dir); !slices.Equal(names, []string{"file"}) {
		t.Errorf("the directory has %q", names)
	}
}

func TestAFailedReplaceLeavesTheOldFileAndNoTemporary(t *testing.T) {
	cases := []struct{ name, call, errno string }{
		{"when the disk is full", "write", "ENOSPC"},
		{"when the quota is used up", "write", "EDQUOT"},
		{"when the flush fails", "fsync", "EIO"},
		{"when the flush of the directory fails", "fsync", "EIO:when=2"},
		{"when the rename fails", "renameat2", "EACCES"},
		{"when the mode cannot be set", "fchmod", "EPERM"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir, file := place(t)
			testroot.Unchanged(t, file)
			out, failed := testroot.FailCall(t, c.call, c.errno, "replace", dir, "file", "new")
			if !failed {
				t.Errorf("it says that it worked: %s", out)
			}
			if names := entries(t, dir); !slices.Equal(names, []string{"file"}) {
				t.Errorf("the directory has %q", names)
			}
		})
	}
}

func TestNewFileIsAbsentAfterAFailedReplace(t *testing.T) {
	for _, when := range []string{"1", "2"} {
		dir, _ := place(t)
		out, failed := testroot.FailCall(t, "fsync", "EIO:when="+when, "replace", dir,
			"other", "new")
		if !failed {
			t.Errorf("flush %s: it says that it worked: %s", when, out)
		}
		if names := entries(t, dir); !slices.Equal(names, []string{"file"}) {
			t.Errorf("flush %s: the directory has %q", when, names)
		}
	}
}

func TestAReplaceWorksWhereFilesCannotBeExchanged(t *testing.T) {
	dir, file := place(t)
	out, failed := testroot.FailCall(t, "renameat2", "EINVAL", "replace", dir, "file", "new")
	if failed {
		t.Fatal(out)
	}
	if got := string(testroot.Read(t, file)); got != "new" || len(entries(t, dir)) != 1 {
		t.Errorf("%q, and the directory has %q", got, entries(t, dir))
	}
}

func TestAReplaceKilledAtAnySystemCallLeavesTheOldFileOrTheNew(t *testing.T) {
	t.Parallel()
	dir, file := place(t)
	killed := testroot.KillAtEveryCall(t, "replace", []string{dir, "file", "new content"},
		func(before string, completed bool) {
			got := string(testroot.Read(t, file))
			if got != "new content" && (completed || got != "content") {
				t.Errorf("killed before %s: the file has %q", before, got)
			}
			testroot.Write(t, file, []byte("content"))
		})
	if killed < 6 {
		t.Errorf("only %d runs were killed", killed)
	}
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	d.Sweep()
	if names := entries(t, dir); !slices.Equal(names, []string{"file"}) {
		t.Errorf("after Sweep the directory has %q", names)
	}
}

func TestCreateDoesNotReplace(t *testing.T) {
	dir, file := place(t)
	testroot.Unchanged(t, file)
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	if err := d.Create("file", []byte("new")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the file is there, and the error is %v", err)
	}
	testroot.Must(t, os.Symlink("nowhere", filepath.Join(dir, "link")))
	if err := d.Create("link", []byte("new")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a link is there, and the error is %v", err)
	}
	testroot.Must(t, d.Create("other", []byte("new")))
	if names := entries(t, dir); !slices.Equal(names, []string{"file", "link", "other"}) {
		t.Errorf("the directory has %q", names)
	}
}

func TestNothingOutsideTheDirectoryIsTouched(t *testing.T) {
	dir, file := place(t)
	outside := filepath.Join(filepath.Dir(dir), "outside")
	testroot.Write(t, outside, []byte("outside"))
	testroot.Unchanged(t, outside)
	testroot.Unchanged(t, file)
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	for _, name := range []string{
		"", ".", "..", "../outside", outside, "a/b", ".hidden", "x\x00",
		strings.Repeat("x", 10000),
	} {
		if d.Replace(name, []byte("new")) == nil || d.Create(name, []byte("new")) == nil ||
			d.Remove(name) == nil {
			t.Errorf("%.20q was accepted", name)
		}
	}
	if names := entries(t, dir); !slices.Equal(names, []string{"file"}) {
		t.Errorf("the directory has %q", names)
	}
}

func TestReplaceDoesNotFollowASymbolicLink(t *testing.T) {
	dir, file := place(t)
	outside := filepath.Join(filepath.Dir(dir), "outside")
	testroot.Write(t, outside, []byte("outside"))
	testroot.Unchanged(t, outside)
	testroot.Must(t, os.Remove(file))
	testroot.Must(t, os.Symlink(outside, file))
	testroot.Must(t, replace([]string{dir, "file", "new"}))
	if st, err := os.Lstat(file); err != nil || !st.Mode().IsRegular() {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

func TestRemoveReportsAMissingEntry(t *testing.T) {
	dir, _ := place(t)
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	testroot.Must(t, d.Remove("file"))
	if err := d.Remove("file"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}
