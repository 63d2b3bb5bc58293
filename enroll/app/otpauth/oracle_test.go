package otpauth_test

import (
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shown is what an app shows of an account.
type shown struct{ issuer, name, code string }

// oracle is an app that is not ours. It is given an otpauth URI.
type oracle struct {
	name    string
	needs   []string   // commands
	prepare [][]string // what is run in its home folder, once
	read    func(t *testing.T, home, uri string) shown
	codes   bool   // it shows a code and no names
	cannot  string // what it never reads right: characters of an issuer
}

var oracles = []oracle{
	{
		// it undoes %XX twice
		name: "pyotp", needs: []string{"/usr/bin/python3"}, read: pyotp, cannot: "&+%#?",
		prepare: [][]string{{"/usr/bin/python3", "-c", "import pyotp"}},
	},
	{
		name: "pass otp", needs: []string{"pass", "oathtool", "gpg"}, read: passOTP,
		prepare: [][]string{
			{"gpg", "--batch", "--passphrase", "", "--pinentry-mode", "loopback",
				"--quick-generate-key", "o", "default", "default", "never"},
			{"pass", "init", "o"},
		},
	},
	{
		name: "npm otpauth", needs: []string{"node", "npm"}, read: npmOTPAuth,
		prepare: [][]string{{"timeout", "60", "npm", "install", "--silent", "otpauth@9.5.2"}},
	},
	{name: "KeePassXC", needs: []string{"keepassxc-cli"}, read: keePassXC, codes: true},
	{name: "oathtool", needs: []string{"oathtool"}, read: oathtool, codes: true},
}

// open gives an oracle a home folder, or skips the test, with the reason, where it cannot be
// asked.
func (o oracle) open(t *testing.T) (home string) {
	for _, command := range o.needs {
		if _, err := exec.LookPath(command); err != nil {
			t.Skip(err)
		}
	}
	home, err := os.MkdirTemp("", "app-*") // a short path: gpg's agent listens in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	for _, argv := range o.prepare {
		if out, err := command(home, argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%q: %v: %s", argv, err, out)
		}
	}
	return home
}

// command is a program with that home folder.
func command(home, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GNUPGHOME=" + home,
		"LANG=C.UTF-8",
		"PASSWORD_STORE_DIR=" + filepath.Join(home, "store"), "QT_QPA_PLATFORM=offscreen"}
	return cmd
}

// run runs it and returns what it prints.
func run(t *testing.T, home, stdin, program string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := command(home, program, args...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s%s", program, args, err, out, stderr.String())
	}
	return strings.TrimSuffix(string(out), "\n")
}

// parts are the fields of what an oracle's script prints.
func parts(t *testing.T, out string) shown {
	t.Helper()
	f := strings.Split(out, "\t")
	if len(f) != 3 {
		t.Fatalf("printed %q", out)
	}
	return shown{f[0], f[1], f[2]}
}

func pyotp(t *testing.T, home, uri string) shown {
	const script = "import pyotp, sys\np = pyotp.parse_uri(sys.argv[1])\n" +
		"print(p.issuer, p.name, p.now(), sep='\\t')"
	return parts(t, run(t, home, "", "/usr/bin/python3", "-c", script, uri))
}

func npmOTPAuth(t *testing.T, home, uri string) shown {
	const script = "const O = require('otpauth'); const o = O.URI.parse(process.argv[1]);\n" +
		"console.log([o.issuer, o.label, o.generate()].join('\\t'))"
	return parts(t, run(t, home, "", "node", "-e", script, uri))
}

// passOTP has pass(1) name the entry itself: issuer/name.
func passOTP(t *testing.T, home, uri string) shown {
	run(t, home, uri+"\n", "pass", "otp", "insert")
	found := run(t, home, "", "find", "store", "-name", "*.gpg", "-printf", `%P\n`)
	entry := strings.TrimSuffix(found, ".gpg")
	at := strings.LastIndex(entry, "/")
	if at < 0 {
		t.Fatalf("the entry is called %q", entry)
	}
	code := run(t, home, "", "pass", "otp", entry)
	run(t, home, "", "pass", "rm", "-f", entry)
	return shown{entry[:at], entry[at+1:], code}
}

// keePassXC takes the URI as the entry's attribute "otp", where the program itself keeps it.
func keePassXC(t *testing.T, home, uri string) shown {
	var value strings.Builder
	if err := xml.EscapeText(&value, []byte(uri)); err != nil {
		t.Fatal(err)
	}
	text := `<?xml version="1.0" encoding="utf-8"?><KeePassFile>` +
		`<Meta><Generator>test</Generator></Meta><Root><Group>` +
		`<UUID>AAAAAAAAAAAAAAAAAAAAAA==</UUID><Name>Root</Name><Entry>` +
		`<UUID>AAAAAAAAAAAAAAAAAAAAAQ==</UUID>` +
		`<String><Key>Title</Key><Value>entry</Value></String><String><Key>otp</Key><Value>` +
		value.String() +
		`</Value></String></Entry></Group></Root></KeePassFile>`
	if err := os.WriteFile(filepath.Join(home, "in.xml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, home, "", "rm", "-f", "db.kdbx")
	run(t, home, "password\npassword\n", "keepassxc-cli", "import", "-p", "in.xml", "db.kdbx")
	return shown{code: run(t, home, "password\n", "keepassxc-cli", "show", "-q", "-t", "db.kdbx",
		"entry")}
}

// oathtool knows no URIs: it is told what stands in one.
func oathtool(t *testing.T, home, uri string) shown {
	q := parameters(t, uri)
	kind := "--totp=" + strings.ToLower(q.Get("algorithm"))
	return shown{code: run(t, home, "", "oathtool", kind, "-b", "-d", q.Get("digits"), "-s",
		q.Get("period"), q.Get("secret"))}
}
