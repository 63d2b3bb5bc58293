package unprivileged_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/pam/testroot"
	"latchkey/pam/unprivileged"
)

// program is a shell script that notes its process id, and the file with the id.
func program(t *testing.T, script string) (p unprivileged.Program, pid string) {
	t.Helper()
	dir := t.TempDir()
	for at := dir; at != os.TempDir() && at != "/"; at = at[:strings.LastIndex(at, "/")] {
		testroot.Must(t, os.Chmod(at, 0o755))
	}
	pid = dir + "/pid"
	testroot.Must(t, os.WriteFile(pid, nil, 0o666))
	testroot.Must(t, os.Chmod(pid, 0o666))
	text := "#!/bin/sh\necho $$ >" + pid + "\n" + script + "\n"
	testroot.Executable(t, dir+"/program", []byte(text))
	return unprivileged.Program{Path: dir + "/program", Clock: time.Now, Watched: -1,
		Most: 1 << 20}, pid
}

// moment is how long a program is waited for in these tests, once it has noted what it should.
const moment = 20 * time.Millisecond

// stopped is a clock that stands from its first look until a program has written something into a
// file: then all time is over. A busy machine may need long until then.
func stopped(file string) func() time.Time {
	now, looked := time.Now(), false
	return func() time.Time {
		info, err := os.Stat(file)
		if over := looked && err == nil && info.Size() > 0; over {
			return now.Add(time.Hour)
		}
		looked = true
		return now
	}
}

func TestRequestLongerThanAPipeIsTakenAndAnswered(t *testing.T) {
	request := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	p, _ := program(t, "exec cat")
	got, err := p.Run(request, time.Minute)
	if err != nil || !bytes.Equal(got, request) {
		t.Errorf("got %d bytes, %v; want the %d that were written", len(got), err, len(request))
	}
}

func TestProgramThatNeverReadsCannotMakeUsWait(t *testing.T) {
	p, pid := program(t, "exec sleep 60")
	p.Clock = stopped(pid)
	_, err := p.Run(make([]byte, 1<<20), moment)
	if err == nil || err.Error() != "no answer in time" {
		t.Errorf("got %v, want that there was no answer in time", err)
	}
	gone(t, pid)
}

func TestProgramAnswersLineByLineUntilItIsEnded(t *testing.T) {
	p, pid := program(t, "while read -r line; do echo \"$line!\"; done")
	r, err := p.Start()
	testroot.Must(t, err)
	long := strings.Repeat("x", 100_000)
	for _, text := range []string{"one", long, "two"} {
		got, err := r.Ask([]byte(text+"\n"), time.Minute)
		if err != nil || string(got) != text+"!" {
			t.Errorf("got %.20q, %v; want %.20q", got, err, text+"!")
		}
	}
	r.End()
	gone(t, pid)
	r.End()
}

// Together they are more than a pipe takes at once.
func TestProgramIsToldLinesBeforeTheNextRequest(t *testing.T) {
	p, pid := program(t, "read -r a; read -r b; read -r c; echo \"${#a} ${#b} $c\"")
	r, err := p.Start()
	testroot.Must(t, err)
	r.Tell([]byte(strings.Repeat("x", 100_000) + "\n"))
	r.Tell([]byte(strings.Repeat("y", 70_000) + "\n"))
	got, err := r.Ask([]byte("request\n"), time.Minute)
	if want := "100000 70000 request"; err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	r.Stop()
	r.End()
	gone(t, pid)
}

func TestProgramThatSaysOtherThanOneLineForARequestGivesNoAnswer(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"no line":            {"read -r line", "ended without an answer"},
		"half a line":        {"read -r line; printf x", "ended without an answer"},
		"closed input":       {"exec <&-; exec sleep 60", "ended without an answer"},
		"two lines":          {"read -r line; printf 'a\\nb\\n'; exec sleep 60", "not asked"},
		"an unread request":  {"echo x; exec sleep 60", "not asked"},
		"silence":            {"exec sleep 60", "no answer in time"},
		"a line without end": {"exec cat /dev/zero", "answered too much"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, pid := program(t, c.script)
			limit := time.Minute
			if name == "silence" {
				p.Clock, limit = stopped(pid), moment
			}
			r, err := p.Start()
			testroot.Must(t, err)
			got, err := r.Ask(append(make([]byte, 100_000), '\n'), limit)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, %v; want that it %s", got, err, c.want)
			}
			r.End()
			gone(t, pid)
		})
	}
}

func TestChildrenOfTheProgramEndWithIt(t *testing.T) {
	p, pid := program(t, "")
	child := strings.TrimSuffix(pid, "pid") + "child"
	testroot.Must(t, os.WriteFile(child, nil, 0o666))
	testroot.Must(t, os.Chmod(child, 0o666))
	testroot.Executable(t, p.Path,
		[]byte("#!/bin/sh\necho $$ >"+pid+"\nsleep 600 &\necho $! >"+child+"\nwait\n"))
	p.Clock = stopped(child)
	if _, err := p.Run([]byte("?"), moment); err == nil {
		t.Error("got no error")
	}
	gone(t, pid)
	id := strings.TrimSpace(string(testroot.Read(t, child)))
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		status, err := os.ReadFile("/proc/" + id + "/status")
		if id != "" && (err != nil || strings.Contains(string(status), "Z (zombie)")) {
			return // this machine's init may be slow
		}
		if time.Now().After(until) {
			t.Fatalf("process %q is left", id)
		}
	}
}

// gone demands that the process whose id the file has is not there, not even as a zombie.
func gone(t *testing.T, pid string) {
	t.Helper()
	id := strings.TrimSpace(string(testroot.Read(t, pid)))
	if _, err := os.Stat("/proc/" + id); id == "" || err == nil {
		t.Errorf("process %q is left", id)
	}
}
