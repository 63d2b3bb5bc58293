package enrollment_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/enrollment"
	"latchkey/pam/enrollment/crowd"
	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// newcomers are as many users, each with an app that was used up to step 7.
func newcomers(count int) (all []*enrollment.Newcomer) {
	for i := range count {
		all = append(all, &enrollment.Newcomer{
			User: record.User{Name: name(i), UID: uid + 1 + uint32(i)},
			Has: enrollment.Enrollment{Devices: []record.Device{testroot.TOTP("phone")},
				Counters: []uint64{7}},
		})
	}
	return all
}

// enrollMany is EnrollMany in a change of its own.
func enrollMany(root testroot.Root, all []*enrollment.Newcomer) error {
	return root.Store().ExclusiveMany(func(s enrollment.Store) error {
		s.EnrollMany(enrollment.ByRoot(), all)
		return nil
	})
}

// together enrolls users together. Its arguments are the root, how many, and perhaps how many
// files may be open.
func together(args []string) error {
	runtime.GOMAXPROCS(1) // so that most calls are of the same thread
	count, err := strconv.Atoi(args[1])
	if err == nil && len(args) > 2 {
		var files uint64
		files, err = strconv.ParseUint(args[2], 10, 64)
		err = errors.Join(err, unix.Setrlimit(unix.RLIMIT_NOFILE,
			&unix.Rlimit{Cur: files, Max: files}))
	}
	if err != nil {
		return err
	}
	all := newcomers(count)
	if err := enrollMany(testroot.Root(args[0]), all); err != nil {
		return err
	}
	for _, n := range all {
		err = errors.Join(err, n.Err)
	}
	return err
}

// whole demands that a newcomer has nothing, or everything. It reports which.
func wholeOrNothing(t *testing.T, root testroot.Root, n *enrollment.Newcomer,
	when string) (enrolled bool) {
	t.Helper()
	_, st, err := root.Keyring().View(n.User)
	switch {
	case errors.Is(err, factor.ErrUnenrolled):
		return false
	case err != nil:
		t.Errorf("%s: the account of %s: %v", when, n.User.Name, err)
	case st.Devices[0].Counter != 7:
		t.Errorf("%s: %s has used steps up to %d, want 7", when, n.User.Name,
			st.Devices[0].Counter)
	}
	return err == nil
}

// noLeftovers demands that no temporary file is left.
func noLeftovers(t *testing.T, root testroot.Root, when string) {
	t.Helper()
	for _, dir := range []string{"etc/latchkey/users", "var/lib/latchkey/users",
		"var/lib/latchkey/uids"} {
		if left, _ := filepath.Glob(root.Join(dir) + "/.new-*"); len(left) > 0 {
			t.Errorf("%s: got %q left", when, left)
		}
	}
}

func TestNewcomersAreEnrolledTogetherAndOthersAreLeftAlone(t *testing.T) {
	root, all, ticket := people(t, 1), newcomers(20), oneTimeCode()
	testroot.Must(t, root.Store().SetTicket(enrollment.ByRoot(), all[3].User, ticket))
	testroot.Must(t, root.Store().Enroll(enrollment.ByRoot(), all[5].User, whole()))
	all[8].User.UID = all[7].User.UID
	all[10].User.Name = all[9].User.Name
	testroot.Must(t, os.Symlink("nowhere", root.State(all[12].User.Name)))
	all[14].User.UID = alice.UID
	kept := testroot.Read(t, root.Record(all[5].User.Name))
	testroot.Must(t, enrollMany(root, all))
	for i, n := range all {
		var want error
		switch i {
		case 3, 5, 8, 10, 12, 14:
			want = crowd.ErrAlone
		}
		if !errors.Is(n.Err, want) {
			t.Errorf("%d: got error %v, want %v", i, n.Err, want)
		}
		if want == nil {
			wholeOrNothing(t, root, n, "after it")
			st, err := root.Keyring().States.View(n.User.Name)
			if err != nil || st.Enrollment == (state.EnrollmentID{}) {
				t.Errorf("%d: got a state without an id, %v", i, err)
			}
		}
	}
	st, err := root.Keyring().States.View(all[3].User.Name)
	if err != nil || st.Ticket.Salt != ticket.Salt {
		t.Errorf("got another ticket, or %v", err)
	}
	if got := testroot.Read(t, root.Record(all[5].User.Name)); string(got) != string(kept) {
		t.Error("got another record of a user who had one")
	}
	noLeftovers(t, root, "after it")
}

func TestFewOpenFilesAreEnoughForManyNewcomers(t *testing.T) {
	const count = 100
	root := testroot.New(t)
	out, err := testroot.Role(nil, "together", string(root), strconv.Itoa(count), "64").
		CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, n := range newcomers(count) {
		if !wholeOrNothing(t, root, n, "after it") {
			t.Errorf("%s is not enrolled", n.User.Name)
		}
	}
}

// A login of users who are enrolled together may come at any time: it finds nothing or everything.
func TestALoginMeanwhileFindsNothingOrEverything(t *testing.T) {
	root := testroot.New(t)
	all, done := newcomers(40), make(chan error)
	go func() { done <- enrollMany(root, newcomers(40)) }()
	for {
		select {
		case err := <-done:
			testroot.Must(t, err)
			for _, n := range all {
				if !wholeOrNothing(t, root, n, "after it") {
					t.Errorf("%s is not enrolled", n.User.Name)
				}
			}
			return
		default:
			for _, n := range all {
				wholeOrNothing(t, root, n, "meanwhile")
			}
		}
	}
}

// FAULTS 20.
func TestUsersEnrolledTogetherHaveNothingOrEverythingAfterAKill(t *testing.T) {
	t.Parallel()
	const count = 2
	root, killed := testroot.New(t), 0
	testroot.Kills(t, "write fsync renameat2 pwrite64", func(strace []string, before string) bool {
		for _, dir := range []string{"etc", "var"} {
			testroot.Must(t, os.RemoveAll(root.Join(dir)))
		}
		root.Fill(t)
		out, died := testroot.Role(strace, "together", string(root), strconv.Itoa(count)).
			CombinedOutput()
		if len(out) > 0 {
			t.Fatalf("before %s: %s", before, out)
		}
		again := newcomers(count)
		for _, n := range again {
			if enrolled := wholeOrNothing(t, root, n, before); !enrolled && died == nil {
				t.Errorf("%s: %s is not enrolled", before, n.User.Name)
			}
		}
		finished(t, root, again, before)
		if died != nil {
			killed++
		}
		return died != nil
	})
	if killed < 12 {
		t.Errorf("only %d kills: the injection does not work", killed)
	}
}

// finished demands that what was killed is completed by doing it again.
func finished(t *testing.T, root testroot.Root, all []*enrollment.Newcomer, when string) {
	t.Helper()
	testroot.Must(t, root.Store().ExclusiveMany(func(s enrollment.Store) error {
		s.EnrollMany(enrollment.ByRoot(), all)
		for _, n := range all {
			if !errors.Is(n.Err, crowd.ErrAlone) {
				continue
			}
			n.Err = s.Import(enrollment.ByRoot(), n.User, n.Has,
				func(*factor.Account) (enrollment.Enrollment, error) {
					return enrollment.Enrollment{}, enrollment.ErrEnrolled
				})
		}
		return nil
	}))
	for _, n := range all {
		if n.Err != nil && !errors.Is(n.Err, enrollment.ErrEnrolled) {
			t.Errorf("%s: done again for %s: %v", when, n.User.Name, n.Err)
		}
		if !wholeOrNothing(t, root, n, when) {
			t.Errorf("%s: done again, and %s has nothing", when, n.User.Name)
		}
	}
	noLeftovers(t, root, when)
}

// FAULTS 19: a disk that fails at one call leaves those whom it concerns with nothing, and they
// are told so.
func TestUsersOfADiskThatFailsAreToldAndHaveNothing(t *testing.T) {
	const records, states = "/etc/latchkey/users", "/var/lib/latchkey/users"
	type failing struct{ where, inject string }
	file := failing{"", "fsync:error=EDQUOT:when=3"}
	if syncsWhole(t) {
		file.inject = "sync_file_range:error=EDQUOT"
	}
	for _, c := range []failing{
		file, {"", "fsync,syncfs:error=EIO"}, {"", "fchmod:error=EPERM"},
		{states, "fsync:error=EIO"}, {states, "renameat2:error=ENOSPC:when=2"},
		{records, "fsync:error=EIO"}, {records, "renameat2:error=EIO"},
		{records, "renameat2:error=ENOSPC:when=2"},
	} {
		root, all := people(t, 1), newcomers(4)
		options := []string{"-o", "/dev/null", "-e", "inject=" + c.inject}
		if c.where != "" {
			options = append(options, "-P", string(root)+c.where)
		}
		out, err := testroot.Role(testroot.Strace(t, options...), "together", string(root),
			"4").CombinedOutput()
		if err == nil {
			t.Errorf("%+v: it says that it worked", c)
		}
		for _, n := range all {
			if wholeOrNothing(t, root, n, c.inject) {
				continue
			}
			if !strings.Contains(string(out), " "+string(root)) {
				t.Errorf("%+v: %s has nothing, and it says %s", c, n.User.Name, out)
			}
			if _, err := os.Lstat(root.State(n.User.Name)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%+v: %s has nothing, and a state: %v", c, n.User.Name, err)
			}
		}
		finished(t, root, all, c.inject)
	}
}

// syncsWhole reports whether files of tests are flushed by syncfs.
func syncsWhole(t *testing.T) bool {
	t.Helper()
	var disk unix.Statfs_t
	testroot.Must(t, unix.Statfs(t.TempDir(), &disk))
	return slices.Contains([]int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC,
		unix.BTRFS_SUPER_MAGIC}, disk.Type)
}

func TestOnAFullDiskThoseWhoDoNotFitHaveNothing(t *testing.T) {
	testroot.NeedRoot(t, "only root can mount a file system")
	root, all := testroot.Root(t.TempDir()), newcomers(100)
	if err := unix.Mount("tmpfs", string(root), "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("skipped: no tmpfs can be mounted here: %v", err)
	}
	defer unix.Unmount(string(root), 0)
	root.Fill(t)
	testroot.Must(t, enrollMany(root, all))
	enrolled := 0
	for _, n := range all {
		has := wholeOrNothing(t, root, n, "after it")
		if full := errors.Is(n.Err, unix.ENOSPC); has == full || !has && !full {
			t.Errorf("got error %v, and %s is enrolled: %v", n.Err, n.User.Name, has)
		}
		if _, err := os.Lstat(root.State(n.User.Name)); has == errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is enrolled: %v, and the state: %v", n.User.Name, has, err)
		}
		if has {
			enrolled++
		}
	}
	if enrolled == 0 || enrolled == len(all) {
		t.Errorf("got %d enrolled, want some", enrolled)
	}
	noLeftovers(t, root, "after it")
}

// A file system that can only replace.
func TestUsersAreNotEnrolledTogetherWhereFilesCannotBeNamedOnce(t *testing.T) {
	root, all := people(t, 1), newcomers(3)
	out, failed := testroot.FailCall(t, "renameat2", "EINVAL", "together", string(root), "3")
	if !failed || strings.Count(out, crowd.ErrAlone.Error()) != 3 {
		t.Errorf("got %v, %s; want three times %q", failed, out, crowd.ErrAlone)
	}
	finished(t, root, all, "after it")
}
