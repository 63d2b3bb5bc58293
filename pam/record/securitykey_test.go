package record

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/sshkey"
)

// Keys from OpenSSH's own tests, and a plain one.
const (
	edSK = "sk-ssh-ed25519@openssh.com " +
		"AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJMm0fXS9aEgPF3rZ528wuD27ZzBgrKprvff" +
		"aN5ECseMAAAABHNzaDo="
	ecdsaSK = "sk-ecdsa-sha2-nistp256@openssh.com " +
		"AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBNjJTvrO" +
		"inVU5vgN8pZidHlvRM4LfPDwPM5sB8dYHmjrGWz605iISV5e8gSLTQNraIIrjuFptlM6EvJ4FfYC+7kA" +
		"AAAEc3NoOg=="
	plain = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDPQXmEVMVLmeFRyafKMVWgPDkv8/uRBTwmcEDatZzMD"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keyOf(t *testing.T, line string) []byte {
	t.Helper()
	key, err := sshkey.Parse(line)
	must(t, err)
	return []byte(key.Blob)
}

func withKeys(t *testing.T) *Record {
	t.Helper()
	r := twoDevices()
	created := r.Devices[0].Created
	r.Devices = append(r.Devices,
		Device{ID: [8]byte{8}, Type: method.Key, Label: "yubikey", Created: created,
			Secret: keyOf(t, edSK), Attested: true},
		Device{ID: [8]byte{9}, Type: method.Key, Label: "spare", Created: created,
			Secret: keyOf(t, ecdsaSK)})
	return r
}

func TestARecordWithSecurityKeysIsReadAsItWasWritten(t *testing.T) {
	k, want := secretKey(t, 1), withKeys(t)
	file, err := k.encode(want)
	must(t, err)
	got, err := k.decode(file)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, %v, want %+v", got, err, want)
	}
	if strings.Contains(string(file), "ssh") {
		t.Errorf("got a file that shows the key:\n%s", file)
	}
	key, err := got.Devices[2].SSHKey()
	if err != nil || key.String() != edSK {
		t.Errorf("got %s, %v, want %s", key, err, edSK)
	}
}

// A program that does not know security keys refuses version 2 by its number, and reads version 1.
func TestOnlyARecordWithASecurityKeyHasTheNewVersion(t *testing.T) {
	k := secretKey(t, 1)
	for want, r := range map[string]*Record{"version = 1\n": twoDevices(),
		"version = 2\n": withKeys(t)} {
		file, err := k.encode(r)
		must(t, err)
		if _, after, _ := strings.Cut(string(file), "\n"); !strings.HasPrefix(after, want) {
			t.Errorf("got\n%s\nwant it to begin with %q", after, want)
		}
	}
	for name, text := range map[string]string{
		"keys in version 1": strings.Replace(bodyOf(t, k, withKeys(t)), "version = 2",
			"version = 1", 1),
		"no keys in version 2": strings.Replace(bodyOf(t, k, twoDevices()), "version = 1",
			"version = 2", 1),
	} {
		if _, err := k.decode(signed(k, text)); !errors.Is(err, errVersion) {
			t.Errorf("%s: got %v, want %v", name, err, errVersion)
		}
	}
	newer := strings.Replace(bodyOf(t, k, withKeys(t)), "version = 2", "version = 3", 1)
	if _, err := k.decode(signed(k, newer)); !errors.Is(err, ErrNewer) {
		t.Errorf("version 3: got %v, want %v", err, ErrNewer)
	}
}

func TestADeviceThatIsNoSecurityKeyIsNotTakenForOne(t *testing.T) {
	good := Device{ID: [8]byte{8}, Type: method.Key, Label: "k", Created: time.Unix(1, 0),
		Secret: keyOf(t, edSK)}
	must(t, good.Check())
	for name, change := range map[string]func(*Device){
		"a plain key": func(d *Device) { d.Secret = keyOf(t, plain) },
		"no key":      func(d *Device) { d.Secret = nil },
		"a cut key":   func(d *Device) { d.Secret = d.Secret[:20] },
		"a byte more": func(d *Device) { d.Secret = append(d.Secret, 0) },
		"another name": func(d *Device) {
			d.Secret = []byte(
				strings.Replace(string(d.Secret), "openssh", "opensss", 1))
		},
		"too long": func(d *Device) {
			d.Secret = append(d.Secret,
				make([]byte, maxKey)...)
		},
		"digits":          func(d *Device) { d.Digits = 6 },
		"a period":        func(d *Device) { d.Period = time.Second },
		"an algorithm":    func(d *Device) { d.Algorithm = "SHA1" },
		"an attested app": func(d *Device) { *d = twoDevices().Devices[0]; d.Attested = true },
		"an attested phone": func(d *Device) {
			d.Type, d.Secret, d.Attested = method.Phone,
				[]byte("+15551234567"), true
		},
	} {
		bad := good
		bad.Secret = append([]byte(nil), good.Secret...)
		if change(&bad); bad.Check() == nil {
			t.Errorf("%s: got a device that is sound: %+v", name, bad)
		}
	}
}
