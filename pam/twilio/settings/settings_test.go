package settings_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/settings"
)

func hex32(c string) string { return strings.Repeat(c, 32) }

const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

// The lines of a good file.
var (
	service = "service_sid = 'VA" + hex32("a") + "'\n"
	account = "account_sid = \"AC" + hex32("b") + "\"\n"
	key     = "api_key = 'SK" + hex32("c") + "'\n"
	secret  = "api_secret = 'seCRet77'\n"
	token   = "auth_token = 'toKEn77'\n"
	good    = service + account + key + secret
)

// want is what the good file says.
func want() access.Settings {
	return access.Settings{
		ServiceSID: "VA" + hex32("a"), AccountSID: "AC" + hex32("b"), APIKey: "SK" + hex32("c"),
		APISecret: "seCRet77",
	}
}

// parse parses a text next to which stands one file of authorities.
func parse(text string) (access.Settings, error) {
	return settings.Parse("/etc/latchkey/twilio.toml", []byte(text),
		func(path string) ([]byte, error) {
			switch path {
			case "/etc/ca.pem":
				return []byte(certificate), nil
			case "/etc/empty.pem":
				return nil, nil
			case "/etc/text.pem":
				return []byte("text"), nil
			}
			return nil, errors.New("no such file")
		})
}

func TestGoodFileIsRead(t *testing.T) {
	everything := want()
	everything.BaseURL, everything.CA, everything.Proxy = "https://verify.example:8443",
		certificate, "http://proxy.example:3128"
	const sorts = `!"#$%&()*+,-./:;<=>?@[\]^_{|}~` + "`"
	bySorts := want()
	bySorts.APISecret = sorts
	byToken := want()
	byToken.APIKey, byToken.APISecret, byToken.AuthToken = "", "", "toKEn77"
	for name, c := range map[string]struct {
		text string
		want access.Settings
	}{
		"an API key":          {good, want()},
		"the account's token": {"# by token\n\n" + service + account + token, byToken},
		"a secret of all sorts": {service + account + key + "api_secret = '" + sorts + "'\n",
			bySorts},
		"everything": {good +
			"base_url = 'https://verify.example:8443'\nca_file = '/etc/ca.pem'\nproxy = " +
			"\"http://proxy.example:3128\"\n", everything},
		"slashes at the end": {good +
			"base_url = 'https://verify.example:8443/'\nca_file = '/etc/ca.pem'\nproxy = " +
			"\"http://proxy.example:3128/\"\n", everything},
		"carriage returns": {strings.ReplaceAll(good, "\n", "\r\n"), want()},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := parse(c.text); err != nil || got != c.want {
				t.Errorf("%v %#v", err, got)
			}
		})
	}
}

const unknownKey = "unknown key: the keys are service_sid, account_sid, api_key, api_secret, " +
	"auth_token, base_url, ca_file and proxy"

var refusals = []struct{ name, text, want string }{
	{"nothing", "", ": service_sid is not set: it must be VA and 32 hexadecimal digits"},
	{"no account", service + key + secret,
		": account_sid is not set: it must be AC and 32 hexadecimal digits"},
	{"no credentials", service + account,
		": api_key is not set: it must be set together with api_secret, unless auth_token is set"},
	{"a key without a secret", service + account + key,
		": api_secret is not set: it must be 1 to 128 printable ASCII characters without a space"},
	{"a secret without a key", service + account + secret,
		": api_key is not set: it must be SK and 32 hexadecimal digits"},
	{"a key and a token", good + token,
		":5: auth_token must not be set together with api_key and api_secret"},
	{"a secret and a token", service + account + secret + token,
		":4: auth_token must not be set together with api_key and api_secret"},
	{"a service that is none", "\nservice_sid = 'VB" + hex32("a") + "'\n" + account + key + secret,
		":2: service_sid must be VA and 32 hexadecimal digits"},
	{"an account that is a key", service + "account_sid = 'SK" + hex32("c") + "'\n" + key + secret,
		":2: account_sid must be AC and 32 hexadecimal digits"},
	{"a key that is none", service + account + "api_key = 'SK'\n" + secret,
		":3: api_key must be SK and 32 hexadecimal digits"},
	{"a secret with a space", service + account + key + "api_secret = 'seCRet77 '",
		":4: api_secret must be 1 to 128 printable ASCII characters without a space"},
	{"a token with a control", service + account + "auth_token = \"toKEn77\\n\"",
		":3: auth_token must be 1 to 128 printable ASCII characters without a space"},
	{"a base of http", good + "base_url = 'http://toKEn77.example'",
		`:5: base_url must be "https://", a host and at most a port`},
	{"a base with a path", good + "base_url = 'https://verify.example/v2'",
		`:5: base_url must be "https://", a host and at most a port`},
	{"a base with two slashes", good + "base_url = 'https://verify.example//'",
		`:5: base_url must be "https://", a host and at most a port`},
	{"a base that is a slash", good + "base_url = '/'",
		`:5: base_url must be "https://", a host and at most a port`},
	{"a proxy that is a slash", good + "proxy = '/'",
		`:5: proxy must be "http://" or "https://", at most a user and a password, a host and ` +
			`at most a port`},
	{"a base that is slashes", good + "base_url = 'https://'",
		`:5: base_url must be "https://", a host and at most a port`},
	{"a proxy that is a name", good + "\nproxy = 'toKEn77'",
		`:6: proxy must be "http://" or "https://", at most a user and a password, a host and ` +
			`at most a port`},
	{"an unknown key", good + "seCRet77 = 'x'", ":5: " + unknownKey},
	{"a key in another case", strings.ToUpper(service) + account + key + secret,
		":1: " + unknownKey},
	{"a dotted key", good + "api_key.seCRet77 = 'x'", ":5: " + unknownKey},
	{"a key twice", good + "\n" + secret, ":6: api_secret is set twice, first on line 4"},
	{"a key twice in another spelling", good + "\"api_secret\" = 'other'",
		":5: api_secret is set twice, first on line 4"},
	{"a table", good + "[seCRet77]\n", ":5: the file has no tables"},
	{"a list of tables", "[[twilio]]\n" + good, ":1: the file has no tables"},
	{"a number", service + account + "auth_token = 7777777\n",
		":3: auth_token must be a string, in quotes"},
	{"a list", service + account + "auth_token = ['toKEn77']\n",
		":3: auth_token must be a string, in quotes"},
	{"an inline table", service + account + "auth_token = {a = 'toKEn77'}\n",
		":3: auth_token must be a string, in quotes"},
	{"an empty value", service + account + token + "api_key = ''\n",
		":4: api_key is empty: leave it out or give it a value"},
	{"a value without quotes", service + account + "auth_token = toKEn77\n",
		`:3: this is not TOML: write key = "value"`},
	{"a value that does not end", service + account + "auth_token = 'toKEn77\n",
		`:3: this is not TOML: write key = "value"`},
	{"a value alone", service + "toKEn77\n", `:2: this is not TOML: write key = "value"`},
	{"two values on a line", service + account + "auth_token = 'toKEn77' api_key = 'x'\n",
		`:3: this is not TOML: write key = "value"`},
	{"a byte order mark", "\xef\xbb\xbf" + good, ":1: the file begins with a byte order mark"},
	{"a NUL byte", service + "\x00" + account, ":2: NUL byte"},
	{"Latin-1", good + "# caf\xe9", ":5: invalid UTF-8"},
	{"a file of more than 16 KiB", good + strings.Repeat("#", 16<<10),
		":5: the file is longer than 16 KiB"},
	{"authorities at a relative path", good + "ca_file = 'ca.pem'",
		":5: ca_file must be an absolute path without . and .."},
	{"authorities by a detour", good + "ca_file = '/etc/../etc/ca.pem'",
		":5: ca_file must be an absolute path without . and .."},
	{"authorities that are not there", good + "ca_file = '/etc/no.pem'",
		":5: ca_file: no such file"},
	{"no authorities", good + "ca_file = '/etc/empty.pem'",
		":5: ca_file must be a file of certificates in PEM"},
	{"authorities that are none", good + "\nca_file = '/etc/text.pem'",
		":6: ca_file must be a file of certificates in PEM, at most 32 KiB"},
}

func TestBadFileIsRefusedWithFileAndLineAndShowsNothingOfItself(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(c.text)
			if err == nil {
				t.Fatal("accepted")
			}
			if got != (access.Settings{}) {
				t.Error("settings came with the error")
			}
			if want := "/etc/latchkey/twilio.toml" + c.want; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			for _, hidden := range []string{"seCRet77", "toKEn77", hex32("c")} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error shows a value: %v", err)
				}
			}
		})
	}
}

// install writes the settings and the authorities below a root, with these modes.
func install(t *testing.T, text string, mode, caMode os.FileMode) (root string) {
	t.Helper()
	root = t.TempDir()
	dir := filepath.Join(root, "etc", "latchkey")
	steps := []error{
		os.MkdirAll(dir, 0o755), os.Chmod(root, 0o755),
		os.WriteFile(filepath.Join(dir, "twilio.toml"), []byte(text), 0o600),
		os.Chmod(filepath.Join(dir, "twilio.toml"), mode),
		os.WriteFile(filepath.Join(dir, "ca.pem"), []byte(certificate), 0o600),
		os.Chmod(filepath.Join(dir, "ca.pem"), caMode),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	return root
}

const withCA = "ca_file = '/etc/latchkey/ca.pem'\n"

func TestSettingsAreLoadedFromPrivateFiles(t *testing.T) {
	with := want()
	with.CA = certificate
	got, err := settings.Load(install(t, good+withCA, 0o600, 0o644), settings.DefaultPath)
	if err != nil || got != with {
		t.Errorf("%v %#v", err, got)
	}
}

func TestSettingsThatOthersMayReadOrWriteAreRefused(t *testing.T) {
	for name, root := range map[string]string{
		"settings that all may read":       install(t, good, 0o604, 0o644),
		"settings that the group may read": install(t, good, 0o640, 0o644),
		"authorities that all may write":   install(t, good+withCA, 0o600, 0o646),
	} {
		got, err := settings.Load(root, settings.DefaultPath)
		if err == nil || got != (access.Settings{}) {
			t.Errorf("%s: %v %#v", name, err, got)
		}
	}
}

func TestOnlyMissingSettingsAreNotThere(t *testing.T) {
	root := install(t, good+"ca_file = '/etc/latchkey/no.pem'\n", 0o600, 0o644)
	if _, err := settings.Load(root, settings.DefaultPath); err == nil ||
		errors.Is(err, fs.ErrNotExist) {
		t.Errorf("authorities that are missing: %v", err)
	}
	if _, err := settings.Load(root, "/etc/latchkey/other.toml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("settings that are missing: %v", err)
	}
	if _, err := settings.Load(root, "/etc/nowhere/twilio.toml"); err == nil ||
		errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is missing: %v", err)
	}
}
