package safefile_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

func folder(t *testing.T) (dir string, d *safefile.Dir) {
	t.Helper()
	dir, _ = place(t)
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	t.Cleanup(d.Close)
	return dir, d
}

func TestMkdirMakesAPrivateDirectoryOnce(t *testing.T) {
	dir, d := folder(t)
	for range 2 {
		testroot.Must(t, d.Mkdir("new"))
		info, err := os.Stat(filepath.Join(dir, "new"))
		if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
			t.Errorf("got %v, %v; want a directory of mode 0700", info, err)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", ".hidden"} {
		if d.Mkdir(name) == nil {
			t.Errorf("%q was made", name)
		}
	}
	if err := d.Mkdir(strings.Repeat("x", 256)); !errors.Is(err, unix.ENAMETOOLONG) {
		t.Errorf("got error %v, want ENAMETOOLONG", err)
	}
}

func TestStampChangesWithTheEntriesAndTheDirectory(t *testing.T) {
	stamp := func(d *safefile.Dir) string {
		s, err := d.Stamp()
		testroot.Must(t, err)
		return s
	}
	_, d := folder(t)
	_, other := folder(t)
	first := stamp(d)
	if again := stamp(d); again != first || first == "" {
		t.Errorf("got %q, then %q; want the same", first, again)
	}
	if elsewhere := stamp(other); elsewhere == first {
		t.Errorf("got %q of two directories", first)
	}
	testroot.Must(t, d.Mkdir("new"))
	if later := stamp(d); later == first {
		t.Errorf("got %q before and after a change", first)
	}
}

func TestFileIsReadByItsPath(t *testing.T) {
	_, file := place(t)
	if got, err := safefile.ReadFile(file, safefile.Private, 7); string(got) != "content" ||
		err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := safefile.ReadFile(file, safefile.Private, 6); err == nil {
		t.Error("got a file that is too long")
	}
	if _, err := safefile.ReadFile(file+"2", safefile.Private, 7); !errors.Is(err,
		fs.ErrNotExist) {
		t.Errorf("got error %v, want ErrNotExist", err)
	}
	missing := filepath.Join(filepath.Dir(file), "no", "file")
	if _, err := safefile.ReadFile(missing, safefile.Private, 7); err == nil ||
		errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want one that is not ErrNotExist", err)
	}
}

// interrupted replaces the file of dir where the first calls of openat(2) below dir are
// interrupted.
func interrupted(t *testing.T, dir, calls string) (output string, err error) {
	t.Helper()
	out, err := testroot.Role(testroot.Strace(t, "-o", "/dev/null", "-P", dir, "-e",
		"trace=openat", "-e", "inject=openat:error=EINTR:when="+calls), "replace", dir, "file",
		"new").CombinedOutput()
	return string(out), err
}

func TestInterruptedOpenIsRepeatedButNotForever(t *testing.T) {
	dir, file := place(t)
	if out, err := interrupted(t, dir, "1..9"); err != nil {
		t.Errorf("nine times: got %v, %s; want it to work", err, out)
	}
	if got := string(testroot.Read(t, file)); got != "new" {
		t.Errorf("got %q, want the new content", got)
	}
	if out, err := interrupted(t, dir, "1..10"); err == nil ||
		!strings.Contains(out, "interrupted system call") {
		t.Errorf("ten times: got %v, %s; want it interrupted", err, out)
	}
}

// onBtrfs mounts a new btrfs and returns a directory in it.
func onBtrfs(t *testing.T) string {
	t.Helper()
	testroot.NeedRoot(t, "only root can mount a file system")
	dir, file := place(t)
	testroot.Must(t, os.Truncate(file, 128<<20))
	if out, err := exec.Command("mkfs.btrfs", "-q", "-f", file).CombinedOutput(); err != nil {
		t.Skipf("mkfs.btrfs: %v: %s; packaging/deps.sh installs it", err, out)
	}
	mount := filepath.Join(dir, "mount")
	testroot.Must(t, os.Mkdir(mount, 0o700))
	out, err := exec.Command("mount", "-o", "loop", file, mount).CombinedOutput()
	if err != nil {
		t.Skipf("no btrfs can be mounted on a loop device here: %s", out)
	}
	t.Cleanup(func() { testroot.Must(t, exec.Command("umount", "--lazy", mount).Run()) })
	testroot.Must(t, os.Chmod(mount, 0o700))
	return mount
}

func TestPreallocatedFileIsOverwrittenInPlaceOnBtrfs(t *testing.T) {
	dir := onBtrfs(t)
	testroot.Write(t, filepath.Join(dir, "copied"), []byte("content"))
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	for range 2 {
		testroot.Must(t, d.Preallocate("made", []byte("content")))
	}
	testroot.Write(t, filepath.Join(dir, "later"), []byte("content"))
	for name, want := range map[string]bool{"copied": true, "made": false, "later": false} {
		f, err := os.Open(filepath.Join(dir, name))
		testroot.Must(t, err)
		if got := safefile.CopiedOnWrite(f); got != want {
			t.Errorf("%s: got that it is copied on write: %v, want %v", name, got, want)
		}
		f.Close()
	}
}

func TestPreallocateReplacesAFileOnAnyFileSystem(t *testing.T) {
	dir, d := folder(t)
	testroot.Must(t, d.Preallocate("file", []byte("new")))
	if got := string(testroot.Read(t, filepath.Join(dir, "file"))); got != "new" {
		t.Errorf("got %q, want the new content", got)
	}
	f, err := os.Open("/proc/self/status")
	testroot.Must(t, err)
	defer f.Close()
	if safefile.CopiedOnWrite(f) {
		t.Error("got that a file of procfs is copied on write")
	}
}
