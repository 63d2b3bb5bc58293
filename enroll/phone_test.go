package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/twilio/dispatch"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/standin"
	"latchkey/sshd/terminal"
)

const aliceNumber, bobNumber = "+15551230001", "+15551230002"

const onItsWay = `A code is on its way to \.\.\.`

// login is what alice's login does with Twilio.
func (s *site) login() *dispatch.Dispatcher {
	return &dispatch.Dispatcher{Root: s.root, Clock: time.Now, Watched: -1}
}

// sent is a code that is sent to alice as at a login, and what checks it.
func (s *site) sent() (code string, check func(code string) protocol.Result) {
	s.t.Helper()
	a := s.login().Send(aliceNumber, method.SMS, "")
	if a.Result != protocol.Sent {
		s.t.Fatalf("no code for alice: %+v", a)
	}
	return s.verify.Code(aliceNumber), func(code string) protocol.Result {
		return s.login().Check(aliceNumber, a.SID, code).Result
	}
}

// claims has a user claim a number and type wrong codes until enroll ends. Each try must end in
// an error.
func (s *site) claims(u identity, number string, code func() string) {
	term := s.as(u, "add", "phone", "--number", number)
	if term.Expect("Password: ") != nil || term.Type(password) != nil {
		s.t.Errorf("no password was asked for: %q", term.Seen())
		return
	}
	for term.Expect(`Verification code: |enroll: error: `) == nil &&
		!strings.Contains(term.Seen(), "enroll: error: ") {
		if term.Type(code()) != nil {
			break
		}
	}
	if exit, err := term.Exit(); err != nil || exit != exitFailed {
		s.t.Errorf("a claim with wrong codes: exit status %d, %v: %q", exit, err, term.Seen())
	}
}

// proves types a wrong code and then the one that was sent to a number.
func (s *site) proves(term *terminal.Terminal, number, says string) {
	s.t.Helper()
	expect(s.t, term, onItsWay+number[len(number)-4:]+`\. Verification code: `)
	talk(s.t, term, "", s.verify.WrongCode(number), `not accepted\. Verification code: `,
		s.verify.Code(number), says)
}

// different is a code that is not right, another one each time.
func (s *site) different(number string) func() string {
	n := 0
	return func() string {
		for n++; ; n++ {
			if code := fmt.Sprintf("%06d", n); code != s.verify.Code(number) {
				return code
			}
		}
	}
}

// FAULTS 40: no one can burn a colleague's phone code.
func TestClaimingAColleaguesNumberLeavesTheirCodeAlone(t *testing.T) {
	for name, attack := range map[string]func(*site){
		"once": func(s *site) { s.claims(bob, aliceNumber, s.different(aliceNumber)) },
		"again and again": func(s *site) {
			for range 4 {
				s.claims(bob, aliceNumber, s.different(aliceNumber))
			}
		},
		"written in another way": func(s *site) {
			for _, number := range []string{"+1 555 123 0001", "+1(555)123-0001", "+15551230001"} {
				s.claims(bob, number, s.different(aliceNumber))
			}
		},
		"twenty at once": func(s *site) {
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() { s.claims(bob, aliceNumber, s.different(aliceNumber)) })
			}
			all.Wait()
		},
		"three users": func(s *site) {
			for _, u := range []identity{bob, carol, {User: record.User{Name: "mail", UID: 8}},
				bob} {
				s.claims(u, aliceNumber, s.different(aliceNumber))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, standin.Options{})
			// so that it is not this limit that helps
			s.policy("[phone]\nsends_per_user = \"50/1h\"\n")
			code, check := s.sent()
			attack(s)
			most := 2
			if name == "three users" {
				most = 3
			}
			sends, checks := s.verify.Sends()-1, s.verify.Checks()
			if sends > most || checks > most || checks == 0 {
				t.Errorf("%d sends and %d checks of alice's verification by others, want at "+
					"most %d", sends, checks, most)
			}
			if got := check(code); got != protocol.Approved {
				t.Errorf("after that alice's code is %s", got)
			}
		})
	}
}

// FAULTS 40: nor can they be kept from proving a number of their own.
func TestClaimingANumberLeavesItsOwnersClaimAlone(t *testing.T) {
	s := newSite(t, standin.Options{})
	owner := s.as(carol, "add", "phone", "--number", aliceNumber)
	talk(t, owner, "Password: ", password, onItsWay+`0001\. Verification code: `)
	code := s.verify.Code(aliceNumber)
	for range 3 {
		s.claims(bob, aliceNumber, s.different(aliceNumber))
	}
	talk(t, owner, "", code, `codes for daemon can be sent to "phone", \.\.\.0001`)
	exits(t, owner, exitDone)
}

// FAULTS 40
func TestACodeThatDoesNotProveANumberIsChargedAndLogged(t *testing.T) {
	for name, app := range map[string]bool{"before the first device": false,
		"beside an app": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, standin.Options{})
			start := func(offset int64) *terminal.Terminal {
				term := s.as(bob, "add", "phone", "--number", bobNumber, "--label", "mobile")
				talk(t, term, "Password: ", password)
				if app {
					talk(t, term, "Code from a device you have", codeAt(t, rfcApp(), offset))
				}
				expect(t, term, onItsWay+`0002\. Verification code: `)
				return term
			}
			if app {
				s.withApp(bob)
			}
			term := start(0)
			wrong := s.different(bobNumber)
			first := wrong()
			talk(t, term, "", first, "That code was not accepted. Verification code: ", first,
				"That code was not accepted. Verification code: ", wrong(),
				"no correct code; nothing was changed")
			exits(t, term, exitFailed)
			line := refusedLine(bob, "sms", "mobile", "wrong")
			s.logs(line, line, line)
			if got, checks := s.failures(bob), s.verify.Checks(); got != 2 || checks != 2 {
				t.Errorf("%d failures and %d checks for two wrong codes, one of them twice; "+
					"want 2 and 2", got, checks)
			}
		})
	}
}

func TestARightCodeProvesANumberAndCostsNothing(t *testing.T) {
	s := newSite(t, standin.Options{})
	term := s.as(bob, "add", "phone", "--number", bobNumber)
	talk(t, term, "Password: ", password)
	s.proves(term, bobNumber, `codes for nobody can be sent to "phone", \.\.\.0002`)
	exits(t, term, exitDone)
	got := s.logged()
	if len(got) != 2 || !strings.Contains(got[0], "reason=wrong") ||
		!strings.Contains(got[1], "change=add") {
		t.Errorf("the log has %q, want a wrong code and the change", got)
	}
	host, err := s.keyring().Host.View("host")
	if err != nil || len(host.Devices) != 0 {
		t.Errorf("of a number that was proven the host still counts %v, %v", host, err)
	}
}

// FAULTS 40: a locked user is asked for nothing that could be a guess.
func TestALockedUserProvesNothingAndTwilioIsNotAsked(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.policy("[limits]\nfailures = \"1/10m\"\n")
	s.withPhone(alice, aliceNumber)
	s.withApp(bob)
	for u, args := range map[identity][]string{alice: {"codes"}, bob: {"test"}} {
		term := s.as(u, args...)
		talk(t, term, "Password: ", password, `Verification code: `, "000000", "not accepted")
		term.Close()
	}
	sends, checks := s.verify.Sends(), s.verify.Checks()
	s.logged()
	again := s.as(alice, "codes")
	talk(t, again, "Password: ", password, "too many wrong codes; nothing was changed")
	exits(t, again, exitFailed)
	other := s.as(bob, "add", "phone", "--number", bobNumber)
	talk(t, other, "Password: ", password, "Code from a device you have", codeAt(t, rfcApp(), 0),
		"code not accepted; nothing was changed")
	exits(t, other, exitFailed)
	if s.verify.Sends() != sends || s.verify.Checks() != checks {
		t.Errorf("Twilio was asked: %d sends and %d checks more", s.verify.Sends()-sends,
			s.verify.Checks()-checks)
	}
}

// FAULTS 40: a code sent to the user's own phone is a proof like any other.
func TestACodeSentAsAProofIsChargedAndLoggedAsAtALogin(t *testing.T) {
	for _, args := range [][]string{{"codes"}, {"remove", "mobile"}, {"add", "totp"},
		{"add", "hotp"}, {"add", "phone"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			s := newSite(t, standin.Options{})
			s.withPhone(alice, aliceNumber)
			stranger := s.as(alice, args...)
			talk(t, stranger, "Password: ", "a guess", "password not accepted; nothing was "+
				"changed")
			exits(t, stranger, exitFailed)
			if s.verify.Sends() != 0 {
				t.Error("a code was sent before the password was right")
			}
			s.logs()
			wrong := s.different(aliceNumber)
			thief := s.as(alice, args...)
			talk(t, thief, "Password: ", password, onItsWay+`0001\. Verification code: `, wrong(),
				`not accepted\. Verification code: `, "hello",
				`not accepted\. Verification code: `, wrong(),
				"no correct code; nothing was changed")
			exits(t, thief, exitFailed)
			line := refusedLine(alice, "sms", "mobile", "wrong")
			s.logs(line, line, line)
			if got, checks := s.failures(alice), s.verify.Checks(); got != 2 || checks != 2 {
				t.Errorf("%d failures and %d checks, want 2 and 2", got, checks)
			}
		})
	}
}

func TestAUserWithNothingButAPhoneProvesByItsCode(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withPhone(alice, aliceNumber)
	term := s.as(alice, "codes")
	talk(t, term, "Password: ", password)
	s.proves(term, aliceNumber, "Your recovery codes")
	exits(t, term, exitDone)
	if got := s.failures(alice); got != 1 {
		t.Errorf("%d failures after a wrong code and the right one, want 1", got)
	}
	if st := s.state(alice); len(st.Pendings) != 0 {
		t.Errorf("the code that was used still waits: %v", st.Pendings)
	}
}

// Issue 9, 5.3: the service says how long its codes are.
func TestCodesOfEveryLengthProve(t *testing.T) {
	for length := 4; length <= 10; length++ {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			s := newSite(t, standin.Options{CodeLength: length})
			s.withPhone(alice, aliceNumber)
			own := s.as(alice, "codes")
			talk(t, own, "Password: ", password)
			s.proves(own, aliceNumber, "Your recovery codes")
			exits(t, own, exitDone)
			claim := s.as(bob, "add", "phone", "--number", bobNumber)
			talk(t, claim, "Password: ", password)
			s.proves(claim, bobNumber, "codes for nobody can be sent")
			exits(t, claim, exitDone)
		})
	}
}

// Issue 9, 5.5
func TestTwiliosErrorNumberIsTold(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withPhone(alice, aliceNumber)
	s.verify.Fail(standin.Error(400, 60200))
	for u, args := range map[identity][]string{alice: {"codes"},
		bob: {"add", "phone", "--number", bobNumber}} {
		term := s.as(u, args...)
		talk(t, term, "Password: ", password,
			`no code could be sent \(refused: .*Twilio error 60200\)`)
		exits(t, term, exitFailed)
	}
	s.verify.Fail(nil)
	s.logged()
	term := s.as(carol, "add", "phone", "--number", "+15551230003")
	talk(t, term, "Password: ", password, onItsWay)
	s.verify.Fail(standin.Error(403, 60410))
	talk(t, term, "Verification code: ", "123456",
		`the code could not be checked \(blocked: .*Twilio error 60410\)`)
	exits(t, term, exitFailed)
	s.logs(refusedLine(carol, "sms", "phone", "service"))
	if got := s.failures(carol); got != 1 {
		t.Errorf("%d failures after a code that could not be checked, want 1: it stays charged",
			got)
	}
}

func TestACodeThatIsGoneAtTwilioIsToldAsExpired(t *testing.T) {
	s := newSite(t, standin.Options{})
	_, check := s.sent()
	term := s.as(bob, "add", "phone", "--number", aliceNumber)
	talk(t, term, "Password: ", password, onItsWay)
	if got := check(s.verify.Code(aliceNumber)); got != protocol.Approved {
		t.Fatalf("alice's code is %s", got)
	}
	talk(t, term, "Verification code: ", "123456", "that code has expired; nothing was changed")
	exits(t, term, exitFailed)
	s.logs(refusedLine(bob, "sms", "phone", "expired"))
}

func TestALandlineIsProvenByACall(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.verify.Landline(bobNumber)
	term := s.as(bob, "add", "phone", "--number", bobNumber)
	talk(t, term, "Password: ", password)
	s.proves(term, bobNumber, "codes for nobody can be sent")
	exits(t, term, exitDone)
	if got := s.logged(); len(got) != 2 ||
		!strings.Contains(got[0], `method=call device="phone" reason=wrong`) {
		t.Errorf("the log has %q", got)
	}
}

// The device that proves a change is not removed by it, so a code must not stand for another
// phone's.
func TestACodeOfAnotherPhoneProvesNothing(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withPhone(alice, aliceNumber)
	s.asRoot("--user", alice.Name, "add", "phone", "--label", "stolen", "--number", bobNumber,
		"--yes")
	r, _, err := s.keyring().View(alice.User)
	if err != nil {
		t.Fatal(err)
	}
	a := s.login().Send(bobNumber, method.SMS, "")
	stolen := state.Pending{Device: r.Find("stolen").ID, At: time.Now(), SID: a.SID, Sends: 1}
	if err := s.keyring().KeepPending(alice.User, stolen); err != nil {
		t.Fatal(err)
	}
	thief := s.as(alice, "remove", "stolen")
	talk(t, thief, "Password: ", password, onItsWay+`0001\. Verification code: `,
		s.verify.Code(bobNumber),
		`not accepted\. Verification code: `)
}
