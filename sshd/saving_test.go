package sshd_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"latchkey/sshd/suite"
)

// small moves the host's state to a file system of its own, so that it can be filled up or made
// read-only.
func small(t *testing.T, h *suite.Host) {
	t.Helper()
	inNamespace(t, h, `set -e
cp -a /var/lib/latchkey /tmp/keep
mount -t tmpfs -o size=256k,mode=700 state /var/lib/latchkey
cp -a /tmp/keep/. /var/lib/latchkey/`)
}

// inNamespace runs a script in the host's mounts with the rights of this side, because a container
// may not mount.
func inNamespace(t *testing.T, h *suite.Host, text string) {
	t.Helper()
	out, err := exec.Command("nsenter", "--target", fmt.Sprint(h.Pid), "--mount", "/bin/sh", "-c",
		text).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// sums returns checksums of the host's state and records, with their names.
func sums(t *testing.T, h *suite.Host) string {
	t.Helper()
	return script(t, h, "sha256sum /var/lib/latchkey/users/* /etc/latchkey/users/*")
}

func TestAFullDiskStopsNoLoginAndNoCodeWorksTwice(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		small(t, h)
		inNamespace(t, h,
			"dd if=/dev/zero of=/var/lib/latchkey/filler bs=1k 2>/dev/null; ! (echo x "+
				">/var/lib/latchkey/more) 2>/dev/null; rm -f /var/lib/latchkey/more")
		code := u.Code()
		allowed(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{code}})
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{code}})
		audited(t, h, u.Name, 2, "verdict=deny", "reason=replayed")
		// Nothing new can be written, and nothing old is lost by trying.
		fresh := user(t, h)
		before := sums(t, h)
		out := script(t, h,
			"enroll add totp --user "+fresh.Name+" --yes 2>&1 && exit 1; enroll status --user "+
				u.Name)
		if !strings.Contains(out, "no space left") || !strings.Contains(out, "phone") ||
			strings.Contains(out, "otpauth") || sums(t, h) != before {
			t.Errorf("%s", out)
		}
	})
}

func TestUnwritableStateDeniesAndSaysSo(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		small(t, h)
		inNamespace(t, h, "mount -o remount,ro /var/lib/latchkey")
		before := sums(t, h)
		denied(t, s, suite.Attempt{
			User:     u.Name,
			Password: suite.Password,
			Codes:    []string{u.Code()},
		})
		line := audited(t, h, u.Name, 1, "verdict=deny", "reason=state")
		if !strings.Contains(line, "state cannot be saved") {
			t.Error(line)
		}
		if after := sums(t, h); after != before {
			t.Errorf("%s became %s", before, after)
		}
		out := script(t, h, "enroll status --user "+u.Name+"; enroll list")
		if !strings.Contains(out, "phone") {
			t.Errorf("what can only be read cannot be shown: %s", out)
		}
		inNamespace(t, h, "mount -o remount,rw /var/lib/latchkey")
		allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
	})
}

func TestLoginDuringAResetOrNewEnrollmentAcceptsOnlyTheNewSecret(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := server(t, h, suite.KeyAndCode)
		t.Run("reset", func(t *testing.T) {
			u := enrolled(t, h)
			code := u.Code()
			denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{code},
				AtCode: func() error {
					_, err := h.Exec("", "/usr/bin/enroll", "reset", u.Name)
					return err
				}})
			audited(t, h, u.Name, 1, "verdict=deny", "reason=unenrolled")
		})
		t.Run("reset and enrolled again", func(t *testing.T) {
			u := enrolled(t, h)
			old := u.Code()
			again := func() error {
				if _, err := h.Exec("", "/usr/bin/enroll", "reset", u.Name); err != nil {
					return err
				}
				return u.Enroll()
			}
			denied(t, s, suite.Attempt{
				User:   u.Name,
				Key:    shared.Key,
				Answer: answers(func() string { must(t, again()); return old }),
			})
			u2 := enrolled(t, h)
			allowed(t, s,
				suite.Attempt{User: u2.Name, Key: shared.Key, Answer: answers(func() string {
					_, err := h.Exec("", "/usr/bin/enroll", "reset", u2.Name)
					must(t, err)
					must(t, u2.Enroll())
					return u2.Code()
				})})
		})
	})
}

func TestStateLockedForeverDeniesInBoundedTime(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, u, other := server(t, h, suite.KeyAndCode), enrolled(t, h), enrolled(t, h)
		f, err := os.Open(h.Path(stateFile + u.Name))
		must(t, err)
		must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
		denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
		line := audited(t, h, u.Name, 1, "verdict=deny", "reason=state")
		if !strings.Contains(line, "locked by another process") {
			t.Error(line)
		}
		allowed(t, s,
			suite.Attempt{User: other.Name, Key: shared.Key, Codes: []string{other.Code()}})
		must(t, f.Close())
		allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
	})
}
