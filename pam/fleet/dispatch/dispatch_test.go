package dispatch_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/testroot"
)

// host is a root with a shell script for latchkey-fleet, which first notes its process id.
func host(t *testing.T, script string) testroot.Root {
	t.Helper()
	root := testroot.New(t)
	root.Script(t, dispatch.Program, script)
	return root
}

func dispatcher(root testroot.Root) *dispatch.Dispatcher {
	return &dispatch.Dispatcher{Root: string(root), Clock: time.Now, Watched: -1}
}

// fleet has two services.
var fleet = &settings.Settings{Services: []string{"https://a:1", "https://b:2"}, CA: "authorities"}

// carry brings a request, of which only the answer "good" is one, and returns what was judged.
func carry(d *dispatch.Dispatcher) (judged []string, err error) {
	err = d.Carry(fleet, []byte("request"), func(body []byte) bool {
		judged = append(judged, string(body))
		return string(body) == "good"
	})
	return judged, err
}

func body(text string) string {
	return fmt.Sprintf(`{"body":"%s"}`, base64.StdEncoding.EncodeToString([]byte(text)))
}

// from says which service a line is of.
func from(line string, n int) string {
	return strings.Replace(line, "}", fmt.Sprintf(`,"from":%d}`, n), 1)
}

// writes is a script that reads a job for each line that it writes.
func writes(lines ...string) string {
	const say = "read -r job; printf '%s\\n' '"
	return say + strings.Join(lines, "'; "+say) + "'"
}

// unended writes a line without its end.
func unended(line string) string { return "read -r job; printf %s '" + line + "'" }

// everywhere writes a good answer to every descriptor but standard output.
var everywhere = "for n in 2 3 4 5 6 7 8 9; do echo '" + body("good") + "' >&$n; done"

func TestGoodAnswerEndsTheProgram(t *testing.T) {
	unreachable := `{"end":"unreachable","text":"x"}`
	for name, script := range map[string]string{
		"alone":              writes(body("good"), `{"end":"protocol"}`),
		"behind a bad one":   writes(body("bad"), body("good")),
		"and it stays":       writes(body("good")) + "; exec sleep 60",
		"and it never reads": "printf '%s\\n' '" + body("good") + "'; exec sleep 60",
		"and it fails":       writes(body("good")) + "; exit 1",
		"and it lies":        writes(body("good"), unreachable),
		"and more":           writes(body("good"), body("bad"), body("bad"), "text"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := host(t, script)
			if _, err := carry(dispatcher(root)); err != nil {
				t.Errorf("got %v", err)
			}
			root.Gone(t, 1)
		})
	}
}

// A program in place of latchkey-fleet gets nothing but a denial, and only one that says so in the
// one right way can claim that the fleet is unreachable.
func TestAnythingElseIsAFault(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   wire.Fault
	}{
		"nothing":         {"exit 0", wire.Unknown},
		"ok":              {writes("ok"), wire.Protocol},
		"an empty line":   {writes(""), wire.Protocol},
		"an empty object": {writes("{}"), wire.Protocol},
		"an empty answer": {writes(`{"body":""}`), wire.Protocol},
		"reached":         {writes(`{"reached":true}`), wire.Protocol},
		"a bad answer":    {writes(body("bad")), wire.Unknown},
		"two bad answers and the end": {
			writes(body("bad"), body("b"), `{"end":"protocol"}`), wire.Protocol},
		"more answers than services":   {writes(body("a"), body("b"), body("c")), wire.Protocol},
		"an answer of no service":      {writes(from(body("good"), 2)), wire.Protocol},
		"an answer of service -1":      {writes(from(body("good"), -1)), wire.Protocol},
		"an answer without its end":    {unended(body("good")), wire.Unknown},
		"half an answer":               {unended(body("good")[:9]), wire.Unknown},
		"an answer that is an end":     {writes(`{"body":"Z29vZA==","end":"unknown"}`), wire.Protocol},
		"an unknown end":               {writes(`{"end":"done"}`), wire.Protocol},
		"an empty end":                 {writes(`{"end":""}`), wire.Protocol},
		"an end that allows":           {writes(`{"end":"","text":"ok"}`), wire.Protocol},
		"unreachable":                  {writes(`{"end":"unreachable"}`), wire.Unreachable},
		"unreachable, in capitals":     {writes(`{"end":"Unreachable"}`), wire.Protocol},
		"unreachable, after an answer": {writes(body("bad"), `{"end":"unreachable"}`), wire.Protocol},
		"unreachable, without its end": {unended(`{"end":"unreachable"}`), wire.Unknown},
		"unreachable, on two lines":    {writes(`{"end":`, `"unreachable"}`), wire.Protocol},
		"unreachable, and an answer":   {writes(`{"end":"unreachable","body":"eA=="}`), wire.Protocol},
		"unreachable, in another case": {writes(`{"END":"unreachable","x":1}`), wire.Protocol},
		"text after unreachable":       {writes(`{"end":"unreachable"}x`), wire.Protocol},
		"forged":                       {writes(`{"end":"forged"}`), wire.Protocol},
		"revoked":                      {writes(`{"end":"revoked"}`), wire.Protocol},
		"exit status 1":                {"exit 1", wire.Unknown},
		"a program that kills itself":  {"kill -KILL $$", wire.Unknown},
		"a program that crashes":       {"kill -ABRT $$", wire.Unknown},
		"endless output":               {"exec yes", wire.Unknown},
		"endless output on a line":     {"exec cat /dev/zero", wire.Unknown},
		"output that is closed":        {"exec >&-; exec sleep 60", wire.Unknown},
		"input that is closed":         {"exec <&-; sleep 0.1; exit 0", wire.Unknown},
		"other descriptors":            {everywhere, wire.Unknown},
		"standard input as output":     {"echo '" + body("good") + "' >&0", wire.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := host(t, c.script)
			d := dispatcher(root)
			judged, err := carry(d)
			if err == nil || wire.FaultOf(err) != c.want {
				t.Errorf("got %v after %q, want %s", err, judged, c.want)
			}
			root.Gone(t, 1)
		})
	}
}

func TestAllRequestsTogetherEndInTime(t *testing.T) {
	for name, script := range map[string]string{
		"a program that hangs":    "exec sleep 60",
		"a program that stops":    "kill -STOP $$",
		"a program that drips":    "while printf x; do sleep 0.2; done",
		"a bad answer and no end": writes(body("bad")) + "; exec sleep 60",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := host(t, script)
			d := dispatcher(root)
			d.Spend(14 * time.Second)
			if _, err := carry(d); wire.FaultOf(err) != wire.Unknown ||
				!strings.Contains(err.Error(), "no answer in time") {
				t.Errorf("got %v", err)
			}
			started := len(root.Started(t)) // none, if the machine was too busy for it
			if _, err := carry(d); wire.FaultOf(err) != wire.Unknown ||
				!strings.Contains(err.Error(), "used up its time") {
				t.Errorf("the next request: got %v", err)
			}
			root.Gone(t, min(started, 1))
		})
	}
}

func TestProgramThatCannotBeStartedIsNotUnreachable(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"missing":        os.Remove,
		"not executable": func(path string) error { return os.Chmod(path, 0o644) },
		"no program": func(path string) error {
			return os.WriteFile(path, []byte("\x7fELF"), 0o755)
		},
		"a directory": func(path string) error {
			os.Remove(path)
			return os.Mkdir(path, 0o755)
		},
	} {
		root := host(t, "exit 0")
		testroot.Must(t, spoil(root.Join(dispatch.Program)))
		if _, err := carry(dispatcher(root)); wire.FaultOf(err) != wire.Unknown ||
			!strings.Contains(err.Error(), "latchkey-fleet: ") {
			t.Errorf("%s: got %v", name, err)
		}
		root.Gone(t, 0)
	}
}

// says is a script whose end says what commands print.
func says(commands string) string {
	return `printf '{"end":"protocol","text":"%s"}\n' "$(` + commands + `)"`
}

func TestProgramGetsItsJobAndNoRights(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://192.0.2.1:1")
	for commands, want := range map[string]string{
		`head -n 1 | tr -d '"'`: `{version:1,services:[https://a:1,https://b:2],ca:authorities,` +
			`deadline_ms:8000,request:cmVxdWVzdA==}`,
		`read -r job; tr '\0' ' ' </proc/$$/environ | tr -d '"'`: "GOMAXPROCS=1 ",
		`read -r job; readlink /proc/$$/cwd`:                     "/",
	} {
		d := dispatcher(host(t, says(commands)))
		d.Clock = func() time.Time { return testroot.Noon }
		_, err := carry(d)
		if err == nil || err.Error() != "protocol: "+want {
			t.Errorf("%s: got %v, want %q", commands, err, want)
		}
	}
	testroot.NeedRoot(t, "only root can become another user")
	_, err := carry(dispatcher(host(t, says("read -r job; echo $(id -u) $(id -g) $(id -G)"))))
	if err == nil || err.Error() != "protocol: 65534 65534 65534" {
		t.Errorf("got %v, want a user without rights", err)
	}
}

// The opening's line is there while the request is made, and nothing of it is waited for.
func TestOpenedProgramIsToldTheServicesBeforeTheRequest(t *testing.T) {
	d := dispatcher(host(t, "read -r opening; "+says(
		`read -r job; printf '%s %s' "$opening" "$job" | tr -d '"'`)))
	d.Clock = func() time.Time { return testroot.Noon }
	d.Open(fleet)
	d.Open(fleet)
	_, err := carry(d)
	opening := `{version:1,services:[https://a:1,https://b:2],ca:authorities,deadline_ms:8000`
	want := "protocol: " + opening + "} " + opening + ",request:cmVxdWVzdA==}"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestProgramThatEndsAfterItsOpeningIsUnknown(t *testing.T) {
	root := host(t, "read -r opening; exit 0")
	d := dispatcher(root)
	d.Open(fleet)
	if _, err := carry(d); wire.FaultOf(err) != wire.Unknown {
		t.Errorf("got %v, want unknown", err)
	}
	root.Gone(t, 1)
}

func TestServiceThatAnsweredIsAskedFirst(t *testing.T) {
	for i, want := range []string{"https://a:1", "https://b:2"} {
		root := host(t, writes(from(body("good"), i)))
		d := dispatcher(root)
		if _, err := carry(d); err != nil {
			t.Fatal(err)
		}
		testroot.Executable(t, root.Join(dispatch.Program),
			[]byte("#!/bin/sh\n"+says(`head -n 1 | tr -d '"' | grep -o 'services:[^,]*'`)+"\n"))
		if _, err := carry(d); err == nil || err.Error() != "protocol: services:["+want {
			t.Errorf("got %v, want %s first", err, want)
		}
	}
}

func TestServiceWithABadAnswerIsNotAskedAgain(t *testing.T) {
	script := "read -r job; echo '" + from(body("bad"), 1) + "'; " +
		says(`head -n 1 | tr -d '"' | grep -o 'services:[^]]*'`)
	_, err := carry(dispatcher(host(t, script)))
	if err == nil || err.Error() != "protocol: services:[https://a:1" {
		t.Errorf("got %v, want that only the other one is asked", err)
	}
}

func TestKeptProgramAnswersAgainUntilItIsEnded(t *testing.T) {
	root := host(t, "while read -r job; do echo '"+body("good")+"'; done")
	d := dispatcher(root)
	d.Keep = true
	for range 3 {
		if _, err := carry(d); err != nil {
			t.Errorf("got %v", err)
		}
	}
	d.End()
	root.Gone(t, 1)
}

// A user may take longer to type than the program waits.
func TestKeptProgramThatHasEndedIsStartedOnceMore(t *testing.T) {
	root := host(t, writes(body("good")))
	d := dispatcher(root)
	d.Keep = true
	for range 2 {
		if _, err := carry(d); err != nil {
			t.Errorf("got %v", err)
		}
	}
	testroot.Executable(t, root.Join(dispatch.Program), []byte("#!/bin/sh\nexit 0\n"))
	if _, err := carry(d); wire.FaultOf(err) != wire.Unknown {
		t.Errorf("a program that only ends: got %v, want unknown", err)
	}
	root.Gone(t, 2)
}

// What it was doing when it ended is not known: the code may be used up.
func TestKeptProgramThatEndedAtItsJobIsNotUnreachable(t *testing.T) {
	root := host(t, writes(body("good"))+"; read -r job; exit 1")
	d := dispatcher(root)
	d.Keep = true
	if _, err := carry(d); err != nil {
		t.Fatal(err)
	}
	testroot.Executable(t, root.Join(dispatch.Program),
		[]byte("#!/bin/sh\n"+writes(`{"end":"unreachable","text":"refused"}`)+"\n"))
	if _, err := carry(d); wire.FaultOf(err) != wire.Unknown ||
		!strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v, want unknown", err)
	}
}

func TestKeptProgramThatFailsIsEnded(t *testing.T) {
	for _, second := range []string{`{"end":"unknown"}`, "text"} {
		root := host(t, writes(body("good"), second)+"; exec sleep 60")
		d := dispatcher(root)
		d.Keep = true
		if _, err := carry(d); err != nil {
			t.Fatal(err)
		}
		if _, err := carry(d); err == nil {
			t.Errorf("%s: got no error", second)
		}
		root.Gone(t, 1)
	}
}

func TestWordsOfTheProgramAreFitForTheLog(t *testing.T) {
	line := `{"end":"protocol","text":"\u001b[2Ja\nb\u202ec` + strings.Repeat("x", 5000) + `"}`
	_, err := carry(dispatcher(host(t, writes(strings.ReplaceAll(line, `\`, `\`)))))
	if err == nil || !strings.HasPrefix(err.Error(), "protocol: ?[2Ja?b?cxxx") ||
		len(err.Error()) > 400 {
		t.Errorf("got %q", err)
	}
}
