package main_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"latchkey/pam/notify/event"
	"latchkey/pam/testroot"
)

func TestProgramReadsOneEventAsOneLineOfJSON(t *testing.T) {
	h := newHost(t, `cat >event`)
	e := an(event.Lock)
	e.Host, e.Detail = "web1", "until 2027-01-31T12:15:15Z"
	h.tell(ample, e)
	want := `{"version":1,"event":"lock","time":"2027-01-31T12:00:15Z","host":"web1",` +
		`"user":"alice","service":"sshd","from":"192.0.2.7","method":"totp","device":"phone",` +
		`"by":"","detail":"until 2027-01-31T12:15:15Z"}` + "\n"
	if got := h.out("event"); got != want {
		t.Errorf("the program read\n%s, want\n%s", got, want)
	}
	h.silent()
}

func TestProgramRunsOnceForEachEventInOrder(t *testing.T) {
	h := newHost(t, `grep -o '"event":"[a-z-]*"' >>events`)
	h.tell(ample, an(event.LoginAfterLock), an(event.BypassUsed), an(event.NewNetwork))
	want := "\"event\":\"login-after-lock\"\n\"event\":\"bypass-used\"\n" +
		"\"event\":\"new-network\"\n"
	if got := h.out("events"); got != want {
		t.Errorf("the program was told %q, want %q", got, want)
	}
	h.silent()
}

// The program is started from a process that has everything a caller of enroll could leave to it:
// groups, an open file, a variable, a directory, a umask.
func TestProgramHasNoRights(t *testing.T) {
	testroot.NeedRoot(t, "only root can give up rights")
	h := newHost(t, `{ id -u; id -g; id -G; umask; env -i sh -c 'cd /proc/self/cwd && pwd -P'
tr '\0' '\n' </proc/$$/environ | sort
ls -l /proc/$$/fd
grep -E '^(NoNewPrivs|CapInh|CapPrm|CapEff|CapAmb):' /proc/$$/status
ulimit -c; } >rights 2>&1`)
	secret, err := os.Open(h.root.Join("etc/passwd"))
	testroot.Must(t, err)
	defer secret.Close()
	cmd := h.command(ample, an(event.Lock))
	cmd.Env = append(cmd.Env, "GIVEN=1", "LD_PRELOAD=")
	cmd.ExtraFiles = []*os.File{secret}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Groups: []uint32{0, 4, 27}},
	}
	testroot.Must(t, cmd.Run())
	got := h.out("rights")
	want := "54321\n54321\n54321\n0077\n" + h.root.Join("out") + "\n" +
		"HOME=/\nLC_ALL=C.UTF-8\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
	if !strings.HasPrefix(got, want) {
		t.Errorf("the program has\n%s, want\n%s", got, want)
	}
	zero := "\t0000000000000000\n"
	for _, want := range []string{
		"NoNewPrivs:\t1\n", "CapInh:" + zero, "CapPrm:" + zero, "CapEff:" + zero, "CapAmb:" + zero,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the program has\n%s, want %q", got, want)
		}
	}
	for _, file := range []string{"etc/passwd", "notify/place", "notify/turn"} {
		if strings.Contains(got, file) {
			t.Errorf("the program has %s open:\n%s", file, got)
		}
	}
	h.silent()
}

func TestProgramThatFailsIsLoggedWithWhatItPrinted(t *testing.T) {
	for script, why := range map[string]string{
		"echo no mail server >&2; exit 3": `exit status 3: no mail server"`,
		"exit 1":                          `exit status 1"`,
		"kill -TERM $$":                   `killed by SIGTERM"`,
		`printf 'a\nlatchkey: verdict=allow'; ` +
			"exit 1": `exit status 1: a\x0alatchkey: verdict=allow"`,
		"echo begin; head -c 100000 /dev/zero | tr '\\0' x; exit 1": strings.Repeat("x", 160) + `"`,
	} {
		h := newHost(t, script)
		h.tell(ample, an(event.Lock))
		h.logged(event.Lock, why)
	}
}

func TestProgramThatSucceedsLogsNothingDespiteItsOutput(t *testing.T) {
	for _, script := range []string{"exit 0", "echo done", "echo oops >&2", "exec 0<&-"} {
		h := newHost(t, script)
		h.tell(ample, an(event.Lock))
		h.silent()
	}
}

func TestOneFailureDoesNotKeepTheNextEventBack(t *testing.T) {
	h := newHost(t, `read -r event; case $event in *new-network*) : >told;; *) exit 1; esac`)
	h.tell(ample, an(event.BypassUsed), an(event.NewNetwork))
	h.logged(event.BypassUsed, "exit status 1")
	h.out("told")
}
