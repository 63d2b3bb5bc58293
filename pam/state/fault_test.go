package state_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

func TestCommitKilledAtAnySystemCallLeavesTheOldStateOrTheNew(t *testing.T) {
	t.Parallel()
	s, _ := stored(t)
	old := counter(t, s)
	killed := testroot.KillAtEveryCall(t, "commit", []string{s.Path, "alice"},
		func(before string, completed bool) {
			after := counter(t, s)
			if after != old+1 && (completed || after != old) {
				t.Errorf("killed before %s: %d after %d", before, after, old)
			}
			old = after
		})
	if killed < 4 {
		t.Errorf("only %d runs were killed", killed)
	}
}

func TestCommitThatFailsSaysThatTheStateCannotBeSaved(t *testing.T) {
	for _, c := range []struct{ name, call, errno string }{
		{"when the flush fails", "fdatasync", "EIO"},
		{"when the flush finds the disk full", "fdatasync", "ENOSPC"},
		{"when the write fails", "pwrite64", "EIO"},
		{"when the disk is full", "pwrite64", "ENOSPC"},
		{"when every write is interrupted", "pwrite64", "EINTR"},
		{"when every flush is interrupted", "fdatasync", "EINTR"},
		{"when the quota is used up", "pwrite64", "EDQUOT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := stored(t)
			out, failed := testroot.FailCall(t, c.call, c.errno, "commit", s.Path, "alice")
			if !failed || !strings.Contains(out, state.ErrSave.Error()) {
				t.Errorf("it said %q", out)
			}
			if n := counter(t, s); n != 5 && n != 6 {
				t.Errorf("the counter is %d", n)
			}
			if err := commit([]string{s.Path, "alice"}); err != nil {
				t.Errorf("once the disk is well again: %v", err)
			}
		})
	}
}

// A change that is of use only if someone is told of it must not count if it cannot be told.
func TestChangeThatFailsIsUndoneOrSaysThatItIsInForce(t *testing.T) {
	for _, c := range []struct {
		name, injected string
		inForce        bool
	}{
		{"when the flush fails", "fdatasync:error=EIO:when=1", false},
		{"when every flush fails", "fdatasync:error=EIO", false},
		{"when the flush finds the disk full", "fdatasync:error=ENOSPC:when=1", false},
		{"when the flush is interrupted", "fdatasync:error=EINTR:when=1", false},
		{"when the flush is not permitted", "fdatasync:error=EPERM", false},
		{"when the write fails", "pwrite64:error=EIO:when=1", false},
		{"when every write fails", "pwrite64:error=EIO", false},
		{"when the flush fails and then every write",
			"fdatasync:error=EIO pwrite64:error=EIO:when=2+", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := stored(t)
			options := []string{"-o", "/dev/null", "-e", "trace=pwrite64,fdatasync"}
			for _, inject := range strings.Fields(c.injected) {
				options = append(options, "-e", "inject="+inject)
			}
			said, err := testroot.Role(testroot.Strace(t, options...), "change", s.Path,
				"alice").CombinedOutput()
			out, failed := string(said), err != nil
			if !failed || !strings.Contains(out, state.ErrSave.Error()) {
				t.Errorf("it said %q", out)
			}
			want := map[bool]uint64{false: 5, true: 6}[c.inForce]
			if n := counter(t, s); n != want ||
				strings.Contains(out, safefile.ErrInForce.Error()) != c.inForce {
				t.Errorf("got counter %d, want %d, and it said %q", n, want, out)
			}
			if err := commit([]string{s.Path, "alice"}); err != nil {
				t.Errorf("once the disk is well again: %v", err)
			}
		})
	}
}

func TestCommitSucceedsIfOnlyTheSecondSlotCannotBeWritten(t *testing.T) {
	s, _ := stored(t)
	if out, failed := testroot.FailCall(t, "pwrite64", "EIO:when=2+", "commit", s.Path,
		"alice"); failed {
		t.Errorf("it said %q", out)
	}
	if n := counter(t, s); n != 6 {
		t.Errorf("the counter is %d", n)
	}
}

func TestReadThatFailsIsNotDamage(t *testing.T) {
	s, file := stored(t)
	testroot.Unchanged(t, file)
	cmd := testroot.Role(testroot.Strace(t, "-o", "/dev/null", "-P", file, "-e",
		"trace=read,openat,fstat", "-e", "inject=read:error=EIO"),
		"commit", s.Path, "alice")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "input/output error") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestFullDiskStopsNoCommit(t *testing.T) {
	if out, err := testroot.RoleWithMounts(t, "full", t.TempDir()).CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}

func TestOnAReadOnlyFileSystemTheStateCannotBeSaved(t *testing.T) {
	s, file := stored(t)
	testroot.Unchanged(t, file)
	if out, err := testroot.RoleWithMounts(t, "read-only", s.Path,
		"alice").CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}

func TestStateThatMayNotBeWrittenIsNotOpened(t *testing.T) {
	s, file := stored(t)
	testroot.Unchanged(t, file)
	testroot.Must(t, os.Chmod(file, 0))
	testroot.Unprivileged(t, func() {
		if _, err := s.Open("alice"); err == nil || errors.Is(err, state.ErrSave) {
			t.Errorf("error is %v", err)
		}
	})
	testroot.Must(t, os.Chmod(file, 0o600))
}

func TestSlotThatIsWrittenInPartIsNotACommit(t *testing.T) {
	s, _ := stored(t)
	out, err := testroot.Role(nil, "cut", s.Path, "alice").CombinedOutput()
	if err == nil || !strings.Contains(string(out), state.ErrSave.Error()) ||
		strings.Contains(string(out), "the first") {
		t.Errorf("got %q, %v; want that the second commit cannot be saved", out, err)
	}
	if n := counter(t, s); n != 6 {
		t.Errorf("got counter %d, want 6", n)
	}
}
