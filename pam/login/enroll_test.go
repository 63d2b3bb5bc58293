package main_test

import (
	"encoding/base32"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// newcomer returns a host on which alice has nothing yet and enrolls during the login.
func newcomer(t *testing.T) *host {
	t.Helper()
	_, err := enroller()
	testroot.Must(t, err)
	h := newHost(t, "unenrolled = \"enroll\"\n")
	testroot.Must(t, h.root.Store().Reset(enrollment.ByRoot(), "alice"))
	return h
}

// scan returns the app after the prompt with its secret.
func (g *gate) scan() record.Device {
	g.t.Helper()
	frame, err := g.receive()
	testroot.Must(g.t, err)
	return g.read(frame)
}

// read returns the app after that prompt.
func (g *gate) read(frame string) record.Device {
	g.t.Helper()
	shown := regexp.MustCompile(`type it in by hand: ([A-Z2-7 ]+)\n`).FindStringSubmatch(frame)
	if shown == nil || frame[0] != 'Q' {
		g.t.Fatalf("received %q, which shows no secret", frame)
	}
	return appOf(g.t, shown[1])
}

// appOf returns the app with a secret that was typed in by hand.
func appOf(t *testing.T, shown string) record.Device {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(
		strings.ReplaceAll(shown, " ", ""))
	testroot.Must(t, err)
	return record.Device{
		Type:      method.TOTP,
		Secret:    secret,
		Algorithm: "SHA1",
		Digits:    6,
		Period:    30 * time.Second,
	}
}

func TestTheLoginBecomesTheProgramThatEnrolls(t *testing.T) {
	h := newcomer(t)
	g := h.login()
	app := g.scan()
	g.send("A" + testroot.Code(t, app, time.Now()))
	if frame, err := g.receive(); err != nil || !strings.Contains(frame, "recovery codes") {
		t.Fatalf("received %q, %v", frame, err)
	}
	g.send("A")
	g.verdict("allow")
	h.logged(`verdict=allow ` + alice +
		`method=totp device="app" reason=ok tries=1 ms=\d+ detail="enrolled in this login"`)
	h.silent()
	h.free()
	g = h.login()
	g.expect("QFrom your app, or a recovery code. Verification code: ")
}

func TestHostEndingDuringEnrollmentLeavesNothing(t *testing.T) {
	h := newcomer(t)
	g := h.login()
	g.scan()
	g.hangUp()
	g.end()
	h.logged(`verdict=deny ` + alice +
		`method=none device="" reason=conversation tries=0 ms=\d+ detail=".*"`)
	if names, err := h.root.Keyring().Records.Names(); err != nil || len(names) > 0 {
		t.Errorf("there are records of %q, %v", names, err)
	}
}

func TestLoginIsDeniedIfTheEnrollingProgramIsMissing(t *testing.T) {
	h := newcomer(t)
	path, err := enroller()
	testroot.Must(t, err)
	testroot.Must(t, os.Rename(path, path+".gone"))
	t.Cleanup(func() { testroot.Must(t, os.Rename(path+".gone", path)) })
	g := h.login()
	g.verdict("deny 4")
	h.logged(`verdict=deny ` + alice +
		`method=none device="" reason=internal tries=0 ms=\d+ detail=".*` + filepath.Base(path) +
		`: no such file or directory"`)
}

// handedOver returns the end of a socket at which a frame waits, as one login program leaves it
// for the next.
func handedOver(t *testing.T, frame string) *os.File {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	testroot.Must(t, err)
	testroot.Must(t, unix.Sendto(pair[0], []byte(frame), 0, nil))
	unix.Close(pair[0])
	f := os.NewFile(uintptr(pair[1]), "hello")
	t.Cleanup(func() { f.Close() })
	return f
}

func TestEnrollingProgramRefusesToBeStartedByHand(t *testing.T) {
	path, err := enroller()
	testroot.Must(t, err)
	cmd := exec.Command(path, "user=root")
	var errs strings.Builder
	cmd.Stderr = &errs
	if out, err := cmd.Output(); err == nil || len(out) > 0 ||
		!strings.Contains(errs.String(), "started by latchkey-login only") {
		t.Errorf("it printed %q and %q, %v", out, errs.String(), err)
	}
}

func TestEnrollingProgramRefusesAnyOtherHello(t *testing.T) {
	h := newcomer(t)
	path, err := enroller()
	testroot.Must(t, err)
	good := strings.Split(strings.TrimSuffix(hello("alice"), "\x00"), "\x00")
	for name, fields := range map[string][]string{
		"another version":    append([]string{"1"}, good[1:]...),
		"no version":         good[1:],
		"a field is missing": slices.Delete(slices.Clone(good), 2, 3),
		"an unknown field":   append(slices.Clone(good), "colour=blue"),
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			cmd := exec.Command(path)
			cmd.Env, cmd.Stdout = environment,
				handedOver(t, "H"+strings.Join(fields, "\x00")+"\x00")
			h.begin(cmd).verdict("deny 4")
			h.logged(internal + `".*"`)
		})
	}
}

// enrollCalls are the system calls of an enrollment that change something, here or for the gate.
const enrollCalls = "sendto flock write fchmod fsync renameat2 unlinkat"

// enrollKilled runs a first login below a strace that kills it.
func enrollKilled(h *host, strace []string) (killed bool) {
	g := h.start(strace)
	g.trySend("H" + hello("alice"))
	if frame, err := g.receive(); err == nil && strings.Contains(frame, "by hand") {
		g.trySend("A" + testroot.Code(h.t, g.read(frame), time.Now()))
		if frame, err := g.receive(); err == nil && strings.HasPrefix(frame, "Q") {
			g.trySend("A")
			g.receive()
		}
	}
	g.hangUp()
	g.end()
	return !g.cmd.ProcessState.Success()
}

func TestAnEnrollmentKilledAtAnySystemCallLeavesNothingOrAnEnrollmentThatWorks(t *testing.T) {
	h := newcomer(t)
	go func() { // this log is never read
		for buf := make([]byte, 65536); ; {
			if _, err := h.log.Read(buf); err != nil {
				return
			}
		}
	}()
	deaths, enrolled := 0, 0
	testroot.Kills(t, enrollCalls, func(strace []string, before string) bool {
		if err := h.root.Store().Reset(enrollment.ByRoot(), "alice"); err != nil &&
			!errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		killed := enrollKilled(h, strace)
		account, err := h.root.Keyring().Open(record.User{Name: "alice", UID: uid})
		switch {
		case err == nil:
			enrolled++
			if account.RecoveryLeft() != enrollment.RecoveryCodes ||
				len(account.Record.Devices) != 1 {
				t.Errorf("killed before %s: half an enrollment", before)
			}
			account.Close()
		case !errors.Is(err, factor.ErrUnenrolled):
			t.Errorf("killed before %s: %v", before, err)
		}
		if killed {
			deaths++
		}
		return killed
	})
	// strace counts by thread, and the number of threads on which Go makes its calls varies: these
	// numbers only say that it does kill.
	if deaths < 8 || enrolled < 3 {
		t.Errorf("%d logins were killed, and %d had enrolled by then", deaths, enrolled)
	}
}

// FAULTS 19: wherever what was written may be lost in a crash and cannot be undone, users who have
// a second factor from then on have seen their recovery codes and are in, and the log says what is
// wrong; all others have nothing.
func TestEnrollmentThatCannotBeMadeDurableIsReportedTruthfully(t *testing.T) {
	for dir, enrolled := range map[string]bool{
		"etc/latchkey/users": true, "var/lib/latchkey/users": false, "var/lib/latchkey": false,
		"var/lib/latchkey/uids": false,
	} {
		t.Run(dir, func(t *testing.T) {
			h := newcomer(t)
			testroot.Must(t, os.Remove(h.root.Key())) // so that it is made, too
			if strings.HasSuffix(dir, "/uids") {
				testroot.Must(t, os.RemoveAll(h.root.Join(dir)))
			}
			g := h.start(testroot.Strace(t, "-o", "/dev/null", "-P", h.root.Join(dir), "-e",
				"trace=fsync,unlinkat",
				"-e", "inject=fsync:error=EIO", "-e", "inject=unlinkat:error=EIO"))
			g.send("H" + hello("alice"))
			g.send("A" + testroot.Code(t, g.scan(), time.Now()))
			frame, err := g.receive()
			testroot.Must(t, err)
			_, missing := os.Lstat(h.root.Record("alice"))
			shown := strings.Contains(frame, "recovery codes")
			if shown != enrolled || enrolled != (missing == nil) {
				t.Errorf("got %q, and the record: %v; want both, or neither: %v", frame,
					missing, enrolled)
			}
			g.send("A")
			if !enrolled {
				g.verdict("deny 9")
				return
			}
			g.verdict("allow")
			if line := h.line(); !strings.Contains(line, "the change is in force now") {
				t.Errorf("got %q, want a line that says so", line)
			}
		})
	}
}
