package settings_test

import (
	"strings"
	"testing"

	"latchkey/pam/twilio/access"

	"github.com/pelletier/go-toml/v2"
)

// FuzzParse: no text panics; an error is one printable line about the file that comes without
// settings; what is accepted is valid, is TOML, and says what the ordinary TOML decoder finds
// there.
func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(service + account + token + "ca_file = '/etc/ca.pem'\nproxy = 'http://[::1]:3128'\n")
	for _, c := range refusals {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parse(text)
		if err != nil {
			checkError(t, got, err)
			return
		}
		if err := got.Validate(); err != nil {
			t.Errorf("accepted, but %v", err)
		}
		written := map[string]string{}
		if err := toml.Unmarshal([]byte(text), &written); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		_, withCA := written["ca_file"]
		want := access.Settings{
			ServiceSID: written["service_sid"], AccountSID: written["account_sid"],
			APIKey: written["api_key"], APISecret: written["api_secret"],
			AuthToken: written["auth_token"], BaseURL: written["base_url"],
			Proxy: written["proxy"], CA: got.CA,
		}
		if got != want || withCA != (got.CA != "") {
			t.Errorf("%q was read as %#v", text, got)
		}
	})
}

func checkError(t *testing.T, got access.Settings, err error) {
	t.Helper()
	if got != (access.Settings{}) {
		t.Error("settings came with the error")
	}
	if !strings.HasPrefix(err.Error(), "/etc/latchkey/twilio.toml:") ||
		strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("%q", err)
	}
}
