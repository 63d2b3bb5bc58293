package source

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
)

var hexSecret = hex.EncodeToString([]byte(shared))

func byUser(t *testing.T, all []Entry) map[string]Entry {
	t.Helper()
	users := map[string]Entry{}
	for _, e := range all {
		if _, twice := users[e.User]; twice {
			t.Errorf("%q has two entries", e.User)
		}
		users[e.User] = e
	}
	return users
}

// testdata/users.oath was used by pam_oath (2.6.7), by all users who have a last code.
func TestAUsersFileOfTheRealModuleIsTakenOver(t *testing.T) {
	all, err := Oath(strings.NewReader(readFile(t, "users.oath")), "users.oath", made)
	if err != nil {
		t.Fatal(err)
	}
	const lastStep = 59845355
	users := byUser(t, all)
	for name, want := range map[string][]string{
		"alice": {"oath hotp 6 0s 4"}, "bob": {"oath hotp 8 0s 46"},
		"carol": {fmt.Sprintf("oath totp 6 30s %d", lastStep)}, "dave": {"oath totp 8 1m0s 0"},
		"grace": {fmt.Sprintf("oath totp 6 30s %d", lastStep), "oath-2 hotp 6 0s 3"},
		"heidi": {"oath totp 6 30s 0"},
	} {
		var got []string
		for _, d := range users[name].Devices {
			got = append(got, fmt.Sprintf("%s %s %d %s %d", d.Label, d.Type, d.Digits, d.Period,
				d.Counter))
		}
		if !slices.Equal(got, want) || users[name].Err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, users[name].Err, want)
		}
	}
	refused(t, users["erin"].Err, "users.oath:7", "7 digits; only 6 and 8 exist")
	refused(t, users["frank"].Err, "users.oath:8", "it has a PIN, which latchkey does not "+
		"support", "1234")
	if lost := users["dave"].Lost; !slices.Equal(lost, []string{"PIN + (here the password is " +
		"asked for by itself)"}) {
		t.Errorf("dave: lost %q", lost)
	}
	if len(all) != 8 || all[0].User != "alice" || all[7].User != "heidi" {
		t.Errorf("%d entries", len(all))
	}
}

// oathFile reads one line of alice's.
func oathFile(t *testing.T, line string, now time.Time) Entry {
	t.Helper()
	all, err := Oath(strings.NewReader(line), "f", now)
	if err != nil || len(all) != 1 || all[0].Err != nil {
		t.Fatalf("%s: %+v, %v", line, all, err)
	}
	return all[0]
}

func TestTheCodeThatPamOathAcceptedLastIsNotAcceptedAgain(t *testing.T) {
	device := Device{enrollment.NewTOTP("x", []byte(shared), "SHA1", 6, 30*time.Second, made), 0}
	now := oath.Step(&device.Device, made)
	for name, c := range map[string]struct {
		used  int64         // steps from now
		ago   time.Duration // when, as the file says
		zone  *time.Location
		start int64 // the step taken over, from now
	}{
		"just now":                              {0, 0, time.UTC, 0},
		"the step before, just now":             {-1, 0, time.UTC, -1},
		"the step after, by a phone in a hurry": {1, 0, time.UTC, 1},
		"twenty steps ahead":                    {20, 0, time.UTC, 20},
		"yesterday":                             {-2880, 24 * time.Hour, time.UTC, -2880},
		"yesterday, some steps ahead":           {-2880 + 7, 24 * time.Hour, time.UTC, -2880 + 7},
		"just now, in another place":            {0, 0, time.FixedZone("", 5*3600), 0},
		"by a file of another place":            {0, -3 * time.Hour, time.UTC, 0},
		"a code of no step near":                {-2000, 24 * time.Hour, time.UTC, -2880},
	} {
		t.Run(name, func(t *testing.T) {
			when := made.Add(-c.ago).In(c.zone)
			line := fmt.Sprintf("HOTP/T30 alice - %s 0 %s %s", hexSecret,
				code(t, &device, uint64(int64(now)+c.used)), when.Format("2006-01-02T15:04:05L"))
			e := oathFile(t, line, made.In(c.zone))
			if got := int64(e.Devices[0].Counter) - int64(now); got != c.start {
				t.Errorf("taken over: %+d, want %+d", got, c.start)
			}
		})
	}
	e := oathFile(t, fmt.Sprintf("HOTP/T30 alice - %s 0 %s", hexSecret, code(t, &device, now)),
		made)
	if e.Devices[0].Counter != now {
		t.Errorf("without a time: %d, want %d", e.Devices[0].Counter, now)
	}
}

func TestTheCounterOfATokenIsTheNext(t *testing.T) {
	for line, want := range map[string]uint64{
		"HOTP alice - " + hexSecret:                                        0,
		"HOTP/E alice - " + hexSecret + " 7":                               7,
		"HOTP/E/6 alice - " + hexSecret + " 7 123456":                      8,
		"HOTP/E/8 alice + " + hexSecret + " 7 123456 2026-11-22T15:17:36L": 8,
	} {
		d := oathFile(t, line, made).Devices[0]
		if d.Type != method.HOTP || d.Counter != want {
			t.Errorf("%s: %s, counter %d; want %d", line, d.Type, d.Counter, want)
		}
	}
}

func TestALineOfAUsersFileIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ line, why string }{
		"7 digits": {"HOTP/E/7 alice - " + hexSecret,
			"7 digits; only 6 and 8 exist"},
		"7 digits by time": {"HOTP/T60/7 alice - " + hexSecret,
			"7 digits; only 6 and 8 exist"},
		"a PIN":     {"HOTP alice 7777 " + hexSecret, "a PIN"},
		"no secret": {"HOTP alice -", "not 4 to 7 fields"},
		"a field too many": {"HOTP alice - " + hexSecret +
			" 0 123456 2026-11-22T15:17:36L x", "not 4 to 7 fields"},
		"half a byte": {"HOTP alice - 313", "the secret is not in hexadecimal"},
		"a secret in base32": {"HOTP alice - " + base32Secret,
			"the secret is not in hexadecimal"},
		"a short secret": {"HOTP alice - 3132", "a secret has 10 to 128 bytes"},
		"a counter that is no number": {"HOTP alice - " + hexSecret + " 77x",
			"the counter is not a number"},
		"a counter below 0": {"HOTP alice - " + hexSecret + " -1",
			"the counter is not a number"},
		"a counter beyond all tokens": {"HOTP alice - " + hexSecret + " 18446744073709551615",
			"the counter is not a number, or too large"},
		"a last code that is no number": {"HOTP alice - " + hexSecret + " 0 77777x",
			"the last code is not a number"},
		"a time without the L": {"HOTP alice - " + hexSecret +
			" 0 123456 2026-11-22T15:17:36", "the time is not written as"},
		"a time that is none": {"HOTP alice - " + hexSecret +
			" 0 123456 2026-13-22T15:17:36L", "the time is not written as"},
	} {
		t.Run(name, func(t *testing.T) {
			good := "HOTP alice - " + hexSecret
			text := "# x\n" + good + "\n" + c.line + "\nHOTP bob - " + hexSecret + "\n"
			all, err := Oath(strings.NewReader(text), "f", made)
			if err != nil {
				t.Fatal(err)
			}
			users := byUser(t, all)
			refused(t, users["alice"].Err, "f:3", c.why, "77", hexSecret, base32Secret)
			if len(users["alice"].Devices) != 0 {
				t.Error("alice's other token was taken over without this one")
			}
			if len(users["bob"].Devices) != 1 || users["bob"].Err != nil {
				t.Errorf("bob: %+v", users["bob"])
			}
		})
	}
}

func TestALineWithoutAUserStopsNoOtherUser(t *testing.T) {
	all, err := Oath(strings.NewReader("HOTP\nnonsense\nHOTP bob - "+hexSecret+"\n"), "f", made)
	if err != nil || len(all) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	refused(t, all[0].Err, "f:1", "not 4 to 7 fields")
	refused(t, all[1].Err, "f:2", "a type of token", "nonsense")
	if all[2].User != "bob" || all[2].Err != nil {
		t.Errorf("%+v", all[2])
	}
}

func TestMoreTokensThanFitAreRefused(t *testing.T) {
	var lines strings.Builder
	for n := range 33 {
		fmt.Fprintf(&lines, "HOTP alice - %s%02x\n", hexSecret, n)
	}
	all, err := Oath(strings.NewReader(lines.String()), "f", made)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, all[0].Err, "f:33", "more than 32 devices")
}

// FAULTS 45: liboath passes over a line whose type it does not know, so the user goes on with the
// other tokens.
func TestALineThatOathPassesOverIsNamedAndTheRestTakenOver(t *testing.T) {
	text := "MOTP alice - " + hexSecret + "\nHOTP alice - " + hexSecret + "\nMOTP bob - " +
		hexSecret + "\n"
	all, err := Oath(strings.NewReader(text), "f", made)
	if err != nil || len(all) != 2 {
		t.Fatalf("got %+v, %v", all, err)
	}
	want := "line 1 was ignored: a type of token that pam_oath does not have"
	if alice := all[0]; alice.Err != nil || len(alice.Devices) != 1 ||
		!slices.Contains(alice.Notes, want) {
		t.Errorf("got %+v, want one device and the note %q", alice, want)
	}
	refused(t, all[1].Err, "f:3", "a type of token that pam_oath does not have")
}
