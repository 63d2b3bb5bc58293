package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"
)

// The real libpam and the real modules say what pam_setcred returns in a process that has not
// authenticated. pam_permit stands for pam_latchkey, which returns the same there.
func TestCredentialsAreSetAsLibpamSetsThem(t *testing.T) {
	const common = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n" +
		"auth required pam_permit.so\n"
	for name, c := range map[string]struct{ stack, at string }{
		"Debian's own": {common, ""},
		"a jump by a file's list": {"auth [success=1 default=ignore] pam_listfile.so\n" + common,
			"3"},
		"a jump by a condition": {"auth [success=1 default=ignore] pam_succeed_if.so uid = 0\n" +
			common, ""},
		"a jump by ignoring": {"auth [default=1 success=ok] pam_succeed_if.so uid = 0\n" + common,
			"3"},
		"a local user":      {"auth [default=1 success=ok] pam_localuser.so\n" + common, ""},
		"sufficient":        {"auth sufficient pam_unix.so\nauth required pam_deny.so\n", ""},
		"nothing but deny":  {"auth required pam_deny.so\n", "1"},
		"a jump too far":    {"auth [success=9 default=ignore] pam_unix.so\n", "1"},
		"a missing module":  {"auth required pam_nosuch.so\n" + common, "1"},
		"a missing one (-)": {"-auth optional pam_nosuch.so\n" + common, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			text := c.stack + "auth required pam_latchkey.so\naccount required pam_permit.so\n"
			write := func(text string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, "sshd"), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write(strings.ReplaceAll(text, "pam_latchkey.so", "pam_permit.so"))
			tx, err := pam.StartConfDir("sshd", "root", pam.ConversationFunc(nil), dir)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.End()
			if err := tx.SetCred(pam.EstablishCred); (err == nil) != (c.at == "") {
				t.Errorf("libpam: got %v, want a failure at line %q", err, c.at)
			}
			write(text)
			s, err := readIn("", []string{dir}, "sshd")
			if err != nil {
				t.Fatal(err)
			}
			s.inspect("")
			got := ""
			if l := s.Uncredited(); l != nil {
				_, got, _ = strings.Cut(l.Place(), "sshd:")
			}
			if got != c.at {
				t.Errorf("got a failure at line %q, want %q", got, c.at)
			}
		})
	}
}
