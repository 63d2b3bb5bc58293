package source

import (
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/method"
)

const csvHeader = "user,type,label,secret,algorithm,digits,period,counter,number\n"

func TestEveryKindOfDeviceIsReadFromCSV(t *testing.T) {
	text := csvHeader +
		"alice,totp,phone," + base32Secret + ",sha256,8,60,,\n" +
		"alice,totp,," + strings.ToLower(base32Secret[8:]) + ",,,,,\n" +
		"alice,totp,,0x" + hexSecret[20:] + ",,,,,\n" +
		"\"bob\",hotp,\"his \"\"token\"\", blue\",\"" + base32Secret + "\",,,,77,\n" +
		" carol , phone ,,,,,,,+15551234567\n"
	all, err := CSV(strings.NewReader(text), "f", made)
	if err != nil || len(all) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	alice, bob, carol := all[0].Devices, all[1].Devices, all[2].Devices
	if d := alice[0]; d.Type != method.TOTP || d.Label != "phone" || d.Algorithm != "SHA256" ||
		d.Digits != 8 || d.Period != time.Minute || string(d.Secret) != shared {
		t.Errorf("%+v", d)
	}
	if d := alice[1]; d.Label != "app" || d.Algorithm != "SHA1" || d.Digits != 6 ||
		d.Period != 30*time.Second || string(d.Secret) != shared[5:] {
		t.Errorf("%+v", d)
	}
	if d := alice[2]; d.Label != "app-2" || string(d.Secret) != shared[10:] {
		t.Errorf("%+v", d)
	}
	if d := bob[0]; d.Type != method.HOTP || d.Label != `his "token", blue` || d.Counter != 77 ||
		d.Period != 0 {
		t.Errorf("%+v", d)
	}
	if d := carol[0]; all[2].User != "carol" || d.Type != method.Phone || d.Label != "phone" ||
		string(d.Secret) != "+15551234567" {
		t.Errorf("%+v", d)
	}
}

func TestColumnsStandInAnyOrderAndMayBeLeftOut(t *testing.T) {
	for name, text := range map[string]string{
		"three":             "secret,user,type\n" + base32Secret + ",alice,totp\n",
		"with CR LF":        "type,user,secret\r\ntotp,alice," + base32Secret + "\r\n",
		"as Excel saves it": "\ufeffuser,type,secret\r\nalice,totp," + base32Secret,
	} {
		all, err := CSV(strings.NewReader(text), "f", made)
		if err != nil || len(all) != 1 || all[0].User != "alice" || len(all[0].Devices) != 1 {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
}

func TestALineOfCSVIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ line, why string }{
		"no type": {"alice,,," + base32Secret + ",,,,,",
			"unknown device type; use totp, hotp or phone"},
		"an unknown type": {"alice,TOTP,," + base32Secret + ",,,,,",
			"unknown device type; use"},
		"no secret": {"alice,totp,,,,,,,", "a secret has 10 to 128 bytes"},
		"a secret not in base32": {"alice,totp,,7788!,,,,,",
			"the secret is neither base32 nor hexadecimal"},
		"a secret not in hex": {"alice,totp,,0x77x,,,,,", "the secret is not hexadecimal"},
		"an unknown algorithm": {"alice,totp,," + base32Secret + ",MD77,,,,",
			"unknown algorithm; use"},
		"7 digits": {"alice,totp,," + base32Secret + ",,7,,,",
			"7 digits; only 6 and 8 exist"},
		"no digits": {"alice,totp,," + base32Secret + ",,0,,,", "0 digits"},
		"digits that are none": {"alice,totp,," + base32Secret + ",,six,,,",
			"digits is not a number from 0 to 8"},
		"a period of 0": {"alice,totp,," + base32Secret + ",,,0,,",
			"a period is 1 to 86400 whole seconds"},
		"a period of two days": {"alice,totp,," + base32Secret + ",,,172800,,",
			"period is not a number from 0 to 86400"},
		"a counter below 0": {"alice,hotp,," + base32Secret + ",,,,-77,",
			"counter is not a number"},
		"a counter of an app": {"alice,totp,," + base32Secret + ",,,,5,",
			"counter does not apply to a totp"},
		"a period of a token": {"alice,hotp,," + base32Secret + ",,,30,,",
			"period does not apply to a hotp"},
		"a secret of a phone": {"alice,phone,," + base32Secret + ",,,,,+15551234567",
			"secret does not apply to a phone"},
		"no number": {"alice,phone,,,,,,,", "the phone's number is not E.164"},
		"a number as people write": {"alice,phone,,,,,,,+1 555 123 7777",
			"the phone's number is not E.164"},
		"a label with a line feed": {"alice,totp,\"a\nb\"," + base32Secret + ",,,,,",
			"printable characters only"},
		"a secret twice": {"alice,totp,," + base32Secret + ",,,,,",
			"another device of this user has this secret or number"},
		"a label twice": {"alice,totp,first," + base32Secret[8:] + ",,,,,",
			"another device of this user has this label"},
		"a field too few": {"alice,totp,," + base32Secret + ",,,,",
			"8 fields, and the first line names 9"},
		"a field too many": {"alice,totp,," + base32Secret + ",,,,,,",
			"10 fields, and the first line names 9"},
	} {
		t.Run(name, func(t *testing.T) {
			text := csvHeader + "alice,totp,first," + base32Secret + ",,,,,\n" + c.line +
				"\nbob,totp,," + base32Secret + ",,,,,\n"
			all, err := CSV(strings.NewReader(text), "f", made)
			if err != nil {
				t.Fatal(err)
			}
			users := byUser(t, all)
			refused(t, users["alice"].Err, "f:3", c.why, "77", base32Secret)
			if len(users["alice"].Devices) != 0 {
				t.Error("alice's other device was taken over without this one")
			}
			if len(users["bob"].Devices) != 1 || users["bob"].Err != nil {
				t.Errorf("bob: %+v", users["bob"])
			}
		})
	}
}

func TestACSVFileIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, where, why string }{
		"nothing": {"", "f:1", "nothing there"},
		"no header": {"alice,totp,," + base32Secret + ",,,,,\n", "f:1",
			"does not name the columns"},
		"an unknown column":      {"user,type,secret,color\n", "f:1", "does not name the columns"},
		"a column twice":         {"user,type,secret,user\n", "f:1", "does not name the columns"},
		"no column for the user": {"type,secret\n", "f:1", "the columns user, type"},
		"no column for a secret": {"user,type\n", "f:1", "the columns user, type"},
		"a quote that never ends": {csvHeader + "alice,totp,," + base32Secret +
			",,,,,\nbob,totp,\"x," + base32Secret + ",,,,,\n",
			"f:3", `extraneous or missing " in quoted-field`},
		"a quote in the middle": {csvHeader + "alice,totp,a\"b," + base32Secret + ",,,,,\n",
			"f:2", `bare " in non-quoted-field`},
	} {
		_, err := CSV(strings.NewReader(c.text), "f", made)
		t.Run(name, func(t *testing.T) {
			refused(t, err, c.where, c.why, base32Secret, "alice", "color")
		})
	}
}

func TestALineOfCSVWithoutAUserStopsNoOtherUser(t *testing.T) {
	text := csvHeader + ",totp,," + base32Secret + ",,,,,\nbob,totp,," + base32Secret + ",,,,,\n"
	all, err := CSV(strings.NewReader(text), "f", made)
	if err != nil || len(all) != 2 || all[1].User != "bob" || all[1].Err != nil {
		t.Fatalf("%+v, %v", all, err)
	}
	refused(t, all[0].Err, "f:2", "no user")
}

func TestAShortSecretIsTaken(t *testing.T) {
	all, err := CSV(strings.NewReader("user,type,secret\nalice,totp,JBSWY3DPEHPK3PXP\n"), "f",
		made)
	want := []string{`the secret of "app" has 10 bytes, RFC 4226 asks for 16`}
	if err != nil || all[0].Err != nil || !slices.Equal(all[0].Notes, want) {
		t.Errorf("%+v, %v", all, err)
	}
}
