package enrollment_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/enrollment"
	"latchkey/pam/testroot"
)

// disk is an image with an ext4, mounted at a root.
type disk struct {
	t     *testing.T
	image string
	root  testroot.Root
}

func (d disk) run(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s: %v: %s; packaging/deps.sh installs what is missing", name, err, out)
	}
}

// format makes the file system again.
func (d disk) format() {
	d.t.Helper()
	testroot.Must(d.t, os.RemoveAll(d.image))
	testroot.Must(d.t, os.WriteFile(d.image, nil, 0o600))
	testroot.Must(d.t, os.Truncate(d.image, 32<<20))
	d.run("mkfs.ext4", "-q", "-F", "-E", "nodiscard", d.image)
}

func (d disk) mount() { d.run("mount", "-o", "loop", d.image, string(d.root)) }

func (d disk) unmount() { testroot.Must(d.t, unix.Unmount(string(d.root), 0)) }

// cut is a power failure: from now on nothing gets to the disk, also not what is in the journal's
// memory. It is EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
func (d disk) cut() error {
	folder, err := os.Open(string(d.root))
	if err != nil {
		return err
	}
	defer folder.Close()
	return unix.IoctlSetPointerInt(int(folder.Fd()), 0x8004587d, 2)
}

// reached returns a function that reports whether at least count files of a folder have names that
// begin with a prefix.
func (d disk) reached(folder, prefix string, count int) func() bool {
	return func() bool {
		found := 0
		entries, _ := os.ReadDir(d.root.Join(folder)) // also while it changes
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), prefix) {
				found++
			}
		}
		return found >= count
	}
}

// FAULTS 20: the power fails at some instants of the change. After that, users have nothing or
// everything, and everything if they were told so.
func TestAPowerFailureLeavesNothingOrEverythingOfUsersEnrolledTogether(t *testing.T) {
	testroot.NeedRoot(t, "only root can mount a file system")
	const count = 100
	memory, err := os.MkdirTemp("/dev/shm", "") // in memory it is fast
	if err != nil {
		memory = t.TempDir()
	}
	defer os.RemoveAll(memory)
	d := disk{t, memory + "/image", testroot.Root(t.TempDir())}
	d.format()
	if out, err := exec.Command("mount", "-o", "loop", d.image, string(d.root)).
		CombinedOutput(); err != nil {
		t.Skipf("skipped: no ext4 can be mounted on a loop device here: %s", out)
	}
	d.unmount()
	const states, records = "var/lib/latchkey/users", "etc/latchkey/users"
	for _, at := range []struct {
		folder, prefix string
		count          int
	}{
		{records, ".new-", count}, {states, "user", 1}, {states, "user", count},
		{records, "user", 1}, {records, "user", count}, {records, "user", count + 1},
	} {
		d.format()
		d.mount()
		d.root.Fill(t)
		testroot.Must(t, enrollMany(d.root, newcomers(1)[:0])) // makes what all changes use
		unix.Sync()
		told := d.interrupted(newcomers(count), d.reached(at.folder, at.prefix, at.count))
		d.unmount()
		d.mount()
		enrolled := 0
		for _, n := range newcomers(count) {
			switch has := wholeOrNothing(t, d.root, n, at.folder); {
			case has:
				enrolled++
			case told[n.User.Name]:
				t.Errorf("%+v: %s was told to be enrolled, and is not", at, n.User.Name)
			}
		}
		finished(t, d.root, newcomers(count), at.folder)
		d.unmount()
		t.Logf("%+v: %d enrolled, and %d told so", at, enrolled, len(told))
	}
}

// interrupted enrolls users until the power fails, when that is reached or at the end. It returns
// who was told to be enrolled before.
func (d disk) interrupted(all []*enrollment.Newcomer, reached func() bool) map[string]bool {
	d.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		enrollMany(d.root, all) // fails, since the disk does
	}()
	ended := func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
	for !ended() && !reached() {
	}
	testroot.Must(d.t, d.cut())
	<-done
	told := map[string]bool{}
	for _, n := range all {
		if n.Err == nil {
			told[n.User.Name] = true
		}
	}
	return told
}
