package sshkey_test

import (
	"encoding/json"
	"testing"

	"latchkey/pam/sshkey"
	"latchkey/pam/testroot"
)

func TestKeysOfEveryTypeComeThroughJSON(t *testing.T) {
	sent := map[string]sshkey.Key{"none": {}}
	for kind, public := range plain(t) {
		key, err := sshkey.Decode(string(public.Marshal()))
		testroot.Must(t, err)
		sent[kind] = key
	}
	for kind, want := range sent {
		text, err := json.Marshal(want)
		testroot.Must(t, err)
		var got sshkey.Key
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("%s: got %q and %v from %s", kind, got, err, text)
		}
	}
}

func TestTextThatIsNoKeyIsRefused(t *testing.T) {
	for _, text := range []string{`"ssh-ed25519"`, `"ssh-ed25519 AAAA"`, `" "`, `{"Type":"x"}`,
		`7`} {
		key := sshkey.Key{Type: "as it was"}
		if err := json.Unmarshal([]byte(text), &key); err == nil {
			t.Errorf("got the key %q from %s", key, text)
		}
	}
}
