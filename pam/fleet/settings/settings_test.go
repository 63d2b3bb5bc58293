package settings_test

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/testroot"
)

const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

// The fleet of these tests.
var (
	opening, _ = fleetkey.OpeningFrom([]byte(strings.Repeat("x", 32)))
	fleetKey   = opening.Public().String()
	signing    = fleetkey.SigningFrom([32]byte{1}).Public().String()
	signing2   = fleetkey.SigningFrom([32]byte{2}).Public().String()
)

// Lines of a good file.
var (
	services = `services = ["https://mfa1:7443", 'https://mfa2.example/']` + "\n"
	fleet    = `fleet_key = "` + fleetKey + `"` + "\n"
	verify   = `verify_key = ["` + signing + `"]` + "\n"
	ca       = `ca_file = "/etc/ca.pem"` + "\n"
	good     = services + fleet + verify + ca
)

func parse(text string) (*settings.Settings, error) {
	return settings.Parse("/etc/latchkey/fleet.toml", []byte(text),
		func(path string) ([]byte, error) {
			switch path {
			case "/etc/ca.pem":
				return []byte(certificate), nil
			case "/etc/text.pem":
				return []byte("text"), nil
			}
			return nil, errors.New("no such file")
		})
}

func TestGoodFileIsRead(t *testing.T) {
	got, err := parse(good)
	if err != nil || !reflect.DeepEqual(got.Services,
		[]string{"https://mfa1:7443", "https://mfa2.example"}) || got.FleetKey.String() != fleetKey ||
		len(got.VerifyKey) != 1 || got.VerifyKey[0].String() != signing || got.CA != certificate ||
		got.Unreachable != settings.Deny || got.MayBreakGlass("alice") {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = parse(services + fleet + `verify_key = ["` + signing + `", "` + signing2 + `"]` +
		"\n" + ca + "host = 'web-1.example'\nunreachable = 'break-glass'\nbreak_glass = ['alice']\n")
	if err != nil || len(got.VerifyKey) != 2 || got.Host != "web-1.example" ||
		!got.MayBreakGlass("alice") || got.MayBreakGlass("bob") || got.MayBreakGlass("") {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestUsersAreNamedInVainWhereTheFleetsAbsenceDenies(t *testing.T) {
	for _, word := range []string{"", "unreachable = 'deny'\n"} {
		got, err := parse(good + word + "break_glass = ['alice']\n")
		if err != nil || got.MayBreakGlass("alice") {
			t.Errorf("%q: got %+v, %v; want that no one may", word, got, err)
		}
	}
}

func TestMistakesAreNamedWithTheirLine(t *testing.T) {
	short := "must be hpke1 and 43 letters"
	for text, want := range map[string]string{
		"":                           "fleet.toml: services is not set",
		fleet + verify + ca:          "fleet.toml: services is not set",
		services + verify + ca:       "fleet.toml: fleet_key is not set",
		services + fleet + ca:        "fleet.toml: verify_key is not set",
		services + fleet + verify:    "fleet.toml: ca_file is not set",
		good + "servces = []\n":      `fleet.toml:5: unknown key "servces"; did you mean "services"?`,
		good + "unreachble = 1\n":    `unknown key "unreachble"; did you mean "unreachable"?`,
		good + "breakglass = 1\n":    `unknown key "breakglass"; did you mean "break_glass"?`,
		good + services:              "fleet.toml:5: services is set twice, first on line 1",
		good + "unreachable = 1\n":   `5: unreachable must be "deny" or "break-glass", not 1`,
		good + "unreachable = 'al'":  `5: unreachable must be "deny" or "break-glass", not "al"`,
		good + "[deny]\n":            "fleet.toml:5: the file has no tables",
		good + "break_glass = []\n":  "fleet.toml:5: break_glass is an empty list",
		good + "break_glass = '*'\n": "fleet.toml:5: break_glass must be a list",
		good + "break_glass = ['..']\n": `fleet.toml:5: each of break_glass must be a user's exact ` +
			`name, not ".."`,
		good + "\nunreachable = 'break-glass'\n": `fleet.toml:6: unreachable = "break-glass" needs`,
		good + "host = 'a b'\n": "fleet.toml:5: host must be this host's name in the fleet, " +
			`without spaces, not "a b"`,
		"services = []\n":                            "fleet.toml:1: services is an empty list",
		"services = ['http://mfa1']\n":               `1: each of services must be "https://"`,
		"services = [\n'https://a',\n'mfa1:7443']\n": `fleet.toml:3: each of services must be`,
		"services = ['https://u:p@a']\n":             `fleet.toml:1: each of services must be`,
		"services = ['https://a/v1']\n":              `fleet.toml:1: each of services must be`,
		"services = ['https://a:0']\n":               `fleet.toml:1: each of services must be`,
		"services = ['https://a','https://a']\n":     `fleet.toml:1: services lists "https://a" twice`,
		"fleet_key = 'hpke1'\n":                      "fleet.toml:1: fleet_key " + short,
		"fleet_key = '" + signing + "'\n":            "fleet.toml:1: fleet_key " + short,
		"fleet_key = []\n":                           "1: fleet_key must be a key, in quotes",
		"verify_key = '" + signing + "'\n":           "fleet.toml:1: verify_key must be a list",
		"verify_key = []\n":                          "fleet.toml:1: verify_key is an empty list",
		"verify_key = ['" + fleetKey + "']\n": "fleet.toml:1: each of verify_key must be " +
			"ed25519",
		"ca_file = 'ca.pem'\n": "fleet.toml:1: ca_file must be an absolute path",
		services + fleet + verify +
			"ca_file = '/etc/none.pem'": "4: ca_file: no such file",
		services + fleet + verify +
			"ca_file = '/etc/text.pem'": "4: ca_file must be a file of",
		"services = ['https://a'\n":       "fleet.toml:",
		"services = [" + many(21) + "]\n": "1: services lists 21 values, more than 16",
	} {
		got, err := parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %+v, %v; want %s", text, got, err, want)
		}
	}
}

func many(n int) (urls string) {
	for i := range n {
		urls += "'https://a" + string(rune('a'+i)) + "',"
	}
	return urls
}

// host is a root with everything that a host of a fleet has.
func host(t *testing.T) testroot.Root {
	t.Helper()
	root := testroot.New(t)
	place(t, root, settings.Path, strings.Replace(good, "/etc/ca.pem", settings.CAPath, 1), 0o644)
	place(t, root, settings.CAPath, certificate, 0o644)
	place(t, root, settings.KeyPath, string(fleetkey.FormatHost(fleetkey.SigningFrom([32]byte{9}))),
		0o600)
	return root
}

func place(t *testing.T, root testroot.Root, path, text string, mode os.FileMode) {
	t.Helper()
	testroot.Write(t, root.Join(path), []byte(text))
	testroot.Must(t, os.Chmod(root.Join(path), mode))
}

func TestHostOfAFleetHasItsSettingsAndItsKey(t *testing.T) {
	root := host(t)
	name, err := os.Hostname()
	testroot.Must(t, err)
	s, err := settings.Load(string(root))
	if err != nil || s.Host != name || s.CA != certificate ||
		!s.Key.Public().Equal(fleetkey.SigningFrom([32]byte{9}).Public()) {
		t.Errorf("got %+v, %v", s, err)
	}
	if !settings.InFleet(string(root)) {
		t.Error("got that it is no host of a fleet")
	}
}

// Only a file that is certainly not there makes a single host: anything else must never fall back
// to the records of this host.
func TestOnlyAMissingFileIsNoFleet(t *testing.T) {
	if settings.InFleet(string(testroot.New(t))) {
		t.Error("got a fleet without fleet.toml")
	}
	for name, spoil := range map[string]func(path string) error{
		"a directory": func(path string) error { return os.Mkdir(path, 0o755) },
		"a link that leads nowhere": func(path string) error {
			return os.Symlink("/nowhere", path)
		},
		"an empty file":       func(path string) error { return os.WriteFile(path, nil, 0o644) },
		"a file for everyone": func(path string) error { return writeMode(path, good, 0o666) },
		"a file for no one":   func(path string) error { return writeMode(path, good, 0) },
		"a loop of links":     func(path string) error { return os.Symlink(path, path) },
	} {
		root := host(t)
		testroot.Must(t, os.Remove(root.Join(settings.Path)))
		testroot.Must(t, spoil(root.Join(settings.Path)))
		if !settings.InFleet(string(root)) {
			t.Errorf("%s: got a single host", name)
		}
		if s, err := settings.Load(string(root)); name != "a file for no one" && err == nil {
			t.Errorf("%s: got %+v, want an error", name, s)
		}
	}
}

func writeMode(path, text string, mode os.FileMode) error {
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

func TestKeyAndAuthoritiesMustBeThereAndSafe(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(root testroot.Root) error
		says  string
	}{
		"no key": {func(r testroot.Root) error { return os.Remove(r.Join(settings.KeyPath)) },
			"fleet.key is missing: run enroll fleet leave --yes, have a ticket made"},
		"a key that others can read": {func(r testroot.Root) error {
			return os.Chmod(r.Join(settings.KeyPath), 0o640)
		}, "gives others access"},
		"a damaged key": {func(r testroot.Root) error {
			return os.WriteFile(r.Join(settings.KeyPath), []byte("latchkey-fleet-key-1 AAAA\n"), 0o600)
		}, "fleet.key: the host's key is damaged"},
		"no authorities": {func(r testroot.Root) error { return os.Remove(r.Join(settings.CAPath)) },
			"fleet.toml:4: ca_file:"},
		"authorities that others can write": {func(r testroot.Root) error {
			return os.Chmod(r.Join(settings.CAPath), 0o666)
		}, "fleet.toml:4: ca_file:"},
	} {
		root := host(t)
		testroot.Must(t, c.spoil(root))
		if s, err := settings.Load(string(root)); err == nil ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %+v, %v; want %q", name, s, err, c.says)
		}
	}
}

// ticket is a good one.
func ticket() settings.Ticket {
	return settings.Ticket{
		Services: []string{"https://mfa1:7443"}, FleetKey: fleetKey, VerifyKey: []string{signing},
		CA: certificate, Host: "web1", Secret: []byte("0123456789abcdef"), Until: testroot.Noon,
	}
}

func TestTicketBecomesTheSettingsOfItsHost(t *testing.T) {
	text, err := ticket().Encode()
	testroot.Must(t, err)
	got, err := settings.ParseTicket(" " + text + "\n")
	if err != nil || !reflect.DeepEqual(got, ticket()) {
		t.Fatalf("got %+v, %v; want %+v", got, err, ticket())
	}
	s, err := got.Settings()
	testroot.Must(t, err)
	again, err := settings.Parse("f", s.Format(),
		func(string) ([]byte, error) { return []byte(certificate), nil })
	if err != nil || !reflect.DeepEqual(again, s) || s.Host != "web1" ||
		s.CAFile != settings.CAPath || s.Unreachable != settings.Deny {
		t.Errorf("got %+v, %v; want %+v", again, err, s)
	}
}

func TestTicketThatIsNotWholeIsRefused(t *testing.T) {
	for name, change := range map[string]func(*settings.Ticket){
		"no services":        func(k *settings.Ticket) { k.Services = nil },
		"a plain service":    func(k *settings.Ticket) { k.Services = []string{"http://mfa1"} },
		"no fleet key":       func(k *settings.Ticket) { k.FleetKey = "" },
		"no signing key":     func(k *settings.Ticket) { k.VerifyKey = nil },
		"a bad signing key":  func(k *settings.Ticket) { k.VerifyKey = []string{fleetKey} },
		"no certificates":    func(k *settings.Ticket) { k.CA = "" },
		"no name":            func(k *settings.Ticket) { k.Host = "" },
		"a name of a path":   func(k *settings.Ticket) { k.Host = "../x" },
		"no secret":          func(k *settings.Ticket) { k.Secret = nil },
		"a short secret":     func(k *settings.Ticket) { k.Secret = []byte("0123") },
		"no end":             func(k *settings.Ticket) { k.Until = time.Time{} },
		"a key of two lines": func(k *settings.Ticket) { k.FleetKey += "\nx = 1" },
	} {
		k := ticket()
		change(&k)
		if text, err := k.Encode(); err == nil {
			t.Errorf("%s: got it encoded: %.20s", name, text)
		}
	}
	text, err := ticket().Encode()
	testroot.Must(t, err)
	for name, bad := range map[string]string{
		"nothing": "", "half": text[:len(text)/2], "text": "ticket", "twice": text + text,
		"another alphabet": strings.Repeat("+", 40), "too much": strings.Repeat("A", 100_000),
	} {
		if k, err := settings.ParseTicket(bad); err == nil || len(k.Secret) > 0 {
			t.Errorf("%s: got %+v, %v", name, k, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(good + "unreachable = 'break-glass'\nbreak_glass = ['a']\nhost = 'x'\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse(text)
		if err != nil {
			return
		}
		again, err := settings.Parse("f", s.Format(),
			func(string) ([]byte, error) { return []byte(s.CA), nil })
		if err != nil || !reflect.DeepEqual(again.Services, s.Services) ||
			again.Unreachable != s.Unreachable || !reflect.DeepEqual(again.BreakGlass, s.BreakGlass) {
			t.Errorf("got %+v, %v from what was written of %+v", again, err, s)
		}
	})
}

// A host that has joined and has lost fleet.toml must not go back to the records that it had as a
// single host. A join or leave that was killed must not keep everyone out.
func TestKeyWithoutSettingsIsAFleetsUnlessAJoinOrLeaveHasNotEnded(t *testing.T) {
	const joining = "/var/lib/latchkey/" + settings.Joining
	const key, toml = settings.KeyPath, settings.Path
	for name, c := range map[string]struct {
		there []string
		want  bool
	}{
		"nothing":                   {nil, false},
		"the key":                   {[]string{key}, true},
		"the key and a join's":      {[]string{key, joining + "00112233"}, false},
		"a join's alone":            {[]string{joining + "00112233"}, false},
		"the key and a leave":       {[]string{key, joining + "leave"}, false},
		"the key, and another file": {[]string{key, "/var/lib/latchkey/fleet.joinin"}, true},
		"all of it and a join's":    {[]string{key, toml, joining + "00"}, true},
		"settings alone":            {[]string{toml}, true},
		"what else a fleet leaves":  {[]string{settings.CAPath, "/var/lib/latchkey/fleet.epoch"}, false},
	} {
		root := testroot.New(t)
		for _, path := range c.there {
			testroot.Write(t, root.Join(path), []byte("x"))
		}
		if got := settings.InFleet(string(root)); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	root := testroot.New(t)
	testroot.Write(t, root.Join(settings.KeyPath), []byte("x"))
	_, err := settings.Load(string(root))
	if err == nil || !strings.Contains(err.Error(), "fleet.toml is missing") {
		t.Errorf("got %v, want that fleet.toml is missing", err)
	}
}

// A program that is not root may not look into /var/lib/latchkey. Its log must not send anyone away
// from a fleet.
func TestHostWhoseKeyCannotBeLookedForIsNotToldToLeaveAFleet(t *testing.T) {
	root := testroot.New(t)
	testroot.Must(t, os.RemoveAll(root.Join("/var/lib/latchkey")))
	testroot.Write(t, root.Join("/var/lib/latchkey"), nil)
	if !settings.InFleet(string(root)) {
		t.Error("got a single host, though its key may be there")
	}
	_, err := settings.LoadPublic(string(root))
	if err == nil || strings.Contains(err.Error(), "leave") ||
		!strings.Contains(err.Error(), settings.KeyPath+": not a directory") {
		t.Errorf("got %v, want that it cannot be known", err)
	}
}
