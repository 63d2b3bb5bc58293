package stack

import (
	"os"
	"slices"
	"testing"

	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/enroll/doctor/stack/stacktest"
)

func TestAModuleUnderAnotherNameIsTheModule(t *testing.T) {
	const text = "/etc/pam.d/sshd:\nauth requisite pam_unix.so\nauth required pam_2fa.so\n"
	root := stacktest.Machine(t, text)
	if s, err := Read(root, "sshd"); err != nil || s.Has() {
		t.Fatalf("no such module: got %v, %v", s, err)
	}
	if err := os.Symlink(pamd.Module, root+stacktest.ModuleDir+"pam_2fa.so"); err != nil {
		t.Fatal(err)
	}
	s, err := Read(root, "sshd")
	if err != nil || !s.Has() || len(s.Weaknesses()) != 0 {
		t.Errorf("a link to it: got %v, %v, want a stack that is right", s, err)
	}
	if s, err = ReadAnyones(root, "sshd"); err != nil || !s.Has() {
		t.Errorf("writable by others: got %v, %v, want a stack that is right", s, err)
	}
}

func TestAMissingModuleIsReportedWhereItLocksEveryoneOut(t *testing.T) {
	for name, c := range map[string]struct {
		sshd string
		want []string
	}{
		"all there": {"auth requisite pam_unix.so\nauth required pam_latchkey.so\n" +
			"account required pam_unix.so\n", nil},
		"a password": {"auth requisite pam_sss.so\nauth required pam_latchkey.so\n" +
			"account required pam_unix.so\n", []string{"/etc/pam.d/sshd:1"}},
		"one of two": {"auth [success=2 default=ignore] pam_sss.so\n" +
			"auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n" +
			"auth required pam_latchkey.so\naccount required pam_unix.so\n", nil},
		"an optional": {"-auth optional pam_keyring.so\nauth requisite pam_unix.so\n" +
			"auth required pam_latchkey.so\naccount required pam_unix.so\n", nil},
		"in account": {"auth requisite pam_unix.so\nauth required pam_latchkey.so\n" +
			"account required pam_slurm.so\n", []string{"/etc/pam.d/sshd:3"}},
		"in a path": {"auth requisite pam_unix.so\nauth required /lib/pam_latchkey.so\n" +
			"account required pam_unix.so\n", []string{"/etc/pam.d/sshd:2"}},
		"$ISA": {"auth requisite pam_unix.so\nauth required " + stacktest.ModuleDir +
			"$ISA/pam_latchkey.so\naccount required pam_unix.so\n", nil},
		"a dash": {"-auth requisite pam_sss.so\nauth required pam_latchkey.so\n" +
			"account required pam_unix.so\n", []string{"/etc/pam.d/sshd:1"}},
		"a wrong place": {"auth requisite pam_unix.so\nauth required ../pam_latchkey.so\n" +
			"account required pam_unix.so\n", []string{"/etc/pam.d/sshd:2"}},
	} {
		root := stacktest.Machine(t,
			"/etc/pam.d/sshd:\n"+c.sshd+stacktest.ModuleDir+"pam_permit.so:\n"+
				"ELF\n"+stacktest.ModuleDir+"pam_deny.so:\nELF\n")
		s, err := Read(root, "sshd")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range s.Missing() {
			got = append(got, l.Place())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
