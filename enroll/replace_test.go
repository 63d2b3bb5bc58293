package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"latchkey/pam/notify/event"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/standin"
	"latchkey/sshd/terminal"
)

// savedRecord is the text of a user's record.
func (s *site) savedRecord(u identity) string {
	s.t.Helper()
	text, err := os.ReadFile(s.root + "/etc/latchkey/users/" + u.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// keepsRecord demands, when the test ends, that a user's record is what it was.
func (s *site) keepsRecord(t *testing.T, u identity) {
	before := s.savedRecord(u)
	t.Cleanup(func() {
		if s.savedRecord(u) != before {
			t.Error("the record was changed")
		}
	})
}

// tests demands what enroll test says of a code, to root.
func (s *site) tests(u identity, code, says string) {
	s.t.Helper()
	term := started(s.t, usualColumns, 24, []string{s.exe, "test", "--user", u.Name})
	talk(s.t, term, "Verification code: ", code, says)
	if _, err := term.Exit(); err != nil {
		s.t.Error(err)
	}
}

const (
	askedForProof = `or a recovery code\. Verification code: `
	askedForNew   = `Type the code that the app shows now\. Verification code: `
)

// replacing is enroll replace --plain, up to the question for a code of the new app.
func (s *site) replacing(u identity, proof string, args ...string) (*terminal.Terminal,
	*record.Device) {
	s.t.Helper()
	term := s.as(u, append([]string{"replace", "--plain"}, args...)...)
	talk(s.t, term, "Password: ", password, askedForProof, proof, askedForNew)
	return term, byHand(s.t, term)
}

// pageOf is what a page shows behind a command, with what differs from one run to the next masked.
func pageOf(t *testing.T, page, command string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, shown, found := strings.Cut(string(text), "\n$ "+command+"\n")
	shown, _, closed := strings.Cut(shown, "\n```")
	if !found || !closed {
		t.Fatalf("%s shows no %s", page, command)
	}
	return masked(shown)
}

// masked is a transcript without what differs from one run to the next.
func masked(text string) string {
	for _, m := range [][2]string{
		{`\r`, ""}, {`[A-Z2-7]{4}( [A-Z2-7]{4}){7}`, "SECRET"},
		{`\b[0-9]{6}\b`, "CODE"}, {`\b[0-9a-z]{5}-[0-9a-z]{5}\b`, "RECOVERY CODE"},
		{`\b(games|alice)\b`, "USER"}, {`USER on [^,]*`, "USER on HOST"}, {` +\n`, "\n"},
	} {
		text = regexp.MustCompile(m[0]).ReplaceAllString(text, m[1])
	}
	return strings.TrimSpace(text)
}

func TestReplaceShowsWhatThePageForUsersShows(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	term := s.as(alice, "replace")
	talk(t, term, "Password: ", password, askedForProof, codeAt(t, rfcApp(), 0), askedForNew)
	drawn := regexp.MustCompile(`(?m)(^.*[█▀▄].*\n)+`)
	typed(t, term, codeAt(t, byHand(t, term), 0))
	exits(t, term, exitDone)
	got := masked(drawn.ReplaceAllString(term.Seen(), "(the QR code)\n"))
	if want := pageOf(t, "../packaging/doc/users.md", "enroll replace"); got != want {
		t.Errorf("got\n%s\n\nthe page shows\n%s", got, want)
	}
}

// The usual case: the old phone still works.
func TestANewPhoneTakesThePlaceOfTheOldOneAfterACodeOfTheOldOne(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	old := strings.Fields(s.asRoot("codes", "--yes", alice.Name))
	s.trusting(alice, threeComputers()...)
	heard := s.listen()
	s.logged()
	proof := codeAt(t, rfcApp(), 0)
	term, d := s.replacing(alice, proof, "--label", "new phone")
	confirmed := codeAt(t, d, 0)
	talk(t, term, "", confirmed, `Step 3 of 3\. Your recovery codes`)
	exits(t, term, exitDone)
	codes := regexp.MustCompile(`[0-9a-z]{5}-[0-9a-z]{5}`).FindAllString(term.Seen(), -1)
	if len(codes) != 10 || codes[0] == old[0] {
		t.Fatalf("got recovery codes %q, want 10 new ones", codes)
	}
	s.logs(`change=remove user="games" by="games" device="app" detail="replaced"`,
		`change=add user="games" by="games" device="new phone" detail="totp"`,
		`change=codes user="games" by="games" device=""`)
	if got := s.asRoot("list"); got != "games                new phone (totp)\n" {
		t.Errorf("got devices %q, want the new one alone", got)
	}
	if st := s.state(alice); len(st.Trusts) > 0 {
		t.Errorf("got trust %v, want none", st.Trusts)
	}
	told := strings.Join(heard(2), "\n")
	for _, want := range []event.Event{{Kind: event.DeviceRemoved, Device: "app",
		Detail: "replaced"}, {Kind: event.DeviceAdded, Device: "new phone", Method: "totp"}} {
		if !strings.Contains(told, `"event":"`+string(want.Kind)+`"`) ||
			!strings.Contains(told, `"device":"`+want.Device+`"`) {
			t.Errorf("the owner heard %s, not of %+v", told, want)
		}
	}
	s.tests(alice, codeAt(t, rfcApp(), 1), "code not accepted")
	s.tests(alice, confirmed, "was used before")
	s.tests(alice, old[0], "code not accepted")
}

func TestALostPhoneIsReplacedWithARecoveryCode(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	old := strings.Fields(s.asRoot("codes", "--yes", alice.Name))
	term, d := s.replacing(alice, old[0])
	talk(t, term, "", codeAt(t, d, 0), `Done: the device "app" is set up for games`)
	exits(t, term, exitDone)
	s.tests(alice, codeAt(t, rfcApp(), 0), "code not accepted")
	s.tests(alice, codeAt(t, d, 1), `accepted: device "app"`)
}

func TestReplaceIsRefusedWithoutAProof(t *testing.T) {
	used := codeAt(t, rfcApp(), 0)
	for name, c := range map[string]struct{ password, code, says string }{
		"a wrong password":       {"a guess", "", "password not accepted; nothing was changed"},
		"a wrong code":           {password, wrongCode(), "code not accepted; nothing was changed"},
		"a code used before":     {password, used, "was used before"},
		"a used recovery code":   {password, "", "was used before"},
		"a code of 10 steps ago": {password, codeAt(t, rfcApp(), -10), "code not accepted"},
		"nothing":                {password, " ", "code not accepted"},
		"a word":                 {password, "sms", "code not accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, standin.Options{})
			s.withApp(alice)
			recovery := strings.Fields(s.asRoot("codes", "--yes", alice.Name))
			s.tests(alice, used, "accepted")
			s.tests(alice, recovery[0], "accepted")
			s.keepsRecord(t, alice)
			s.logged()
			if name == "a used recovery code" {
				c.code = recovery[0]
			}
			term := s.as(alice, "replace")
			talk(t, term, "Password: ", c.password)
			if c.password == password {
				talk(t, term, askedForProof, c.code)
			}
			expect(t, term, c.says)
			exits(t, term, exitFailed)
			if strings.Contains(term.Seen(), "Step 1") {
				t.Error("a secret was shown")
			}
			for _, line := range s.logged() {
				if strings.Contains(line, "change=") {
					t.Errorf("the log has %s", line)
				}
			}
		})
	}
}

func TestReplaceWithWrongCodesOfTheNewAppKeepsTheOldOne(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	s.keepsRecord(t, alice)
	// a code of the old app is not one of the new app
	term, _ := s.replacing(alice, codeAt(t, rfcApp(), 0))
	again := "That code is wrong|about [0-9]+ seconds"
	talk(t, term, "", codeAt(t, rfcApp(), 1), again, codeAt(t, rfcApp(), 1), again, "000000",
		"no correct code; nothing was saved")
	exits(t, term, exitFailed)
	s.tests(alice, codeAt(t, rfcApp(), 1), `accepted: device "app"`)
}

// FAULTS 31
func TestReplaceAbortedAtAnyPromptKeepsTheOldApp(t *testing.T) {
	s := newSite(t, standin.Options{})
	for prompt := range 4 {
		for name, key := range map[string]string{"interrupt": "\x03", "end of file": "\x04",
			"hang-up": ""} {
			s.asRoot("import", "--replace", s.twoApps())
			before := s.savedRecord(alice)
			term := s.as(alice, "replace")
			steps := []string{`number or name: `, "1", "Password: ", password, askedForProof,
				codeAt(t, rfcApp(), 0), askedForNew}
			talk(t, term, steps[:2*prompt+1]...)
			if key == "" {
				term.Close()
			} else {
				typed(t, term, key)
				if _, err := term.Exit(); err != nil {
					t.Fatal(err)
				}
			}
			if s.savedRecord(alice) != before {
				t.Errorf("%s at prompt %d: the record was changed", name, prompt+1)
			}
			s.asRoot("reset", alice.Name)
		}
	}
}

// twoApps is a file that gives alice two apps, the first with the RFC's test secret.
func (s *site) twoApps() (path string) {
	s.t.Helper()
	path = s.root + "/two.csv"
	put(s.t, path, "user,type,label,secret\ngames,totp,app,"+rfcSecret+
		"\ngames,totp,tablet,JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n", 0o600)
	return path
}

func TestWithSeveralAppsReplaceAsksWhich(t *testing.T) {
	for name, c := range map[string]struct {
		args         []string
		answer, left string
	}{
		"by number":          {nil, "1", "tablet app"},
		"the other":          {nil, "2", "app tablet"},
		"by name":            {nil, " tablet ", "app tablet"},
		"without a question": {[]string{"--device", "tablet"}, "", "app tablet"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, standin.Options{})
			s.asRoot("import", s.twoApps())
			before := s.devices(alice)
			term := s.as(alice, append([]string{"replace", "--plain"}, c.args...)...)
			if c.answer != "" {
				talk(t, term, `1  app, since 2[-0-9]+\s+2  tablet, since 2[-0-9]+\s+`+
					`Its number or name: `, c.answer)
			}
			talk(t, term, "Password: ", password, askedForProof, codeAt(t, rfcApp(), 0),
				askedForNew)
			typed(t, term, codeAt(t, byHand(t, term), 0))
			exits(t, term, exitDone)
			after := s.devices(alice)
			kept, changed, _ := strings.Cut(c.left, " ")
			if len(after) != 2 || after[kept] != before[kept] || after[changed] == before[changed] {
				t.Errorf("got devices %v after %v, want %s kept and %s another one", after, before,
					kept, changed)
			}
		})
	}
}

// devices are the ids of a user's devices, by their labels.
func (s *site) devices(u identity) map[string]string {
	s.t.Helper()
	var status struct{ Devices []struct{ ID, Label string } }
	if err := json.Unmarshal([]byte(s.asRoot("status", "--json", u.Name)), &status); err != nil {
		s.t.Fatal(err)
	}
	ids := map[string]string{}
	for _, d := range status.Devices {
		ids[d.Label] = d.ID
	}
	return ids
}

func TestAnAppThatIsNoneOfTheUsersIsNotReplaced(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.asRoot("import", s.twoApps())
	s.logged()
	s.keepsRecord(t, alice)
	for _, answer := range []string{"", "0", "3", "-1", "phone", "app tablet"} {
		term := s.as(alice, "replace")
		talk(t, term, "number or name: ", answer, "that is none of them; nothing was changed")
		exits(t, term, exitFailed)
	}
	term := s.as(alice, "replace", "--device", "phone")
	expect(t, term, `games has no device "phone"`)
	exits(t, term, exitFailed)
	s.logs()
}

// FAULTS 30
func TestReplaceIsForOneself(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	s.asRoot("add", "totp", "--label", "app", "--yes", bob.Name)
	s.logged()
	s.keepsRecord(t, alice)
	for _, args := range [][]string{{"--user", alice.Name}, {alice.Name},
		{"--user", alice.Name, "--yes"}} {
		term := s.as(bob, append([]string{"replace"}, args...)...)
		expect(t, term, "only root may name another user|are for root")
		exits(t, term, exitFailed)
	}
	for _, args := range [][]string{{"--yes"}, {"--yes", "--json"},
		{"--yes", "--secret-file", "/dev/null"}} {
		term := s.as(alice, append([]string{"replace"}, args...)...)
		expect(t, term, "--yes and --secret-file are for root")
		exits(t, term, exitFailed)
	}
	root := started(t, usualColumns, 24, []string{s.exe, "replace", "--plain", bob.Name})
	expect(t, root, askedForNew) // and nothing else
	typed(t, root, codeAt(t, byHand(t, root), 0))
	expect(t, root, `Done: the device "app" is set up for nobody`)
	exits(t, root, exitDone)
}

// Otherwise it would be refused only after the app was set up, or an SMS sent.
func TestALabelThatIsTakenIsRefusedBeforeAnythingIsShown(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.asRoot("import", s.twoApps())
	s.keepsRecord(t, alice)
	for _, args := range [][]string{
		{"replace", "--device", "app", "--label", "tablet"},
		{"add", "totp", "--label", "tablet"}, {"add", "hotp", "--label", "tablet"},
		{"add", "phone", "--label", "tablet"}, {"add", "key", "--label", "tablet"},
	} {
		term := s.as(alice, args...)
		expect(t, term, `error: there is a device "tablet" already`)
		exits(t, term, exitFailed)
		if strings.Contains(term.Seen(), "Password") {
			t.Errorf("%q: it asked first: %s", args, term.Seen())
		}
	}
	same := s.as(alice, "replace", "--plain", "--device", "tablet", "--label", "tablet")
	talk(t, same, "Password: ", password, askedForProof, codeAt(t, rfcApp(), 0), askedForNew)
}

func TestTheSecondOfTwoReplacementsAtOnceIsRefused(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	first, app := s.replacing(alice, codeAt(t, rfcApp(), 0))
	second, other := s.replacing(alice, codeAt(t, rfcApp(), 1))
	talk(t, first, "", codeAt(t, app, 0), "Done: ")
	exits(t, first, exitDone)
	s.keepsRecord(t, alice)
	talk(t, second, "", codeAt(t, other, 0), "the devices of this account were changed meanwhile; "+
		"nothing was changed here")
	exits(t, second, exitFailed)
}

func TestALabelWithBlanksIsQuotedWhereItIsToBeTyped(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.asRoot("import", s.twoApps())
	s.asRoot("rename", "app", "--label", "Bob's phone", alice.Name)
	out, err := exec.Command(s.exe, "replace", "--yes", alice.Name).CombinedOutput()
	if want := `--device 'Bob'\''s phone' or tablet`; err == nil ||
		!strings.Contains(string(out), want) {
		t.Errorf("got %v, %s, want %s", err, out, want)
	}
}

// Until the new app is confirmed, the old one stays: there must be room for both. That there is
// none is said before anything is asked.
func TestReplaceAndAddAreRefusedAtOnceWhereNoDeviceFits(t *testing.T) {
	s := newSite(t, standin.Options{})
	var devices []record.Device
	for n := range state.MaxDevices {
		devices = append(devices, testroot.TOTP(fmt.Sprintf("app-%d", n)))
	}
	testroot.Root(s.root).Enroll(t, alice.Name, alice.UID, devices...)
	s.keepsRecord(t, alice)
	for _, args := range [][]string{
		{"replace", "--plain", "--device", "app-0"}, {"add", "totp", "--plain"}, {"add", "phone"},
	} {
		term := s.as(alice, args...)
		expect(t, term, "32 devices already, and there is no room for another")
		if status, err := term.Exit(); err != nil || status != 1 ||
			strings.Contains(term.Seen(), "Password") {
			t.Errorf("%s: got exit status %d, %v: %s", args[0], status, err, term.Seen())
		}
	}
}
