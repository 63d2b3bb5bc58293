package doctor

import (
	"os"
	"strings"
	"testing"
)

func TestProgramsThatMakeRootBesideSudoAreReported(t *testing.T) {
	const passwordAlone = "auth required pam_unix.so\naccount required pam_unix.so\n"
	for name, c := range map[string]struct {
		mode     os.FileMode // of pkexec; 0: it is not installed
		polkit   string
		sudo     string
		complain bool
	}{
		"pkexec without a code": {0o755 | os.ModeSetuid, passwordAlone, goodStack, true},
		"pkexec with one":       {0o755 | os.ModeSetuid, goodStack, goodStack, false},
		"pkexec is gone":        {0, passwordAlone, goodStack, false},
		"pkexec without rights": {0o755, passwordAlone, goodStack, false},
		"neither asks":          {0o755 | os.ModeSetuid, passwordAlone, passwordAlone, false},
		"polkit denies": {0o755 | os.ModeSetuid, "auth required pam_deny.so\n", goodStack,
			false},
	} {
		root := t.TempDir()
		installed(t, root)
		put(t, root, "/etc/pam.d/sudo", c.sudo, 0o644)
		put(t, root, "/etc/pam.d/polkit-1", c.polkit, 0o644)
		if c.mode != 0 {
			put(t, root, "/usr/bin/pkexec", "", c.mode)
		}
		found := examine(t, root)
		got := strings.Join(complaints(found), "\n")
		if want := "warning: PAM service polkit-1: it asks for no code"; strings.HasPrefix(got,
			want) != c.complain ||
			!c.complain && got != "" {
			t.Errorf("%s: got %q, want a warning: %v", name, got, c.complain)
		}
	}
}
