package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	pamSuccess   = 0
	pamSystemErr = 4
	pamAuthErr   = 7
	pamConvErr   = 19
	pamIgnore    = 25
)

var auditLine = regexp.MustCompile(
	`^84 latchkey: verdict=deny user="([^"]*)" service="([^"]*)" from="([^"]*)" ` +
		`method=none device="" reason=internal tries=0 ms=\d+ detail="([^"]*)"$`)

// wantDenied checks that the gate itself denied and said why in one line.
func wantDenied(t *testing.T, o outcome, detail string) {
	t.Helper()
	if o.code != pamSystemErr {
		t.Errorf("the gate returned %d", o.code)
	}
	if len(o.log) != 1 {
		t.Fatalf("%d lines in the log: %q", len(o.log), o.log)
	}
	m := auditLine.FindStringSubmatch(o.log[0])
	if m == nil {
		t.Fatalf("malformed line: %s", o.log[0])
	}
	if m[4] != detail {
		t.Errorf("detail %q, want %q", m[4], detail)
	}
}

func writeProgram(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestALoginProgramThatCannotStartIsADenialThatNamesIt(t *testing.T) {
	for _, c := range []struct{ name, program, why string }{
		{"missing", filepath.Join(t.TempDir(), "none"), "No such file or directory"},
		{"not executable", writeProgram(t, "plain", "#!/bin/sh\n", 0o644), "Permission denied"},
		{"a directory", t.TempDir(), "Permission denied"},
		{"no program", writeProgram(t, "text", "hello\n", 0o755), "Exec format error"},
		{"its interpreter is missing", writeProgram(t, "script", "#!/nonexistent\n", 0o755),
			"No such file or directory"},
		{"below a file", "/etc/passwd/login", "Not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAttempt(t)
			a.program = c.program
			wantDenied(t, a.authenticate(), c.program+": "+c.why)
			noChildren(t)
		})
	}
}

const (
	ended     = "login program ended without a verdict"
	malformed = "login program sent a malformed verdict"
	version   = "login program is of another version"
	unknown   = "login program sent a frame of an unknown type"
	following = "login program sent a frame after its verdict"
	nul       = "login program sent a text with a NUL byte"
	tooLong   = "login program sent a frame longer than 32768 bytes"
	empty     = "login program sent an empty frame"
)

func TestLoginThatEndsWithoutAVerdictIsDenied(t *testing.T) {
	for _, c := range []struct {
		name   string
		script []string
		detail string
	}{
		{"it ends at once", nil, ended},
		{"it ends with status 0", []string{"exit=0"}, ended},
		{"it ends in the middle", []string{send("Qcode"), "receive", "exit=1"}, ended},
		{"it is killed", []string{"signal=9"}, ended},
		{"it crashes", []string{"signal=11"}, ended},
		{"it closes the socket and stays", []string{"close", "hang"}, ended},
		{"it never reads its answers", []string{"flood"},
			"sending to the login program: Resource temporarily unavailable"},
		{"a frame too long by one", []string{"long=32769", "hang"}, tooLong},
		{"an empty frame", []string{send(""), "hang"}, empty},
		{"a frame of an unknown type", []string{send("Z"), "hang"}, unknown},
		{"a verdict in lower case", []string{send("v1 allow"), "hang"}, unknown},
		{"a verdict without a type", []string{send("1 allow"), "hang"}, unknown},
		{"version 1's prompt without echo", []string{send("Scode"), "hang"}, unknown},
		{"version 1's other text", []string{send("Icode"), "hang"}, unknown},
		{"the gate's own hello", []string{send("H2"), "hang"}, unknown},
		{"the gate's own answer", []string{send("A"), "hang"}, unknown},
		{"a zero byte as type", []string{send("\x001 allow"), "hang"}, nul},
		{"a prompt with a NUL", []string{send("Qco\x00de"), "hang"}, nul},
		{"a message with a NUL at its end", []string{send("Ecode\x00"), "hang"}, nul},
		{"a group with a NUL", []string{send("Gwheel\x00"), "hang"}, nul},
		{"an empty verdict", []string{send("V"), "hang"}, version},
		{"a verdict of version 1", []string{send("V1 allow"), "hang"}, version},
		{"a verdict of version 3", []string{send("V3 allow"), "hang"}, version},
		{"a verdict of version 22", []string{send("V22 allow"), "hang"}, version},
		{"a version with a zero before it", []string{send("V02 allow"), "hang"}, version},
		{"a verdict with a NUL after it", []string{send("V2 allow\x00"), "hang"}, malformed},
		{"a verdict with a newline after it", []string{send("V2 allow\n"), "hang"}, malformed},
		{"a verdict with a space after it", []string{send("V2 allow "), "hang"}, malformed},
		{"a verdict with a code after it", []string{send("V2 allow 0"), "hang"}, malformed},
		{"a verdict cut short", []string{send("V2 allo"), "hang"}, malformed},
		{"a verdict in upper case", []string{send("V2 ALLOW"), "hang"}, malformed},
		{"two spaces", []string{send("V2  allow"), "hang"}, malformed},
		{"a denial without a code", []string{send("V2 deny"), "hang"}, malformed},
		{"a denial with success", []string{send("V2 deny 0"), "hang"}, malformed},
		{"a denial with PAM_IGNORE", []string{send("V2 deny 25"), "hang"}, malformed},
		{"a denial with a zero before it", []string{send("V2 deny 07"), "hang"}, malformed},
		{"a denial with a sign", []string{send("V2 deny -7"), "hang"}, malformed},
		{"a denial with a number past every type",
			[]string{send("V2 deny 18446744073709551616"), "hang"}, malformed},
		{"a denial with more after it", []string{send("V2 deny 7 V2 allow"), "hang"}, malformed},
		{"allowed twice", []string{send("V2 allow"), send("V2 allow")}, following},
		{"denied, then allowed", []string{send("V2 deny 7"), send("V2 allow")}, following},
		{"allowed, then asking", []string{send("V2 allow"), send("Qcode")}, following},
		{"a start report with success", []string{send("Xe\x00"), "hang"}, "LOGIN: Success"},
		{"a start report with an unknown number", []string{send("Xe\xff"), "hang"},
			"LOGIN: unknown error"},
		{"a start report of another step", []string{send("Xr\x01"), "hang"},
			"becoming root in /: Operation not permitted"},
		{"a start report too short", []string{send("Xe"), "hang"}, unknown},
		{"a start report that is a verdict", []string{send("X1 allow"), "hang"}, unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAttempt(t, c.script...).at(t)
			wantDenied(t, a.authenticate(), strings.Replace(c.detail, "LOGIN", a.program, 1))
			noChildren(t)
		})
	}
}

func TestLoginWithoutAVerdictInTimeIsDenied(t *testing.T) {
	for _, c := range []struct {
		name   string
		script []string
	}{
		{"it hangs", []string{"hang"}},
		{"it stops itself", []string{"signal=19"}},
		{"it hangs after a question", []string{send("Qcode"), "receive", "hang"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAttempt(t, c.script...).at(t)
			a.deadline = 300 * time.Millisecond
			wantDenied(t, a.authenticate(), "login program gave no verdict within 300 ms")
			noChildren(t)
		})
	}
}

func TestAVerdictIsReturnedAndNotLogged(t *testing.T) {
	for frame, code := range map[string]int{
		"V2 allow": pamSuccess, "V2 deny 4": 4, "V2 deny 6": 6, "V2 deny 7": 7, "V2 deny 9": 9,
		"V2 deny 10": 10, "V2 deny 11": 11, "V2 deny 19": 19,
	} {
		t.Run(frame, func(t *testing.T) { wantVerdict(t, code, send(frame)) })
	}
}

func wantVerdict(t *testing.T, code int, script ...string) {
	t.Helper()
	o := newAttempt(t, script...).at(t).authenticate()
	if o.code != code || len(o.log) != 0 {
		t.Errorf("code %d, log %q", o.code, o.log)
	}
	noChildren(t)
}

func TestVerdictStandsRegardlessOfHowTheLoginProgramEnds(t *testing.T) {
	for name, after := range map[string]string{
		"it ends with another status": "exit=1", "it is killed": "signal=9", "it hangs": "hang",
		"it stops": "signal=19", "it closes its end": "close",
	} {
		t.Run(name, func(t *testing.T) {
			wantVerdict(t, pamSuccess, send("V2 allow"), after)
			wantVerdict(t, pamAuthErr, send("V2 deny 7"), after)
		})
	}
}

func TestNoOtherDenialCodeIsReturned(t *testing.T) {
	allowed := []int{4, 6, 7, 9, 10, 11, 19}
	for n := range 64 {
		if !slices.Contains(allowed, n) {
			wantDenied(t,
				newAttempt(t, send(fmt.Sprintf("V2 deny %d", n))).at(t).authenticate(), malformed)
		}
	}
}

// The login program levels the second state slot in that time.
func TestTheLoginProgramMayFinishItsWorkAfterTheVerdict(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	o := newAttempt(t, send("V2 allow"), "notes="+path, "report").at(t).authenticate()
	if o.code != pamSuccess || len(notes(t, path)["pid"]) != 1 {
		t.Errorf("code %d, notes %v", o.code, notes(t, path))
	}
}

func TestLoginProgramReceivesTheResultOfTheConversation(t *testing.T) {
	million := strings.Repeat("7", 1<<20)
	for _, c := range []struct {
		name string
		conversation
		frame string
	}{
		{"an answer", conversation{answer: "123456"}, "A123456"},
		{"an empty answer", conversation{answer: ""}, "A"},
		{"an answer of any bytes", conversation{answer: "\xff\x1b[2J\n"}, "A\xff\x1b[2J\n"},
		{"the longest answer", conversation{answer: million[:512]}, "A" + million[:512]},
		{"an answer one byte too long is seen to be so", conversation{answer: million[:513]},
			"A" + million[:513]},
		{"an answer two bytes too long is cut", conversation{answer: million[:514]},
			"A" + million[:513]},
		{"an answer of a megabyte is cut", conversation{answer: million}, "A" + million[:513]},
		{"no responses", conversation{mode: noReply}, "C19"},
		{"a null response", conversation{mode: noText}, "C19"},
		{"a failure", conversation{mode: fails, code: pamConvErr}, "C19"},
		{"a failure that also answers",
			conversation{mode: failsWithReply, code: pamConvErr, answer: "123456"}, "C19"},
		{"a failure called ignore", conversation{mode: fails, code: pamIgnore}, "C25"},
		{"no conversation function", conversation{mode: missing}, "C19"},
	} {
		for frame, want := range map[string]string{"Qcode": c.frame, "Etext": "A"} {
			t.Run(c.name+" to "+frame, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "notes")
				a := newAttempt(t, "notes="+path, send(frame), "receive", send("V2 allow")).at(t)
				a.conversation = c.conversation
				o := a.authenticate()
				got := notes(t, path)["frame"]
				if o.code != pamSuccess || !slices.Equal(got, []string{want}) {
					t.Errorf("code %d, frames %.100q; want %d and %.100q", o.code, got,
						pamSuccess, want)
				}
			})
		}
	}
}

func TestEachKindOfMessageReachesTheApplicationWithItsStyle(t *testing.T) {
	long := strings.Repeat("x", 32767)
	script := []string{send("Qone %s%n"), "receive", send("Etwo"), "receive", send("Q"), "receive",
		"long=32768", "receive",
		send("V2 allow")}
	want := []string{"1 2 one %s%n", "1 3 two", "1 2 ", "1 2 " + long}
	o := newAttempt(t, script...).at(t).authenticate()
	if o.code != pamSuccess || !slices.Equal(o.seen, want) {
		t.Errorf("code %d, messages %.200q", o.code, o.seen)
	}
}

func TestSilentLoginShowsNoMessagesButStillAsks(t *testing.T) {
	a := newAttempt(t, send("Eone"), "receive", send("Qtwo"), "receive", send("V2 allow")).at(t)
	a.silent = true
	if o := a.authenticate(); o.code != pamSuccess || !slices.Equal(o.seen, []string{"1 2 two"}) {
		t.Errorf("code %d, messages %q", o.code, o.seen)
	}
}

// greeting returns the fields of hello as the login program received them.
func greeting(t *testing.T, a attempt) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notes")
	a.args = append(a.args, "notes="+path, send("V2 allow"))
	if o := a.at(t).authenticate(); o.code != pamSuccess {
		t.Fatalf("code %d, log %q", o.code, o.log)
	}
	hello := notes(t, path)["hello"][0]
	version, fields, _ := strings.Cut(hello, "\x00")
	if version != "H2" || !strings.HasSuffix(fields, "\x00") {
		t.Fatalf("hello begins with %q", version)
	}
	all := strings.Split(strings.TrimSuffix(fields, "\x00"), "\x00")
	return all[:len(all)-2]
}

func TestHelloHasEveryItemInOrder(t *testing.T) {
	text := func(s string) *string { return &s }
	long := strings.Repeat("n", 20000)
	for _, c := range []struct {
		name   string
		change func(*attempt)
		want   []string
	}{
		{"nothing but a user", func(a *attempt) {}, []string{
			"user=root", "name=root", "uid=0", "service=latchkey-test", "rhost=", "auth_info=",
		}},
		{"everything", func(a *attempt) {
			a.rhost, a.authInfo, a.silent = text("192.0.2.7"), text("publickey ssh-ed25519 AAAA"),
				true
			a.args = []string{"debug", "", "conf=/etc/x"}
		}, []string{"user=root", "name=root", "uid=0", "service=latchkey-test", "rhost=192.0.2.7",
			"auth_info=publickey ssh-ed25519 AAAA", "arg=debug", "arg=", "arg=conf=/etc/x"}},
		{"an unknown user", func(a *attempt) { a.user = text("no such\nuser=root") }, []string{
			"user=no such\nuser=root", "name=", "uid=none", "service=latchkey-test", "rhost=",
			"auth_info=",
		}},
		{"an empty user", func(a *attempt) { a.user = text("") }, []string{
			"user=", "name=", "uid=none", "service=latchkey-test", "rhost=", "auth_info=",
		}},
		{"a user of 20,000 bytes and other long items", func(a *attempt) {
			a.user, a.rhost, a.authInfo = &long, &long, text(long[:19000])
		}, []string{"user=" + long[:1024], "name=", "uid=none", "service=latchkey-test",
			"rhost=" + long[:1024],
			"auth_info=" + long[:16384]}},
		{"a user whom the application asks for",
			func(a *attempt) { a.user, a.answer = nil, "root" }, []string{
				"user=root", "name=root", "uid=0", "service=latchkey-test", "rhost=", "auth_info=",
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAttempt(t)
			c.change(&a)
			if got := greeting(t, a); !slices.Equal(got, c.want) {
				t.Errorf("got %.300q", got)
			}
		})
	}
}

func TestArgumentsThatDoNotFitAreDeniedAndNotCut(t *testing.T) {
	for _, args := range [][]string{
		{strings.Repeat("a", 32768)},
		{strings.Repeat("a", 1<<20)},
		slices.Repeat([]string{"arg"}, 10000),
	} {
		a := newAttempt(t, append([]string{send("V2 allow")}, args...)...).at(t)
		wantDenied(t, a.authenticate(), "the module arguments do not fit into one frame")
		noChildren(t)
	}
}

func TestTheLargestHelloIsSentWhole(t *testing.T) {
	a := newAttempt(t)
	room := 32768 - len(
		"H2\x00user=root\x00name=root\x00uid=0\x00service=latchkey-test\x00rhost=\x00"+
			"auth_info=\x00") -
		len("arg="+send("V2 allow")+"\x00arg=\x00")
	for fill, code := range map[int]int{room: pamSuccess, room + 1: pamSystemErr} {
		a.args = []string{send("V2 allow"), strings.Repeat("a", fill)}
		if o := a.at(t).authenticate(); o.code != code {
			t.Errorf("%d bytes: code %d, log %q", fill, o.code, o.log)
		}
	}
}

func TestApplicationWithoutAUserNameIsDenied(t *testing.T) {
	for _, m := range []mode{noReply, noText, fails, missing} {
		a := newAttempt(t, send("V2 allow")).at(t)
		a.user, a.mode, a.code = nil, m, pamConvErr
		wantDenied(t, a.authenticate(), "the application gave no user name")
	}
}

func TestLogLineIsOneLineWithAnyNames(t *testing.T) {
	hostile := "a\"b\\c\n\x1b[31m\x7f\xff=" + strings.Repeat("x", 10000)
	a := newAttempt(t, "exit=1").at(t)
	a.user, a.rhost = &hostile, &hostile
	o := a.authenticate()
	wantDenied(t, o, ended)
	want := `a\x22b\x5cc\x0a\x1b[31m\x7f\xff=` + strings.Repeat("x", 255-14)
	m := auditLine.FindStringSubmatch(o.log[0])
	if m[1] != want || m[2] != "latchkey-test" || m[3] != want {
		t.Errorf("got %q", m[1:4])
	}
}

func TestTheLogLineHoldsTheLongestValuesEscaped(t *testing.T) {
	hostile := strings.Repeat("\n", 300)
	a := newAttempt(t)
	a.user, a.rhost, a.program = &hostile, &hostile, "/"+hostile
	o := a.authenticate()
	want := strings.Repeat(`\x0a`, 255)
	wantDenied(t, o, "/"+want[4:])
	m := auditLine.FindStringSubmatch(o.log[0])
	if m[1] != want || m[3] != want {
		t.Errorf("got %q", m[1:4])
	}
}

func TestConcurrentLoginsAreIndependent(t *testing.T) {
	must(t, buildLogin)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 5 {
				user := fmt.Sprintf("user-%d-%d", i, j)
				a := newAttempt(t, send("Qcode"), "receive", "judge").at(t)
				a.user, a.answer = &user, user
				if o := a.authenticate(); o.code != pamSuccess {
					t.Errorf("%s: code %d, log %q", user, o.code, o.log)
				}
				a.answer = "another"
				if o := a.authenticate(); o.code != pamAuthErr {
					t.Errorf("%s: code %d, log %q", user, o.code, o.log)
				}
			}
		})
	}
	wait.Wait()
	noChildren(t)
}
