package main_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// dependencies are the packages that a package links, itself among them.
func dependencies(t *testing.T, of string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", of).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func TestOfTwilioOnlyVerifyIsLinked(t *testing.T) {
	const module = "github.com/twilio/twilio-go/"
	want := []string{"client", "client/form", "client/metadata", "rest/verify/v2"}
	var got []string
	for _, path := range dependencies(t, ".") {
		if rest, ok := strings.CutPrefix(path, module); ok {
			got = append(got, rest)
		}
		if path == strings.TrimSuffix(module, "/") {
			t.Errorf("%s, which reads credentials from the environment, is linked", path)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("linked are %v", got)
	}
}

func TestOnlyTheProtocolAndItsWordsAreLinkedOfLatchkey(t *testing.T) {
	for _, path := range dependencies(t, ".") {
		ours := strings.TrimPrefix(path, "latchkey/pam/")
		if ours != path && !slices.Contains(
			[]string{"twilio", "twilio/protocol", "twilio/access", "method", "phone", "endpoint",
				"unprivileged/harden", "unprivileged/confine"}, ours) {
			t.Errorf("%s is linked", path)
		}
	}
}

func TestWhatTheLoginProgramLinksHasNoNetwork(t *testing.T) {
	for _, of := range []string{"./access", "./protocol", "./settings"} {
		for _, path := range dependencies(t, of) {
			switch path {
			case "net", "net/http", "crypto/tls", "crypto/x509", "os/exec", "os/user", "plugin":
				t.Errorf("%s links %s", of, path)
			}
			if strings.HasPrefix(path, "github.com/twilio/") {
				t.Errorf("%s links %s", of, path)
			}
		}
	}
}
