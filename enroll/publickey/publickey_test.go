package publickey_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/enroll/publickey"
	"latchkey/pam/testroot"
)

func TestOneKeyIsReadAndWhateverElseIsAnErrorThatNamesItsPlace(t *testing.T) {
	key := testroot.Line(t, testroot.SecurityKey(t, "yubikey"))
	cert := testroot.CertificateLine(t, testroot.SecurityKey(t, "yubikey"), 7)
	for name, c := range map[string]struct{ text, says string }{
		"a key":            {key, ""},
		"with a comment":   {key + " alice@laptop\n", ""},
		"from Windows":     {key + "\r\n", ""},
		"with tabs":        {strings.Replace(key, " ", "\t", 1), ""},
		"below a comment":  {"# mine\n\n" + key + "\n", ""},
		"in a certificate": {cert, ""},
		"nothing":          {"", "k: no public key there"},
		"a comment alone":  {"# mine\n", "k: no public key there"},
		"two keys":         {key + "\n" + key + "\n", "k:2: more than one key"},
		"a plain key":      {testroot.PlainKey(t, "x"), "k:1: this key is in a file"},
		"a private key": {"-----BEGIN OPENSSH PRIVATE KEY-----\n",
			"k:1: this is a private key"},
		"options":             {"no-touch-required " + key, "k:1: "},
		"a cut key":           {key[:len(key)-8], "k:1: "},
		"a type alone":        {"sk-ssh-ed25519@openssh.com", "k:1: "},
		"an unknown type":     {"ssh-new AAAAB3NzaC1uZXc=", "k:1: "},
		"a line without end":  {strings.Repeat("x", 70000), "read k: "},
		"bytes that are none": {"\x00\xff", "k:1: "},
	} {
		got, err := publickey.Read("k", strings.NewReader(c.text))
		switch {
		case c.says == "" && (err != nil || got.String() != key):
			t.Errorf("%s: got %s, %v, want %s", name, got, err, key)
		case c.says != "" && (err == nil || !strings.HasPrefix(err.Error(), c.says)):
			t.Errorf("%s: got %v, want an error that begins with %q", name, err, c.says)
		}
	}
}

func TestOnlySecurityKeysOfTheLoginAreOffered(t *testing.T) {
	key, dir := testroot.Line(t, testroot.SecurityKey(t, "yubikey")), t.TempDir()
	file := filepath.Join(dir, "sshauth")
	testroot.Write(t, file, []byte("password\npublickey "+testroot.PlainKey(t,
		"x")+"\npublickey "+key+"\n"))
	if got := publickey.OfLogin(file); len(got) != 1 || got[0].String() != key {
		t.Errorf("got %v, want %s alone", got, key)
	}
	fifo, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	testroot.Must(t, unix.Mkfifo(fifo, 0o600))
	testroot.Must(t, os.Symlink(file, link))
	for _, path := range []string{
		"", dir, fifo, link, filepath.Join(dir, "missing"), "/dev/zero",
	} {
		if got := publickey.OfLogin(path); len(got) > 0 {
			t.Errorf("%q: got %v, want none", path, got)
		}
	}
}
