package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor/oath"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// fileSystems are the file systems on which a full disk is tried, with the command that makes each
// on a device or a file of 256 MB.
var fileSystems = map[string][]string{
	"btrfs": {"mkfs.btrfs", "-q", "-f"},
	// as on small disks: data and metadata share their blocks
	"btrfs-mixed": {"mkfs.btrfs", "-q", "-f", "--mixed"},
	"ext4":        {"mkfs.ext4", "-q", "-F", "-m", "0"},
	"xfs":         {"mkfs.xfs", "-q", "-f"},
	"tmpfs":       nil,
}

// mounted mounts a new file system of that kind at dir, until the test ends.
func mounted(t *testing.T, kind, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("skipped: only root can mount a file system")
	}
	line := []string{"mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", dir}
	if mkfs := fileSystems[kind]; mkfs != nil {
		image := filepath.Join(t.TempDir(), "disk")
		testroot.Must(t, os.WriteFile(image, nil, 0o600))
		size := int64(256 << 20)
		if kind == "xfs" {
			size = 320 << 20 // mkfs.xfs refuses to make one smaller than 300 MB
		}
		testroot.Must(t, os.Truncate(image, size))
		format := exec.Command(mkfs[0], append(mkfs[1:], image)...)
		if out, err := format.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s; packaging/deps.sh installs it", mkfs[0], err, out)
		}
		line = []string{"mount", "-o", "loop", image, dir}
	}
	if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
		t.Skipf("skipped: this kernel or container mounts no %s on a loop device: %s", kind, out)
	}
	t.Cleanup(func() { testroot.Must(t, unix.Unmount(dir, 0)) })
}

// fill leaves no free block in the file system of dir.
func fill(t *testing.T, dir string) {
	t.Helper()
	for size := 1 << 20; size > 0; size /= 16 {
		f, err := os.Create(fmt.Sprint(dir, "/fill", size))
		if err != nil {
			continue // not even a name fits
		}
		for block := make([]byte, size); err == nil; {
			_, err = f.Write(block)
		}
		f.Sync()
		f.Close()
	}
	unix.Sync()
}

// fullHost returns a host whose /var/lib/latchkey is a file system of that kind, and alice, who
// has a token. Nothing is full yet.
func fullHost(t *testing.T, kind string) (*host, record.Device) {
	t.Helper()
	h := newHost(t, "[limits]\ntries = 1\nfailures = \"64/10m\"\n")
	dir := h.root.Join("var/lib/latchkey")
	testroot.Must(t, os.RemoveAll(dir))
	testroot.Must(t, os.Mkdir(dir, 0o700))
	mounted(t, kind, dir)
	testroot.Must(t, os.Mkdir(dir+"/users", 0o700))
	testroot.Must(t, os.Remove(h.root.Record("alice")))
	token := enrollment.NewHOTP("token", []byte("12345678901234567890"), "SHA1", 6, testroot.Noon)
	testroot.Must(t,
		h.root.Store().Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid}, token, 0))
	return h, token
}

// typed logs in once with this code and reports whether that was allowed.
func (h *host) typed(code string) (allowed bool) {
	h.t.Helper()
	g := h.login()
	for {
		frame, err := g.receive()
		testroot.Must(h.t, err)
		switch frame[0] {
		case 'V':
			g.end()
			h.line()
			return frame == "V2 allow"
		case 'Q':
			g.send("A" + code)
		default:
			g.send("A")
		}
	}
}

// FAULTS 19, 37: the disk is full to the last block.
func TestFullDiskStopsNoLoginAndLetsNoCodeBeUsedTwice(t *testing.T) {
	for kind := range fileSystems {
		t.Run(kind, func(t *testing.T) {
			h, token := fullHost(t, kind)
			fill(t, h.root.Join("var/lib/latchkey"))
			more := h.root.Join("var/lib/latchkey/more")
			if os.WriteFile(more, make([]byte, 1<<16), 0o600) == nil {
				t.Fatal("the disk is not full")
			}
			for counter := range uint64(50) {
				code, err := oath.Code(&token, counter)
				testroot.Must(t, err)
				if !h.typed(code) {
					t.Fatalf("login %d with a right code is denied", counter+1)
				}
				if counter%10 == 0 && h.typed(code) {
					t.Fatalf("code %d is accepted twice", counter+1)
				}
			}
			before := failures(t, h)
			if h.typed("000000") || failures(t, h) != before+1 {
				t.Errorf("a wrong code: %d failures after %d", failures(t, h), before)
			}
		})
	}
}

func failures(t *testing.T, h *host) int {
	t.Helper()
	st, err := h.root.Keyring().States.View("alice")
	testroot.Must(t, err)
	return len(st.Failures)
}

// A state that something other than enroll has put there, such as a backup program, is copied on
// write, and a full disk denies. The next change by enroll makes it one that is not.
func TestStateCopiedByOthersIsDeniedOnFullBtrfsUntilEnrollChangesIt(t *testing.T) {
	h, token := fullHost(t, "btrfs")
	keyring, state := h.root.Keyring(), h.root.State("alice")
	users := filepath.Dir(state)
	saved := testroot.Read(t, state)
	testroot.Must(t, os.RemoveAll(users))
	testroot.Must(t, os.Mkdir(users, 0o700))
	testroot.Write(t, state, saved)
	if copied, err := keyring.States.CopiedOnWrite("alice"); err != nil || !copied {
		t.Fatalf("copied on write: %v, %v", copied, err)
	}
	fill(t, h.root.Join("var/lib/latchkey"))
	code, err := oath.Code(&token, 0)
	testroot.Must(t, err)
	if h.typed(code) {
		t.Fatal("it was not copied on write: this test proves nothing")
	}
	fills, err := filepath.Glob(h.root.Join("var/lib/latchkey/fill*"))
	testroot.Must(t, err)
	for _, file := range fills {
		testroot.Must(t, os.Remove(file))
	}
	testroot.Must(t,
		enrollment.Store{Keyring: keyring}.Add(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, testroot.TOTP("second"), 0))
	if copied, err := keyring.States.CopiedOnWrite("alice"); err != nil || copied {
		t.Fatalf("after a change, copied on write: %v, %v", copied, err)
	}
	fill(t, h.root.Join("var/lib/latchkey"))
	if !h.typed(code) {
		t.Error("denied although the state is overwritten in place")
	}
}
