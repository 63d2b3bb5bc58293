package secret_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"latchkey/pam/fleet/secret"
	"latchkey/pam/testroot"
)

func TestSecretIsReadAsItWasWrittenAndGivesTheSameKeys(t *testing.T) {
	s := secret.New()
	again, err := secret.Parse(s.Format())
	testroot.Must(t, err)
	for _, purpose := range []string{"a", "b"} {
		x, err := s.Derive(purpose)
		testroot.Must(t, err)
		y, err := again.Derive(purpose)
		if err != nil || !bytes.Equal(x, y) || len(x) != 32 {
			t.Errorf("%s: got %x and %x, %v", purpose, x, y, err)
		}
	}
	x, _ := s.Derive("a")
	if y, _ := s.Derive("b"); bytes.Equal(x, y) {
		t.Error("two purposes have one key")
	}
	if y, _ := secret.New().Derive("a"); bytes.Equal(x, y) {
		t.Error("two secrets have one key")
	}
}

func TestDamagedSecretIsRefusedAndNotShown(t *testing.T) {
	good := string(secret.New().Format())
	body := strings.TrimSpace(strings.TrimPrefix(good, "latchkey-fleetd-key-1 "))
	for name, text := range map[string]string{
		"nothing": "", "another file": "latchkey-key-1 " + body + "\n", "half": good[:40],
		"no line feed": strings.TrimSpace(good), "two": good + good,
		"another letter": strings.Replace(good, body[5:7], "//", 1),
	} {
		if s, err := secret.Parse([]byte(text)); err == nil ||
			strings.Contains(err.Error(), body[:8]) {
			t.Errorf("%s: got %v, %v; want an error without it", name, s, err)
		}
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	s := secret.New()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, s); got != "the secret of a fleet" {
			t.Errorf("%s: got %s", verb, got)
		}
	}
}

func TestSecretThatOthersCanReadIsRefused(t *testing.T) {
	dir := t.TempDir()
	testroot.Must(t, os.Chmod(dir, 0o755))
	path := dir + "/fleet.key"
	testroot.Write(t, path, secret.New().Format())
	if _, err := secret.Load(path); err != nil {
		t.Errorf("mode 0600: got %v", err)
	}
	testroot.Must(t, os.Chmod(path, 0o640))
	if _, err := secret.Load(path); err == nil {
		t.Error("mode 0640: got the secret")
	}
}

func TestZeroSecretGivesNoKeys(t *testing.T) {
	var s secret.Secret
	if _, err := s.Derive("a"); err == nil {
		t.Error("got a key")
	}
	if _, err := s.Opening(); err == nil {
		t.Error("got an opening key")
	}
	if _, err := s.Records(); err == nil {
		t.Error("got a codec")
	}
}
