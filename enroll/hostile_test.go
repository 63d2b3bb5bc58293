package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// shell runs a command line in which $0 is enroll.
func shell(t *testing.T, exe, line string, env ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("sh", "-c", line, exe)
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// callers are what users who start enroll may have set. Root may raise limits again, but not root
// without CAP_SYS_RESOURCE, as in many containers: then an error that changes nothing is right.
var callers = map[string]string{
	"umask 000":                      `umask 000; exec "$@"`,
	"files may have no bytes":        `ulimit -f 0; exec "$@"`,
	"a small stack":                  `ulimit -s 64; exec "$@"`,
	"few descriptors":                `ulimit -n 6; exec "$@"`,
	"one second of processor":        `ulimit -t 1; exec "$@"`,
	"core files allowed":             `ulimit -c unlimited; exec "$@"`,
	"standard input closed":          `exec "$@" <&-`,
	"standard output closed":         `exec "$@" >&-`,
	"descriptors 0 to 2 are closed":  `exec "$@" <&- >&- 2>&-`,
	"signals ignored":                `trap "" HUP INT TERM PIPE XFSZ; exec "$@"`,
	"in a directory that is removed": `cd "$(mktemp -d)"; rmdir "$PWD"; exec "$@"`,
}

// changes are the commands that write, as root gives them to a user who has a phone and a tablet.
var changes = map[string][]string{
	"add totp":  {"add", "totp", "--label", "new", "--yes"},
	"add hotp":  {"add", "hotp", "--label", "new", "--secret-file", "SECRET", "--yes"},
	"add phone": {"add", "phone", "--number", "+15551234567", "--yes"},
	"remove":    {"remove", "tablet"},
	"codes":     {"codes", "--yes"},
	"reset":     {"reset", "root"},
	"unlock":    {"unlock", "root"},
	"bypass":    {"bypass", "root"},
	"invite":    {"invite", "root"},
	"import":    {"import", "--user", "root", "--replace", "GOOGLE"},
}

func TestEnrollWritesPrivateWholeFilesOrNoneWithAnySettingsOfTheCaller(t *testing.T) {
	exe, root := underRoot(t)
	files := strings.NewReplacer("SECRET", root+"/secret", "GOOGLE", root+"/google")
	for path, text := range map[string]string{"secret": rfcSecret + "\n",
		"google": rfcSecret + "\n\" TOTP_AUTH\n12345678\n"} {
		if err := os.WriteFile(root+"/"+path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for command, args := range changes {
		for name, line := range callers {
			t.Run(command+", "+name, func(t *testing.T) {
				wipe(t, root)
				runs(t, exe, "add", "totp", "--label", "phone", "--yes")
				runs(t, exe, "add", "totp", "--label", "tablet", "--yes")
				before := recordOf(t, root)
				argv := append([]string{"-c", line, "sh", exe}, args...)
				for i, arg := range argv {
					argv[i] = files.Replace(arg)
				}
				out, err := exec.Command("sh", argv...).CombinedOutput()
				if err != nil && !strings.Contains(line, "ulimit") &&
					!strings.Contains(line, ">&-") {
					t.Fatalf("%v: %s", err, out)
				}
				if err != nil && strings.Contains(line, "ulimit") && recordOf(t, root) != before {
					t.Errorf("it failed and changed the record: %s", out)
				}
				runs(t, exe, "status") // fails if the user could not log in
				privateAndWhole(t, root)
			})
		}
	}
}

// privateAndWhole demands that only root may read what is below root, and that nothing
// half-written is there.
func privateAndWhole(t *testing.T, root string) {
	t.Helper()
	for _, dir := range []string{"/etc/latchkey/users/", "/var/lib/latchkey/",
		"/var/lib/latchkey/users/"} {
		all, err := os.ReadDir(root + dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range all {
			info, err := file.Info()
			if err != nil || !info.IsDir() && info.Mode() != 0o600 ||
				strings.HasPrefix(file.Name(), ".") {
				t.Errorf("%s%s: %v, %v", dir, file.Name(), info, err)
			}
		}
	}
}

func TestASoftLimitIsRaisedAsFarAsAnybodyMayRaiseIt(t *testing.T) {
	exe, _ := underRoot(t)
	for _, line := range []string{
		`ulimit -Sf 0; ulimit -Hf 100; exec "$0" add totp --label phone --yes`,
		`ulimit -Ss 64; ulimit -Hs 16384; exec "$0" add totp --label tablet --yes`,
	} {
		if out, err := shell(t, exe, line); err != nil {
			t.Errorf("%s: %v: %s", line, err, out)
		}
	}
}

func TestEnrollOnAFullDiskSaysSoAndChangesNothing(t *testing.T) {
	exe, root := underRoot(t)
	runs(t, exe, "add", "totp", "--label", "phone", "--yes")
	before := recordOf(t, root)
	cmd := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, "-e",
		"inject=fsync:error=ENOSPC", exe, "add", "totp", "--label", "tablet", "--yes")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no space left on device") ||
		strings.Contains(string(out), "otpauth:") {
		t.Errorf("%v: %s", err, out)
	}
	if recordOf(t, root) != before {
		t.Error("the record changed")
	}
	if names, _ := os.ReadDir(root + "/etc/latchkey/users"); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestEnrollsEnvironmentIsFixedBeforeAnythingIsRead(t *testing.T) {
	exe, _ := underRoot(t)
	hostile := []string{"GODEBUG=http2debug=2,inittrace=1", "TMPDIR=/nowhere", "TZ=:/etc/shadow",
		"LD_PRELOAD=/nowhere.so", "TERM=xterm"}
	out, err := exec.Command("strace", "-f", "-s", "500", "-v", "-e", "trace=execve",
		"-E", hostile[0], "-E", hostile[1], "-E", hostile[2], "-E", hostile[4], exe,
		"status").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, second, ok := strings.Cut(string(out), `execve("/proc/self/exe"`)
	if !ok {
		t.Fatalf("no re-execution: %s", out)
	}
	for _, name := range []string{"GODEBUG", "TMPDIR", "TZ"} {
		if strings.Contains(strings.Split(second, "\n")[0], name+"=") {
			t.Errorf("%s survives: %s", name, second)
		}
	}
}
