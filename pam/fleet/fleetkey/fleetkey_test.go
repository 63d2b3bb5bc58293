package fleetkey

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

func opening(t *testing.T) Opening {
	t.Helper()
	k, err := OpeningFrom(secret)
	testroot.Must(t, err)
	return k
}

func TestKeysHaveOneTextFormEach(t *testing.T) {
	host := NewSigning().Public()
	again, err := ParsePublic(host.String())
	if err != nil || !again.Equal(host) || !strings.HasPrefix(host.String(), "ed25519") {
		t.Errorf("got %v, %v; want %v", again, err, host)
	}
	fleet := opening(t).Public()
	sealing, err := ParseSealing(fleet.String())
	if err != nil || sealing.String() != fleet.String() ||
		!strings.HasPrefix(fleet.String(), "hpke1") {
		t.Errorf("got %v, %v; want %v", sealing, err, fleet)
	}
}

func TestTextsThatAreNoKeysAreRefused(t *testing.T) {
	for _, prefix := range []string{fleetPrefix, publicPrefix} {
		good := prefix + base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{9}, keySize))
		for name, text := range map[string]string{
			"nothing": "", "a prefix": prefix, "no prefix": good[len(prefix):],
			"another prefix": "x" + good, "one letter less": good[:len(good)-1],
			"one letter more": good + "A", "padding": good + "=", "a space": good + " ",
			"a line": good + "\n", "bits that mean nothing": good[:len(good)-1] + "l",
			"another alphabet": good[:len(good)-2] + "+/", "capitals": strings.ToUpper(good),
		} {
			if _, err := rawKey(text, prefix); err == nil {
				t.Errorf("%s: got %q taken for a key", name, text)
			}
		}
	}
	zero := fleetPrefix + base64.RawURLEncoding.EncodeToString(make([]byte, keySize))
	if key, err := ParseSealing(zero); err == nil {
		if _, _, err := key.Sender("a message"); err == nil {
			t.Error("got a message sealed with a key of zeros, which everyone can open")
		}
	}
}

func TestHostKeyFileIsReadAsItWasWritten(t *testing.T) {
	k := NewSigning()
	again, err := ParseHost(FormatHost(k))
	if err != nil || !again.Public().Equal(k.Public()) {
		t.Errorf("got %v, %v; want the same key", again.Public(), err)
	}
}

func TestDamagedHostKeyIsRefusedAndNotShown(t *testing.T) {
	good := FormatHost(NewSigning())
	body := string(good[len(hostKeyPrefix) : len(good)-1])
	for name, text := range map[string]string{
		"nothing": "", "a record's key": "latchkey-key-1 " + body + "\n",
		"a newer version": "latchkey-fleet-key-2 " + body + "\n",
		"no line feed":    string(good[:len(good)-1]),
		"two line feeds":  string(good) + "\n", "half": string(good[:40]),
		"another letter": strings.Replace(string(good), body[:1], "/", 1),
	} {
		if text == string(good) {
			continue // the letter was the same
		}
		k, err := ParseHost([]byte(text))
		if err == nil || strings.Contains(err.Error(), body[:8]) {
			t.Errorf("%s: got %v, %v; want an error without the key", name, k, err)
		}
	}
}

func TestDerivedKeysAreTheSameOnEveryService(t *testing.T) {
	if a, b := opening(t).Public().String(), opening(t).Public().String(); a != b {
		t.Errorf("got %s and %s from one secret", a, b)
	}
	seed := [32]byte{5}
	if a, b := SigningFrom(seed).Public(), SigningFrom(seed).Public(); !a.Equal(b) {
		t.Errorf("got %v and %v from one seed", a, b)
	}
	if _, err := OpeningFrom(secret[:31]); err == nil {
		t.Error("got a key from 31 bytes")
	}
}

func TestPrivateKeysArePrintedWithoutThemselves(t *testing.T) {
	signing, opens := NewSigning(), opening(t)
	raw, err := opens.key.Bytes()
	testroot.Must(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		text := fmt.Sprintf(verb+verb, signing, opens)
		if strings.Contains(text, fmt.Sprint(raw[0], raw[1])) ||
			text != "a signing keyan opening key" {
			t.Errorf("%s: got %s", verb, text)
		}
	}
}
