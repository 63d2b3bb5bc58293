package record

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/state"
)

// app, token and telephone are a valid device of each kind that latchkey keeps a secret of.
func app() Device { return twoDevices().Devices[0] }

func token() Device {
	d := app()
	d.Type, d.Period = method.HOTP, 0
	return d
}

func telephone() Device {
	return Device{
		ID: [8]byte{3}, Type: method.Phone, Label: "mobile", Created: app().Created,
		Secret: []byte("+15551234567"),
	}
}

func changed(d Device, change func(d *Device)) Device {
	change(&d)
	return d
}

// devices are devices by what is remarkable about them. They say what is wrong, if anything.
var devices = map[string]struct {
	device Device
	says   string
}{
	"an app": {app(), ""},
	"an app with SHA512 and 8 digits": {changed(app(), func(d *Device) {
		d.Algorithm, d.Digits = "SHA512", 8
	}), ""},
	"a period of a second": {changed(app(), func(d *Device) { d.Period = time.Second }), ""},
	"a period of a day":    {changed(app(), func(d *Device) { d.Period = MaxPeriod }), ""},
	"a period of a day and a second": {changed(app(), func(d *Device) {
		d.Period = MaxPeriod + time.Second
	}), "a period is 1 to 86400 whole seconds"},
	"a period of -1": {changed(app(), func(d *Device) { d.Period = -time.Second }),
		"a period is 1 to 86400 whole seconds"},
	"a secret of 10 bytes": {changed(app(), func(d *Device) { d.Secret = make([]byte, 10) }), ""},
	"a secret of 128 bytes": {changed(app(), func(d *Device) { d.Secret = make([]byte, 128) }),
		""},
	"a secret of 9 bytes": {changed(app(), func(d *Device) { d.Secret = make([]byte, 9) }),
		"a secret has 10 to 128 bytes"},
	"a secret of 129 bytes": {changed(app(), func(d *Device) { d.Secret = make([]byte, 129) }),
		"a secret has 10 to 128 bytes"},
	"7 digits": {changed(app(), func(d *Device) { d.Digits = 7 }), "7 digits; only 6 and 8"},
	"MD5":      {changed(app(), func(d *Device) { d.Algorithm = "MD5" }), `algorithm "MD5"`},
	"a label of 64 bytes": {changed(app(), func(d *Device) {
		d.Label = strings.Repeat("x", 64)
	}), ""},
	"a label of 65 bytes": {changed(app(), func(d *Device) {
		d.Label = strings.Repeat("x", 65)
	}), "a label has 1 to 64 bytes"},
	"no time of creation": {changed(app(), func(d *Device) { d.Created = time.Time{} }),
		"created"},
	"an attested app":     {changed(app(), func(d *Device) { d.Attested = true }), "attested"},
	"another type":        {changed(app(), func(d *Device) { d.Type = "fax" }), `type "fax"`},
	"a token":             {token(), ""},
	"a token with SHA256": {changed(token(), func(d *Device) { d.Algorithm = "SHA256" }), ""},
	"a token with a period": {changed(token(), func(d *Device) { d.Period = time.Second }),
		"a token has no period"},
	"a token with 5 digits": {changed(token(), func(d *Device) { d.Digits = 5 }), "5 digits"},
	"a phone":               {telephone(), ""},
	"a phone without a +": {changed(telephone(), func(d *Device) {
		d.Secret = []byte("15551234567")
	}), "not E.164"},
	"a phone with an algorithm": {changed(telephone(), func(d *Device) { d.Algorithm = "SHA1" }),
		"a phone has no algorithm, digits or period"},
	"a phone with digits": {changed(telephone(), func(d *Device) { d.Digits = 6 }),
		"a phone has no algorithm, digits or period"},
	"a phone with a period": {changed(telephone(), func(d *Device) { d.Period = time.Second }),
		"a phone has no algorithm, digits or period"},
}

// wantError checks that an error says what it should; "" is none.
func wantError(t *testing.T, err error, says string) {
	t.Helper()
	if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("got error %v, want %q", err, says)
	}
}

func TestDeviceIsRefusedExactlyWhereItIsOutOfRange(t *testing.T) {
	for name, c := range devices {
		t.Run(name, func(t *testing.T) { wantError(t, c.device.Check(), c.says) })
	}
}

func TestDeviceThatIsRefusedIsNamedByItsPlaceInTheRecord(t *testing.T) {
	r := twoDevices()
	r.Devices[1].Digits = 7
	wantError(t, r.check(), "device 2: 7 digits")
	r = twoDevices()
	r.Devices[1].Label = r.Devices[0].Label
	wantError(t, r.check(), "device 2: its id or label is there twice")
}

func TestDeviceThatIsDamagedInTheFileIsNamedByItsPlace(t *testing.T) {
	k := secretKey(t, 1)
	for change, says := range map[string]string{
		"id = '0200000000000000'=>id = '02'":    "device 2: id is out of range",
		"label = 'tablet'=>label = 'renamed'":   "",
		"secret = '=>secret = '*":               "device 1: the secret is not base64",
		"id = '0100000000000000'=>id = '%016d'": "device 1: id is out of range",
		"id = '0200000000000000'=>id = '0300000000000000'": "device 2: the secret was sealed " +
			"for another user",
	} {
		old, now, _ := strings.Cut(change, "=>")
		good := bodyOf(t, k, twoDevices())
		text := strings.Replace(good, old, now, 1)
		if text == good {
			t.Fatalf("%q: nothing was changed in\n%s", change, good)
		}
		_, err := k.decode(signed(k, text))
		wantError(t, err, says)
	}
}

// crowd returns a record with n devices.
func crowd(n int) *Record {
	r := twoDevices()
	r.Devices = nil
	for i := range n {
		d := app()
		d.ID, d.Label = [8]byte{byte(i + 1)}, fmt.Sprint("app ", i)
		r.Devices = append(r.Devices, d)
	}
	return r
}

func TestRecordHasAsManyDevicesAsItsState(t *testing.T) {
	wantError(t, crowd(state.MaxDevices).check(), "")
	wantError(t, crowd(state.MaxDevices+1).check(), "33 devices; at most 32")
}

func TestRecordOfTheGreatestSizeFitsIntoItsFile(t *testing.T) {
	r := crowd(state.MaxDevices)
	for i := range r.Devices {
		d := &r.Devices[i]
		d.Secret = make([]byte, MaxSecret)
		d.Label = fmt.Sprintf("%02d", i) + strings.Repeat("ü", (MaxLabel-2)/2)
		d.Algorithm, d.Digits, d.Period = "SHA512", 8, MaxPeriod
	}
	r.Recovery = hashes(MaxRecovery)
	k := secretKey(t, 1)
	file, err := k.encode(r)
	if err != nil || len(file) > sizeLimit {
		t.Fatalf("got %d bytes, %v; want at most %d", len(file), err, sizeLimit)
	}
	if got, err := k.decode(file); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("got %+v, %v; want what was written", got, err)
	}
}

// hashes returns a set of n recovery codes of latchkey's own.
func hashes(n int) Recovery {
	set := Recovery{ID: [8]byte{7}, Salt: make([]byte, RecoverySalt)}
	for i := range n {
		set.Hashes = append(set.Hashes, make([]byte, RecoveryHash))
		set.Hashes[i][0] = byte(i)
	}
	return set
}

func TestRecoveryCodesAreRefusedExactlyWhereTheyAreMalformed(t *testing.T) {
	const malformed, twice = "codes are malformed", "is not 8 digits, or is there twice"
	set := func(change func(r *Recovery)) Recovery {
		r := hashes(10)
		change(&r)
		return r
	}
	var many []string
	for i := range MaxRecovery + 1 {
		many = append(many, fmt.Sprintf("%08d", i))
	}
	for name, c := range map[string]struct {
		set  Recovery
		says string
	}{
		"none":              {Recovery{}, ""},
		"ten":               {hashes(10), ""},
		"one":               {hashes(1), ""},
		"the most":          {hashes(MaxRecovery), ""},
		"one too many":      {hashes(MaxRecovery + 1), malformed},
		"an id and no more": {hashes(0), malformed},
		"no id":             {set(func(r *Recovery) { r.ID = [8]byte{} }), "without an id"},
		"a salt alone":      {Recovery{Salt: make([]byte, RecoverySalt)}, "without an id"},
		"a short salt":      {set(func(r *Recovery) { r.Salt = r.Salt[1:] }), malformed},
		"a long salt":       {set(func(r *Recovery) { r.Salt = append(r.Salt, 0) }), malformed},
		"a short hash":      {set(func(r *Recovery) { r.Hashes[9] = r.Hashes[9][1:] }), malformed},
		"imported":          {imported("12345678").Recovery, ""},
		"imported, the most": {
			imported(many[:MaxRecovery]...).Recovery, ""},
		"imported, one too many": {imported(many...).Recovery, malformed},
		"imported, 7 digits":     {imported("1234567").Recovery, twice},
		"imported, a letter":     {imported("1234567a").Recovery, twice},
		"imported, twice":        {imported("12345678", "12345678").Recovery, twice},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, c.set.check(), c.says) })
	}
}

func TestRecoveryCodesAreReadBackAsTheyWereWritten(t *testing.T) {
	k := secretKey(t, 1)
	r := twoDevices()
	r.Recovery = hashes(10)
	file, err := k.encode(r)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.decode(file); err != nil || !reflect.DeepEqual(got.Recovery, r.Recovery) {
		t.Errorf("got %+v, %v; want %+v", got, err, r.Recovery)
	}
}

func TestMalformedRecoveryCodesWithValidMACAreRefused(t *testing.T) {
	k := secretKey(t, 1)
	r := twoDevices()
	r.Recovery = hashes(10)
	good := bodyOf(t, k, r)
	for _, change := range []string{
		"id = '0700000000000000'=>id = '07'",
		"id = '0700000000000000'=>id = '0000000000000000'",
		"salt = '=>salt = '*",
		"codes = ['=>codes = ['*",
		"[recovery]=>[recovery]\nsealed = 'AAAA'",
	} {
		old, now, _ := strings.Cut(change, "=>")
		text := strings.Replace(good, old, now, 1)
		if text == good {
			t.Fatalf("%q: nothing was changed in\n%s", change, good)
		}
		_, err := k.decode(signed(k, text))
		wantError(t, err, "the recovery codes are malformed")
	}
}

func TestOnlyTheEndOfAPhonesNumberIsShown(t *testing.T) {
	short := telephone()
	short.Secret = []byte("123")
	four := telephone()
	four.Secret = []byte("1234")
	phone, other := telephone(), app()
	for _, c := range []struct {
		device *Device
		want   string
	}{
		{&phone, "...4567"}, {&four, "...1234"}, {&short, ""}, {&other, ""},
	} {
		if got := c.device.Hint(); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.device.Type, c.device.Secret, got, c.want)
		}
	}
}

func TestSecurityKeyIsAsLongAsItMayBe(t *testing.T) {
	for length, says := range map[int]string{
		maxKey:     "unknown type of key",
		maxKey + 1: "a security key's public key has at most",
	} {
		d := Device{
			ID: [8]byte{4}, Type: method.Key, Label: "key", Created: app().Created,
			Secret: make([]byte, length),
		}
		wantError(t, d.Check(), says)
	}
}

// A key that a browser uses has another name for its type, under which sshd never writes it.
func TestSecurityKeyEncodedUnderAnotherNameIsRefused(t *testing.T) {
	const own, other = "\"sk-ecdsa-sha2-nistp256@openssh.com",
		"+webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
	d := withKeys(t).Devices[3]
	renamed := strings.Replace(string(d.Secret), own, other, 1)
	if renamed == string(d.Secret) {
		t.Fatalf("nothing was changed in %q", d.Secret)
	}
	wantError(t, d.Check(), "")
	d.Secret = []byte(renamed)
	wantError(t, d.Check(), "the public key is not encoded as sshd does it")
}

func TestOnlyASecurityKeyHasAFingerprint(t *testing.T) {
	held, broken, other := withKeys(t).Devices[2], withKeys(t).Devices[2], app()
	broken.Secret = []byte("damaged")
	// What ssh-keygen -l says of OpenSSH's test key.
	for want, d := range map[string]*Device{
		"SHA256:eto3cpL3YD1cvjDiwR9JxKVInjd+f84quOOvVckxepw": &held,
	} {
		if got := d.Fingerprint(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, d := range []*Device{&broken, &other} {
		if got := d.Fingerprint(); got != "" {
			t.Errorf("%s: got %q, want none", d.Label, got)
		}
	}
	other.Secret = held.Secret
	if got := other.Fingerprint(); got != "" {
		t.Errorf("an app with the secret of a key: got %q, want none", got)
	}
}
