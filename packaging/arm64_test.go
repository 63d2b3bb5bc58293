package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"latchkey/pam/unprivileged/harden"
)

// emulated returns a command line that runs an arm64 program on the libraries that deps.sh
// unpacked, with the environment that enroll gives itself. With another one it would start itself
// again, and the emulator is not installed for that.
func emulated(t *testing.T, argv ...string) *exec.Cmd {
	t.Helper()
	emulator, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		emulator, err = exec.LookPath("qemu-aarch64-static")
	}
	must(t, err)
	cmd := exec.Command(emulator, append([]string{"-L", sysroot(t)}, argv...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "GOTRACEBACK=none"}
	return cmd
}

func sysroot(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	must(t, err)
	return filepath.Join(cache, "latchkey/arm64")
}

func TestArm64EnrollShowsItsHelp(t *testing.T) {
	enroll := filepath.Join(unpacked(t, "arm64"), "usr/bin/enroll")
	cmd, turned := emulated(t, enroll, "--help"), emulated(t, enroll, "--help")
	// some emulators reverse it, and then enroll takes it for another one
	slices.Reverse(turned.Env)
	out, err := cmd.CombinedOutput()
	if err != nil {
		out, err = turned.CombinedOutput()
	}
	if err != nil || !strings.Contains(string(out), "enroll add totp") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestArm64LoginDeniesAGateOfAnotherVersion(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET, 0)
	must(t, err)
	ours, its := os.NewFile(uintptr(pair[0]), "gate"), os.NewFile(uintptr(pair[1]), "login")
	defer ours.Close()
	_, err = ours.WriteString("H0\x00")
	must(t, err)
	cmd := emulated(t, filepath.Join(unpacked(t, "arm64"), "usr/libexec/latchkey/latchkey-login"))
	cmd.Stdin = its
	out, err := cmd.CombinedOutput()
	must(t, its.Close())
	must(t, err)
	answer := make([]byte, 64)
	n, _ := ours.Read(answer)
	if got := string(answer[:n]); got != "V2 deny 4" {
		t.Errorf("it answered %q and printed %q", got, out)
	}
}

func TestArm64TwilioRefusesAMalformedRequest(t *testing.T) {
	cmd := emulated(t, filepath.Join(unpacked(t, "arm64"), "usr/libexec/latchkey/latchkey-twilio"))
	// with another environment it would start itself again, which is the emulator here
	cmd.Env, cmd.Stdin = harden.Environment, strings.NewReader("{}")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"result":"refused"`) {
		t.Errorf("%v: %s", err, out)
	}
}

// host loads the module as a PAM application's libpam does.
const host = `#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	void *module = dlopen(argv[1], RTLD_NOW);
	static const char *const names[] = {
		"pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt",
	};
	int setcred = -1;

	for (int i = 0; module && i < 3; i++)
		if (!dlsym(module, names[i]))
			module = NULL;
	if (module)
		setcred = ((int (*)(void *, int, int, const char **))dlsym(module, names[1]))(
			NULL, 0, 0, NULL);
	else
		puts(dlerror());
	return setcred;
}
`

func TestArm64ModuleIsLoaded(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "host.c"), []byte(host), 0o600))
	run(t, "aarch64-linux-gnu-gcc", "-o", filepath.Join(dir, "host"), filepath.Join(dir, "host.c"))
	module := filepath.Join(unpacked(t, "arm64"),
		"usr/lib/aarch64-linux-gnu/security/pam_latchkey.so")
	if out, err := emulated(t, filepath.Join(dir, "host"), module).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
