package dispatch_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/method"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/dispatch"
	"latchkey/pam/twilio/protocol"
)

const (
	number = "+15551230123"
	code   = "739501"
	secret = "seCRet77"
	sid    = "VE0123456789abcdef0123456789abcdef"
	other  = "VEffffffffffffffffffffffffffffffff"
	locale = "pt-BR"
)

func TestMain(m *testing.M) { testroot.Main(m, testroot.Roles{"send": send}) }

// send has a code sent by the program below a root: the root.
func send(args []string) error {
	dispatcher(testroot.Root(args[0])).Send(number, method.SMS, locale)
	return nil
}

func dispatcher(root testroot.Root) *dispatch.Dispatcher {
	return &dispatch.Dispatcher{Root: string(root), Clock: time.Now, Watched: -1}
}

// host is a root with settings and, for latchkey-twilio, a shell script, which first notes its
// process id.
func host(t *testing.T, script string) testroot.Root {
	t.Helper()
	root := testroot.New(t)
	testroot.Write(t, root.Join("etc/latchkey/twilio.toml"),
		[]byte("service_sid = 'VA"+strings.Repeat("a", 32)+"'\naccount_sid = 'AC"+
			strings.Repeat("b", 32)+"'\napi_key = 'SK"+strings.Repeat("c",
			32)+"'\napi_secret = '"+secret+"'\n"))
	root.Script(t, dispatch.Program, script)
	return root
}

// writes is a script that reads the request and writes an answer.
func writes(a string) string { return "cat >/dev/null; printf %s '" + a + "'" }

func is(result protocol.Result, sid string) string {
	return fmt.Sprintf(`{"version":1,"result":"%s","sid":"%s"}`, result, sid)
}

func check(root testroot.Root) protocol.Answer { return dispatcher(root).Check(number, sid, code) }

func TestAnswerToTheRequestIsTaken(t *testing.T) {
	for name, script := range map[string]string{
		"and the program ends":  writes(is(protocol.Approved, sid)),
		"and the program fails": writes(is(protocol.Approved, sid)) + "; exit 1",
		"and the program stays": writes(is(protocol.Approved, sid)) + "; exec >&-; sleep 60",
		"piece by piece": `cat >/dev/null; printf '{"version":1,"result":"app'; sleep ` +
			`0.1; printf 'roved","sid":"` + sid + `"}'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := host(t, script)
			if a := check(root); a.Result != protocol.Approved || a.SID != sid {
				t.Errorf("%+v", a)
			}
			root.Gone(t, 1)
		})
	}
}

func TestAnythingElseIsNoAnswer(t *testing.T) {
	approved := is(protocol.Approved, sid)
	for name, script := range map[string]string{
		"nothing":                     "exit 0",
		"a program that kills itself": "kill -KILL $$",
		"a program that crashes":      "kill -ABRT $$",
		"half an answer":              writes(approved[:len(approved)-1]),
		"an answer and a line feed":   writes(approved) + "; echo",
		"two answers":                 writes(approved + approved),
		"text":                        writes("approved"),
		"an empty object":             writes("{}"),
		"another version":             writes(strings.Replace(approved, "1", "2", 1)),
		"a result that is none":       writes(is("Approved", sid)),
		"more than a message":         "exec yes",
		"more than a message at once": "head -c 70000 /dev/zero",
		"another verification":        writes(is(protocol.Approved, other)),
		"an answer to a send":         writes(is(protocol.Sent, sid)),
		"an answer to a probe":        writes(`{"version":1,"result":"probe_ok"}`),
		"a wrong code of another one": writes(is(protocol.Wrong, other)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := host(t, script)
			if a := check(root); a.Result != protocol.Failed ||
				!strings.HasPrefix(a.Detail, "latchkey-twilio: ") || a.Validate() != nil {
				t.Errorf("%+v", a)
			}
			root.Gone(t, 1)
		})
	}
}

func TestSendIsNotApprovedAndAProbeIsNotSent(t *testing.T) {
	for _, r := range []protocol.Result{protocol.Approved, protocol.Wrong, protocol.ProbeOK} {
		text := is(r, sid)
		if r == protocol.ProbeOK {
			text = `{"version":1,"result":"probe_ok"}`
		}
		if a := dispatcher(host(t, writes(text))).Send(number, method.Call,
			""); a.Result != protocol.Failed {
			t.Errorf("%s: %+v", r, a)
		}
	}
	if a := dispatcher(host(t, writes(is(protocol.Sent,
		sid)))).Probe(); a.Result != protocol.Failed {
		t.Errorf("%+v", a)
	}
}

func TestProgramThatCannotBeStartedIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(path string) error
		says  string
	}{
		"missing": {os.Remove, "no such file"},
		"not executable": {func(path string) error { return os.Chmod(path, 0o644) },
			"permission denied"},
		"a directory": {func(path string) error {
			os.Remove(path)
			return os.Mkdir(path,
				0o755)
		}, "permission denied"},
		"no program": {func(path string) error {
			return os.WriteFile(path, []byte("\x7fELF"),
				0o755)
		}, "exec format error"},
	} {
		t.Run(name, func(t *testing.T) {
			root := host(t, "exit 0")
			testroot.Must(t, c.spoil(root.Join(dispatch.Program)))
			if a := check(root); a.Result != protocol.Failed ||
				!strings.Contains(a.Detail, c.says) {
				t.Errorf("%+v", a)
			}
			root.Gone(t, 0)
		})
	}
}

func TestWithoutSettingsNothingIsStarted(t *testing.T) {
	root := host(t, writes(is(protocol.Approved, sid)))
	testroot.Must(t, os.Chmod(root.Join("etc/latchkey/twilio.toml"), 0o644))
	if a := check(root); a.Result != protocol.Refused || strings.Contains(a.Detail, secret) {
		t.Errorf("%+v", a)
	}
	testroot.Must(t, os.Remove(root.Join("etc/latchkey/twilio.toml")))
	if a := check(root); a.Result != protocol.Refused ||
		!strings.Contains(a.Detail, "twilio.toml") {
		t.Errorf("%+v", a)
	}
	root.Gone(t, 0)
}

// A request gets the seconds that are left of those of all, so here it is two for the first and
// none for the second.
func TestAllRequestsTogetherEndInTime(t *testing.T) {
	for name, script := range map[string]string{
		"a program that hangs":     "exec sleep 60",
		"a program that stops":     "kill -STOP $$",
		"a program that drips":     "while printf x; do sleep 0.2; done",
		"an answer without an end": writes(is(protocol.Approved, sid)) + "; exec sleep 60",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := host(t, script)
			d := dispatcher(root)
			d.Spend(14 * time.Second)
			began := time.Now()
			if a := d.Check(number, sid, code); a.Result != protocol.Failed ||
				!strings.Contains(a.Detail, "no answer in time") {
				t.Errorf("%+v", a)
			}
			if took := time.Since(began); took < time.Second || took > 40*time.Second {
				t.Errorf("it took %v", took)
			}
			started := len(root.Started(t)) // none, if the machine was too busy for it
			if a := d.Check(number, sid, code); a.Result != protocol.Timeout {
				t.Errorf("the next request: %+v", a)
			}
			root.Gone(t, min(started, 1))
		})
	}
}

func TestProgramIsToldItsTime(t *testing.T) {
	for spent, want := range map[time.Duration]string{0: `"timeout_ms":7000`,
		10 * time.Second: `"timeout_ms":5000`} {
		d := dispatcher(host(t,
			`printf '{"version":1,"result":"refused","detail":"%s"}' "$(grep -o 'timeout_ms.*' |`+
				` tr -dc '0-9')"`))
		d.Spend(spent)
		if a := d.Send(number, method.SMS,
			""); a.Detail != strings.TrimPrefix(want, `"timeout_ms":`) {
			t.Errorf("%v spent: %+v", spent, a)
		}
	}
}

func TestRequestEndsAtOnceWhenItsCallerIsGone(t *testing.T) {
	root := host(t, "exec sleep 60")
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	testroot.Must(t, err)
	defer unix.Close(ends[0])
	d := dispatcher(root)
	d.Watched = ends[0]
	go func() {
		for len(root.Started(t)) == 0 {
			time.Sleep(time.Millisecond)
		}
		unix.Close(ends[1])
	}()
	began := time.Now()
	if a := d.Send(number, method.SMS, ""); a.Result != protocol.Failed ||
		!strings.Contains(a.Detail, "no one is waiting") {
		t.Errorf("%+v", a)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	root.Gone(t, 1)
}

func TestProgramDiesWithItsParent(t *testing.T) {
	root := host(t, "exec sleep 60")
	cmd := testroot.Role(nil, "send", string(root))
	testroot.Must(t, cmd.Start())
	eventually(t, "the program to start", func() bool { return len(root.Started(t)) == 1 })
	testroot.Must(t, cmd.Process.Kill())
	cmd.Wait()
	pid := root.Started(t)[0]
	eventually(t, "the program to die", func() bool {
		status, err := os.ReadFile("/proc/" + pid + "/status")
		// this machine's init may be slow
		return err != nil || strings.Contains(string(status), "Z (zombie)")
	})
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// reports is a script that answers with what commands print.
func reports(commands string) string {
	return `cat >/dev/null; printf '{"version":1,"result":"refused","detail":"%s"}' "$(` +
		commands + `)"`
}

func TestProgramRunsAsAUserWithoutRights(t *testing.T) {
	testroot.NeedRoot(t, "only root can become another user")
	for name, c := range map[string]struct{ passwd, want string }{
		"no accounts": {"", "65534 65534 65534"},
		"no account of its own": {"root:x:0:0::/root:/bin/sh\nlatchkey2:x:4:5::/:\n",
			"65534 65534 65534"},
		"an account of its own": {"root:x:0:0::/root:/bin/sh\nlatchkey:x:4242:4343::/:\n",
			"4242 4343 4343"},
		"an account that is root":    {"latchkey:x:0:4343::/:\n", "65534 65534 65534"},
		"an account in root's group": {"latchkey:x:4242:0::/:\n", "65534 65534 65534"},
		"an account cut short":       {"latchkey:x:4242", "65534 65534 65534"},
		"an account without a uid":   {"latchkey:x:-1:4343::/:\n", "65534 65534 65534"},
	} {
		t.Run(name, func(t *testing.T) {
			root := host(t, reports(`echo $(id -u) $(id -g) $(id -G)`))
			if c.passwd != "" {
				testroot.Must(t, os.WriteFile(root.Join("etc/passwd"), []byte(c.passwd), 0o644))
			}
			if a := dispatcher(root).Send(number, method.SMS, ""); a.Detail != c.want {
				t.Errorf("%+v, not %s", a, c.want)
			}
		})
	}
}

func TestProgramGetsNothingButItsRequest(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://192.0.2.1:1")
	root := host(t, "")
	program := root.Join(dispatch.Program)
	for commands, want := range map[string]string{
		`tr '\0' ' ' </proc/$$/cmdline`: "/bin/sh " + program + " ",
		`tr '\0' ' ' </proc/$$/environ`: "GOMAXPROCS=1 ",
		`readlink /proc/$$/cwd`:         "/",
		// The shell itself opens its script, /dev/null and a pipe to these commands.
		`for f in /proc/$$/fd/*; do readlink $f; done | grep -v -e ^pipe: -e null$ -e twilio$; ` +
			`echo end`: "end",
	} {
		text := "#!/bin/sh\n" + reports(commands) + "\n"
		testroot.Executable(t, program, []byte(text))
		if a := check(root); a.Result != protocol.Refused || a.Detail != want {
			t.Errorf("%s: %+v, not %q", commands, a, want)
		}
	}
}

func TestNothingIsLeftOpen(t *testing.T) {
	root := host(t, writes(is(protocol.Approved, sid)))
	check(root)
	before := descriptors(t)
	for range 5 {
		check(root)
	}
	testroot.Must(t, os.Remove(root.Join(dispatch.Program)))
	check(root)
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	testroot.Must(t, err)
	return len(fds)
}
