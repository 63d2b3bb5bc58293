package sshd_test

import (
	"fmt"
	"os/exec"
	"testing"

	"latchkey/sshd/suite"
)

func TestTrustEndsAfterItsDaysAndWithALock(t *testing.T) {
	program := t.TempDir() + "/given"
	build := exec.Command("go", "build", "-o", program, "./testdata/given")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, conf := trustServer(t, h, "trust-end", trustByKey, keyOptions[:3])
		if out, err := exec.Command("install", program, h.Path("/usr/local/bin/given")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		key, line := plainKey(t)
		user := func() suite.Attempt {
			u := enrolled(t, h)
			authorize(t, h, u, line)
			return suite.Attempt{User: u.Name, Key: key}
		}
		given := func(a suite.Attempt, ago string) {
			t.Helper()
			script(t, h, fmt.Sprintf("/usr/local/bin/given %[1]s $(id -u %[1]s) %[2]s trust-end %[3]s '%[4]s'", a.User, conf, ago, line))
		}
		before, after := user(), user()
		given(before, "719h50m")
		trusted(t, s, before)
		given(after, "720h1s")
		untrusted(t, s, "after 30 days", after)

		given(after, "1h")
		trusted(t, s, after)
		for range 3 {
			script(t, h, fmt.Sprintf("printf '%%s\\n' 000000 | pamtester -I rhost=127.0.0.1 trust-end %s authenticate || :", after.User))
		}
		denied(t, s, after)
		audited(t, h, after.User, 6, "verdict=deny", "reason=locked")
		script(t, h, "enroll unlock "+after.User)
		untrusted(t, s, "after a lock", after)
	})
}
