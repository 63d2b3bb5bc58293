package enrollment_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/enrollment"
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

// together enrolls users together. Its arguments are the root, how many, and perhaps how many files
// may be open.
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
			want = enrollment.ErrAlone
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
	if st, err := root.Keyring().States.View(all[3].User.Name); err != nil || st.Ticket.Salt != ticket.Salt {
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
			if !errors.Is(n.Err, enrollment.ErrAlone) {
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
	for _, c := range []struct{ where, inject string }{
		{"", "write:error=ENOSPC:when=2"}, {"", "fsync:error=EIO"},
		{"", "fsync:error=EDQUOT:when=3"}, {"", "fchmod:error=EPERM"},
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

// A file system that can only replace.
func TestUsersAreNotEnrolledTogetherWhereFilesCannotBeNamedOnce(t *testing.T) {
	root, all := people(t, 1), newcomers(3)
	out, failed := testroot.FailCall(t, "renameat2", "EINVAL", "together", string(root), "3")
	if !failed || strings.Count(out, enrollment.ErrAlone.Error()) != 3 {
		t.Errorf("got %v, %s; want three times %q", failed, out, enrollment.ErrAlone)
	}
	finished(t, root, all, "after it")
}

// event is a system call that came to its end, of which file or directory.
var event = regexp.MustCompile(
	`^\d+ +(?:<\.\.\. )?(\w+)(?:\(\d+<([^>]*)>(?:, "([^"]*)", \d+<[^>]*>, "([^"]*)")?)?`)

// calls are the events of a trace in order, as "call path". A renameat2 is there when it begins,
// and everything else when it ends.
func calls(t *testing.T, trace string) (all []string) {
	t.Helper()
	begun := map[string]string{}
	for line := range strings.Lines(trace) {
		m := event.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		pid, _, _ := strings.Cut(line, " ")
		what := m[1] + " " + m[2]
		if m[3] != "" {
			what = fmt.Sprintf("%s %s/%s %s", m[1], m[2], m[3], m[4])
		}
		switch {
		case strings.Contains(line, "resumed>"):
			what = begun[pid]
		case strings.Contains(line, "<unfinished"):
			begun[pid] = what
			if m[1] != "renameat2" {
				continue
			}
		}
		if m[1] != "renameat2" || !strings.Contains(line, "resumed>") {
			all = append(all, what)
		}
	}
	return all
}

// A crash of the machine leaves what was flushed before it: so no file gets its name before its
// content is flushed, no record before the names of the states are, and no user is told before the
// names of the records are.
func TestNothingIsNamedBeforeWhatItNeedsIsOnTheDisk(t *testing.T) {
	const count = 5
	root, trace := testroot.New(t), filepath.Join(t.TempDir(), "trace")
	strace := testroot.Strace(t, "-y", "-o", trace, "-e",
		"trace=write,fsync,renameat2,pwrite64")
	out, err := testroot.Role(strace, "together", string(root), strconv.Itoa(count)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	states, records := filepath.Dir(root.State("x")), filepath.Dir(root.Record("x"))
	flushed, named := map[string]bool{}, map[string]int{}
	for _, what := range calls(t, string(testroot.Read(t, trace))) {
		words := strings.Fields(what)
		path := words[1]
		switch dir := filepath.Dir(path); words[0] {
		case "write":
			flushed[path] = false
		case "fsync":
			flushed[path] = true
		case "pwrite64":
			if !flushed[records] {
				t.Errorf("%s before the names of the records are on the disk", what)
			}
		case "renameat2":
			if dir != states && dir != records {
				continue
			}
			if !flushed[path] {
				t.Errorf("%s before the file is on the disk", what)
			}
			if dir == records && !flushed[states] {
				t.Errorf("%s before the names of the states are on the disk", what)
			}
			named[dir]++
			flushed[dir] = false
		}
	}
	if named[states] != count || named[records] != count || !flushed[records] {
		t.Errorf("got %d states and %d records named, and the latter on the disk: %v; want %d",
			named[states], named[records], flushed[records], count)
	}
}
