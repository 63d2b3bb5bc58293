package record

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/pam/method"
)

// secretKey returns the host key of these tests.
func secretKey(t testing.TB, fill byte) *key {
	t.Helper()
	k, err := deriveKey(bytes.Repeat([]byte{fill}, keySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func twoDevices() *Record {
	created := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	return &Record{Name: "alice", UID: 1000, Devices: []Device{
		{
			ID:        [8]byte{1},
			Type:      method.TOTP,
			Label:     "phone",
			Created:   created,
			Secret:    []byte("01234567890123456789"),
			Algorithm: "SHA1",
			Digits:    6,
			Period:    30 * time.Second,
		},
		{
			ID:        [8]byte{2},
			Type:      method.TOTP,
			Label:     "tablet",
			Created:   created,
			Secret:    []byte("98765432109876543210"),
			Algorithm: "SHA256",
			Digits:    8,
			Period:    time.Minute,
		},
	}}
}

// bodyOf returns a record without its first line.
func bodyOf(t testing.TB, k *key, r *Record) string {
	t.Helper()
	file, err := k.encode(r)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(file), "\n")
	return text
}

// signed returns a file that anyone with the host key could have made.
func signed(k *key, body string) []byte { return []byte(k.macLine([]byte(body)) + body) }

func TestARecordWithAnySingleBitFlippedIsRefused(t *testing.T) {
	k := secretKey(t, 1)
	file, err := k.encode(twoDevices())
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(file) * 8 {
		file[bit/8] ^= 1 << (bit % 8)
		if _, err := k.decode(file); err == nil {
			t.Errorf("byte %d, bit %d: it was read", bit/8, bit%8)
		}
		file[bit/8] ^= 1 << (bit % 8)
	}
}

func TestInvalidRecordWithValidMACIsRefused(t *testing.T) {
	k := secretKey(t, 1)
	secrets := regexp.MustCompile(`secret = ['"][^'"]+['"]`)
	good := bodyOf(t, k, twoDevices())
	sealed := secrets.FindAllString(good, 2)
	line := func(key string) string {
		return regexp.MustCompile(`(?m)^` + key + ` = .*\n`).FindString(good)
	}
	cases := []struct{ name, text, says string }{
		{"with the secrets of two devices swapped",
			strings.NewReplacer(sealed[0], sealed[1], sealed[1], sealed[0]).Replace(good),
			"sealed for another"},
		{"with another name", strings.Replace(good, "alice", "bob", 1), "sealed for another"},
		{"with another uid", strings.Replace(good, "uid = 1000", "uid = 1001", 1),
			"sealed for another"},
		{"with another device's id",
			strings.Replace(good, "0100000000000000", "0300000000000000", 1),
			"sealed for another"},
		{"with a secret that is cut",
			strings.Replace(good, sealed[0], sealed[0][:10]+sealed[0][14:], 1),
			"sealed for another"},
		{"with a secret that is not base64", strings.Replace(good, sealed[0], "secret = '***'", 1),
			"not base64"},
		{"with an unknown key", good + "color = 'blue'\n", "line 26: unknown key"},
		{"with an unknown key at the top", strings.Replace(good, "uid = ", "color = 1\nuid = ", 1),
			"line 4: unknown key"},
		{"with an unknown table", good + "[color]\n", "line 26: unknown table"},
		{"with a key twice", strings.Replace(good, line("uid"), line("uid")+line("uid"), 1),
			"not a record"},
		{"that is not TOML", good + "=\n", "not a record"},
		{"with nothing in it", "", "version"},
		{"without a version", strings.Replace(good, line("version"), "", 1), "another version"},
		{"without a name", strings.Replace(good, line("name"), "", 1), ""},
		{"without a uid", strings.Replace(good, line("uid"), "", 1), ""},
		{"without an enrollment", strings.Replace(good, line("enrollment"), "", 1),
			"32 hex digits"},
		{"without an id", strings.Replace(good, line("id"), "", 1), "out of range"},
		{"without a type", strings.Replace(good, line("type"), "", 1), "unknown type"},
		{"without a label", strings.Replace(good, line("label"), "", 1), "label"},
		{"without a time of creation", strings.Replace(good, line("created"), "", 1), "created"},
		{"without an algorithm", strings.Replace(good, line("algorithm"), "", 1),
			"unknown algorithm"},
		{"without digits", strings.Replace(good, line("digits"), "", 1), "0 digits"},
		{"without a period", strings.Replace(good, line("period"), "", 1), "period"},
		{"without a secret", strings.Replace(good, sealed[0], "", 1), "sealed for another"},
		{"with a period that overflows",
			strings.Replace(good, "period = 30", "period = 9223372036854775807", 1),
			"line 14: period must be"},
		{"with a negative period", strings.Replace(good, "period = 30", "period = -30", 1),
			"line 14: period must be"},
		{"with a uid that is too large",
			strings.Replace(good, "uid = 1000", "uid = 4294967296", 1), "not a record"},
		{"with a negative uid", strings.Replace(good, "uid = 1000", "uid = -1", 1),
			"not a record"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.text == good {
				t.Fatal("the case changes nothing")
			}
			_, err := k.decode(signed(k, c.text))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got error %v, want one that says %q", err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "blue") {
				t.Errorf("%v shows what stands in the file", err)
			}
		})
	}
}

func TestRecordIsNotReadWithAnotherHostKey(t *testing.T) {
	file, err := secretKey(t, 1).encode(twoDevices())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := secretKey(t, 2).decode(file); err != ErrMAC {
		t.Errorf("error is %v", err)
	}
}

func TestNonNumericVersionIsDamageNotANewerRecord(t *testing.T) {
	k := secretKey(t, 1)
	good := bodyOf(t, k, twoDevices())
	for _, version := range []string{"x", "", "1x", "-1", "99999999999", `"2"`} {
		file := "mac = \"\"\n" + strings.Replace(good, "version = 1", "version = "+version, 1)
		if _, err := k.decode([]byte(file)); err != ErrMAC {
			t.Errorf("%q: %v", version, err)
		}
	}
	if _, err := k.decode([]byte("mac = \"\"\nversion = 65535\n")); !errors.Is(err, ErrNewer) {
		t.Errorf("65535: %v", err)
	}
}

func TestRecordThatLoginCouldNotUseIsNotWritten(t *testing.T) {
	cases := map[string]func(r *Record){
		"two devices of one label":  func(r *Record) { r.Devices[1].Label = "phone" },
		"two devices of one id":     func(r *Record) { r.Devices[1].ID = r.Devices[0].ID },
		"33 devices":                func(r *Record) { r.Devices = make([]Device, 33) },
		"an empty label":            func(r *Record) { r.Devices[0].Label = "" },
		"a label of two lines":      func(r *Record) { r.Devices[0].Label = "a\nb" },
		"a label with an escape":    func(r *Record) { r.Devices[0].Label = "a\x1b[2J" },
		"a label with a bidi mark":  func(r *Record) { r.Devices[0].Label = "a\u202eb" },
		"a label that is not UTF-8": func(r *Record) { r.Devices[0].Label = "a\xff" },
		"a label of 65 bytes": func(r *Record) {
			r.Devices[0].Label = strings.Repeat("x", 65)
		},
		"an unknown type":           func(r *Record) { r.Devices[0].Type = "hotp2" },
		"MD5":                       func(r *Record) { r.Devices[0].Algorithm = "MD5" },
		"7 digits":                  func(r *Record) { r.Devices[0].Digits = 7 },
		"a period of no time":       func(r *Record) { r.Devices[0].Period = 0 },
		"a period of half a second": func(r *Record) { r.Devices[0].Period = time.Second / 2 },
		"a period with a fraction": func(r *Record) {
			r.Devices[0].Period = 1500 * time.Millisecond
		},
		"a period of more than a day": func(r *Record) {
			r.Devices[0].Period = 24*time.Hour + time.Second
		},
		"a secret of 9 bytes":   func(r *Record) { r.Devices[0].Secret = make([]byte, 9) },
		"a secret of 129 bytes": func(r *Record) { r.Devices[0].Secret = make([]byte, 129) },
		"no secret":             func(r *Record) { r.Devices[0].Secret = nil },
	}
	k := secretKey(t, 1)
	for name, change := range cases {
		r := twoDevices()
		change(r)
		if _, err := k.encode(r); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
}

func TestFindPrefersALabelToAnID(t *testing.T) {
	r := twoDevices()
	if d := r.Find("0200000000000000"); d != &r.Devices[1] {
		t.Error("not found by id")
	}
	r.Devices[0].Label = "0200000000000000"
	if d := r.Find("0200000000000000"); d != &r.Devices[0] {
		t.Error("not found by label")
	}
	if r.Find("") != nil || r.Find("PHONE") != nil {
		t.Error("found what is not there")
	}
}

func FuzzDecode(f *testing.F) {
	k := secretKey(f, 1)
	good := bodyOf(f, k, twoDevices())
	f.Add(good)
	f.Add(bodyOf(f, k, &Record{Name: "alice"}))
	f.Add(strings.Replace(good, "30", "86400", 1))
	f.Add(strings.ReplaceAll(good, "'", `"`))
	f.Add("version = 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := k.decode([]byte(text)); err == nil {
			t.Fatal("a file without a MAC was read")
		}
		r, err := k.decode(signed(k, text))
		if err != nil {
			return
		}
		file, err := k.encode(r)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := k.decode(file)
		for i := range r.Devices {
			r.Devices[i].Created = r.Devices[i].Created.UTC().Truncate(time.Second)
		}
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("read %+v, then %+v, %v", r, again, err)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add(formatKey(bytes.Repeat([]byte{7}, keySize)))
	f.Add([]byte(keyPrefix + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		secret, err := parseKey(text)
		if err == nil && (len(secret) != keySize || !bytes.Equal(formatKey(secret), text)) {
			t.Fatalf("%q was read as %x", text, secret)
		}
	})
}

func TestAHostKeyWithAnySingleBitFlippedIsRefused(t *testing.T) {
	text := formatKey(bytes.Repeat([]byte{7}, keySize))
	for bit := range len(text) * 8 {
		text[bit/8] ^= 1 << (bit % 8)
		if _, err := parseKey(text); err == nil {
			t.Errorf("byte %d, bit %d: it was read", bit/8, bit%8)
		}
		text[bit/8] ^= 1 << (bit % 8)
	}
	for _, change := range []string{
		string(text) + "\n", string(text[:len(text)-1]), string(text) + "x", " " + string(text),
	} {
		if _, err := parseKey([]byte(change)); err == nil {
			t.Errorf("%q was read", change)
		}
	}
}
