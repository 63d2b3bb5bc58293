package sshd_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// readme configures a host as README says, starting from Debian's own files.
const readme = `set -e
sed -i 's/^@include common-auth$/&\nauth required pam_latchkey.so/' /etc/pam.d/sshd
sed -i 's/^KbdInteractiveAuthentication no$/KbdInteractiveAuthentication yes\n'\
'PasswordAuthentication no\n'\
'AuthenticationMethods publickey,keyboard-interactive keyboard-interactive/' /etc/ssh/sshd_config
`

// complaint is a finding of enroll doctor --json other than "ok".
type complaint struct{ Check, Status, Detail, Hint string }

func (c complaint) String() string {
	return fmt.Sprintf("%s: %s: %s", c.Status, c.Check, c.Detail)
}

// doctor returns the errors that enroll doctor finds on the host.
func doctor(t *testing.T, h *suite.Host, args string) []complaint {
	t.Helper()
	out, err := h.Script("enroll doctor --json " + args + " 2>/dev/null || test $? = 1")
	must(t, err)
	var all, bad []complaint
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, c := range all {
		if c.Status == "error" {
			bad = append(bad, c)
		}
	}
	return bad
}

func TestDoctorAcceptsTheREADMEConfigurationAndFindsEachWayPastIt(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		// Debian's own files: no pam_latchkey, no keyboard-interactive, passwords and keys alone.
		if bad := doctor(t, h, ""); len(bad) < 3 {
			t.Errorf("before it is switched on: %v", bad)
		}
		_, err := h.Script(readme)
		must(t, err)
		must(t, user(t, h).Enroll())
		if bad := doctor(t, h, ""); len(bad) != 0 {
			t.Errorf("as README says: %v", bad)
		}
		for _, c := range []struct{ name, spoil, says string }{
			{"sufficient in an include",
				`sed -i 's/^auth.*pam_unix.so.*/auth sufficient pam_unix.so/' ` +
					`/etc/pam.d/common-auth`, "error: /etc/pam.d/common-auth:"},
			{"default=ignore",
				`sed -i 's/^auth required pam_latchkey/auth [default=ignore] pam_latchkey/' ` +
					`/etc/pam.d/sshd`, "error: /etc/pam.d/sshd:"},
			{"optional", `sed -i 's/^auth required pam_latchkey/auth optional pam_latchkey/' ` +
				`/etc/pam.d/sshd`, "error: /etc/pam.d/sshd:"},
			{"a key alone", `sed -i /^AuthenticationMethods/d /etc/ssh/sshd_config`,
				"error: sshd: PubkeyAuthentication yes and no AuthenticationMethods"},
			{"a key alone for some",
				`printf 'Match User backup\n AuthenticationMethods any\n' ` +
					`>/etc/ssh/sshd_config.d/x.conf`, "error: /etc/ssh/sshd_config.d/x.conf:2: "},
			{"PasswordAuthentication",
				`sed -i 's/^PasswordAuthentication no/PasswordAuthentication yes/; ` +
					`/^AuthenticationMethods/d' /etc/ssh/sshd_config`,
				": PasswordAuthentication yes"},
			{"UsePAM", `sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config`, ": UsePAM no"},
			{"setuid", `chmod 755 /usr/bin/enroll`,
				"error: /usr/bin/enroll: mode 0755 lacks 4000"},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, err := h.Script("set -e\ncp -a /etc /usr/bin/enroll /root/\n" + c.spoil)
				must(t, err)
				bad := doctor(t, h, "")
				if said := fmt.Sprint(bad); !strings.Contains(said, c.says) {
					t.Errorf("no %q in %s", c.says, said)
				}
				_, err = h.Script("cp -a /root/etc/pam.d /root/etc/ssh /etc/ && cp -a " +
					"/root/enroll /usr/bin/enroll && rm -rf /etc/ssh/sshd_config.d/x.conf " +
					"/root/etc /root/enroll")
				must(t, err)
				if bad := doctor(t, h, ""); len(bad) != 0 {
					t.Errorf("put right again: %v", bad)
				}
			})
		}
	})
}

// The stacks of the suite are what README shows. doctor accepts each of them, and rejects its twin
// without the code.
func TestDoctorAcceptsTheStacksOfThisSuiteAndRejectsTheirTwins(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		for name, c := range map[string]struct {
			stack suite.Stack
			wrong int
		}{
			"doctor-right": {suite.Latchkey, 0},
			"doctor-key": {suite.Stack{"[success=1 default=ignore] pam_latchkey.so if_publickey",
				"requisite pam_unix.so",
				"required pam_latchkey.so"}, 0},
			"doctor-alone": {suite.OnlyCode, 1},
			"doctor-none":  {suite.Unix, 1},
			"doctor-twice": {suite.Stack{
				"requisite pam_unix.so", "required pam_latchkey.so", "required pam_latchkey.so",
			}, 1},
		} {
			must(t, h.Service(name, c.stack))
			bad := doctor(t, h, "--service "+name)
			about := 0
			for _, b := range bad {
				if strings.Contains(b.Check, name) {
					about++
				}
			}
			if about != c.wrong {
				t.Errorf("%s: %v", name, bad)
			}
		}
	})
}

// libpam differs between distributions, so the tests that compare doctor's simulation with it run
// on each.
func TestDoctorSimulatesEachDistributionsLibpam(t *testing.T) {
	program := compiled(t, "latchkey/enroll/doctor/stack")
	onEach(t, func(t *testing.T, h *suite.Host) {
		must(t, os.WriteFile(h.Path("/usr/libexec/stack.test"), program, 0o755))
		out, err := h.Exec("", "/usr/libexec/stack.test", "-test.v", "-test.run", "Libpam")
		if err != nil || strings.Contains(out, "--- SKIP") ||
			!strings.Contains(out, "--- PASS: TestTheSimulationWalksEveryStackAsLibpamDoes") ||
			!strings.Contains(out, "--- PASS: TestABypassIsFoundExactlyWhereLibpamHasOne") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// sshd differs too, so doctor's table is compared with the real one of each. FAULTS 10, 43.
func TestDoctorTableHoldsWithEachDistributionsSSHD(t *testing.T) {
	program := compiled(t, "latchkey/enroll/doctor")
	onEach(t, func(t *testing.T, h *suite.Host) {
		_, err := h.Script("mkdir -p /root/doctor")
		must(t, err)
		must(t, os.CopyFS(h.Path("/root/doctor/testdata"), os.DirFS("../enroll/doctor/testdata")))
		must(t, os.WriteFile(h.Path("/root/doctor/doctor.test"), program, 0o755))
		out, err := h.Script("cd /root/doctor && ./doctor.test -test.v -test.run '^TestTable$|" +
			"^TestEach|^TestALine'")
		if err != nil || !strings.Contains(out, "--- PASS: TestTable/") ||
			!strings.Contains(out, "--- PASS: TestEachWayPast") ||
			strings.Contains(out, "--- SKIP") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// compiled returns the test program of a package.
func compiled(t *testing.T, name string) []byte {
	t.Helper()
	program := t.TempDir() + "/program"
	build := exec.Command("go", "test", "-c", "-o", program, name)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(program)
	must(t, err)
	return text
}
