package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"latchkey/pam/twilio/dispatch"
)

// hostProfiles are AppArmor's profiles in the host's package.
var hostProfiles = []string{"usr.bin.enroll", "usr.libexec.latchkey.latchkey-enroll",
	"usr.libexec.latchkey.latchkey-fleet", "usr.libexec.latchkey.latchkey-login",
	"usr.libexec.latchkey.latchkey-notify", "usr.libexec.latchkey.latchkey-twilio"}

// Each profile names the program that the package installs, and an administrator's own file, and is
// enforced.
func TestEveryProgramHasAProfileThatNamesIt(t *testing.T) {
	dir := unpacked(t, "amd64")
	programs, err := filepath.Glob(filepath.Join(dir, "usr/libexec/latchkey/*"))
	must(t, err)
	programs = append(programs, filepath.Join(dir, "usr/bin/enroll"))
	if len(programs) != len(hostProfiles) {
		t.Errorf("got %d programs and %d profiles: %q", len(programs), len(hostProfiles), programs)
	}
	for _, program := range programs {
		path := strings.TrimPrefix(program, dir)
		name := strings.ReplaceAll(path[1:], "/", ".")
		text, err := os.ReadFile(filepath.Join(dir, "etc/apparmor.d", name))
		must(t, err)
		for _, want := range []string{
			"profile " + filepath.Base(path) + " " + path + " flags=(attach_disconnected) {",
			"include if exists <local/" + name + ">"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: got %s, want %q", name, text, want)
			}
		}
	}
}

// The service of a fleet starts latchkey-twilio by itself, where users have phones.
func TestProfileOfTheServiceLetsItReachTwilio(t *testing.T) {
	text, err := os.ReadFile("apparmor/usr.sbin.latchkey-fleetd")
	must(t, err)
	if want := "\n  " + dispatch.Program + " mrix,\n"; !strings.Contains(string(text), want) {
		t.Errorf("got %s, want %q", text, want)
	}
}

// The scripts load profiles where AppArmor is in use, take them out, and never fail because of
// them.
func TestScriptsLoadTheProfilesWhereAppArmorIs(t *testing.T) {
	for name, c := range map[string]struct {
		enabled, parser string
		want            string
	}{
		"in use":               {"exit 0", "", "--replace --remove"},
		"in use, and refusing": {"exit 0", "exit 1", "--replace --remove"},
		"not in use":           {"exit 1", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			bin, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
			script(t, filepath.Join(bin, "aa-enabled"), c.enabled)
			script(t, filepath.Join(bin, "apparmor_parser"), "echo $1 $*>>"+log+"\n"+c.parser)
			for _, of := range []struct{ file, function string }{{"installed.sh", "confine"},
				{"purge.sh", "unconfine"}} {
				callFunction(t, bin, of.file, of.function)
			}
			if got := firstWords(log); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func script(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755))
}

// callFunction calls one function of a package's script, with one profile there.
func callFunction(t *testing.T, bin, file, function string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("scripts", file))
	must(t, err)
	all, _, found := strings.Cut(string(text), "\ncase $1 in\n")
	if !found {
		t.Fatalf("%s has no case that calls its functions", file)
	}
	profile := filepath.Join(t.TempDir(), "usr.bin.enroll")
	must(t, os.WriteFile(profile, nil, 0o644))
	all = strings.ReplaceAll(all, "rm -f /var/lib/latchkey/.removable", ":")
	all = strings.ReplaceAll(all, "/etc/apparmor.d/usr.bin.enroll", profile)
	all = strings.ReplaceAll(all, "/etc/apparmor.d/usr.libexec.latchkey.*", profile+".none")
	cmd := exec.Command("sh", "-c", all+"\n"+function)
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s of %s: %v: %s", function, file, err, out)
	}
}

// firstWords are those of each line of a file.
func firstWords(path string) string {
	text, _ := os.ReadFile(path) // without calls there is none
	var words []string
	for line := range strings.Lines(string(text)) {
		words = append(words, strings.Fields(line)[0])
	}
	return strings.Join(words, " ")
}

// policyStore is where deps.sh unpacks Debian's policy.
func policyStore(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	must(t, err)
	return filepath.Join(cache, "latchkey/selinux/usr/share/selinux/default")
}

// session is a module with the type that OpenSSH 10's sshd-session has on Fedora.
const session = `module session 1.0;
require { attribute domain; role system_r; class process transition; }
type sshd_session_t;
typeattribute sshd_session_t domain;
role system_r types sshd_session_t;
`

// linkedPolicy links our module with the base of Debian's policy and that of sshd, and expands it,
// which also checks what the policy says must never be allowed.
func linkedPolicy(t *testing.T, more ...string) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-o", dir + "/linked"}
	for _, name := range []string{"base", "ssh"} {
		out, err := exec.Command("bzcat", filepath.Join(policyStore(t), name+".pp.bz2")).Output()
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name+".pp"), out, 0o644))
		args = append(args, filepath.Join(dir, name+".pp"))
	}
	module := filepath.Join(built, "amd64/redhat/usr/share/selinux/packages/latchkey.pp")
	run(t, slices.Concat([]string{"semodule_link"}, args, []string{module}, more)...)
	run(t, "semodule_expand", dir+"/linked", dir+"/policy")
	return dir + "/policy"
}

func TestSELinuxModuleFitsDebiansPolicyAndAllowsWhatLoginsNeed(t *testing.T) {
	policy := linkedPolicy(t)
	for _, c := range []struct {
		what  string
		query []string
		found bool
	}{
		{"sshd's login program gets its own domain", []string{"-T", "-s", "sshd_t", "-t",
			"latchkey_exec_t", "-D", "latchkey_t"}, true},
		{"it writes its state", rule("latchkey_t", "latchkey_var_lib_t", "file", "write"), true},
		{"it writes records", rule("latchkey_t", "latchkey_conf_t", "file", "rename"), true},
		{"it has no network", rule("latchkey_t", "latchkey_t", "tcp_socket", "create"), false},
		{"sshd reads no state", rule("sshd_t", "latchkey_var_lib_t", "file", "read"), false},
		{"Twilio is reached",
			rule("latchkey_net_t", "http_port_t", "tcp_socket", "name_connect"), true},
		{"mail servers are not",
			rule("latchkey_net_t", "smtp_port_t", "tcp_socket", "name_connect"), false},
		{"what has the network reads no state",
			rule("latchkey_net_t", "latchkey_var_lib_t", "file", "read"), false},
		{"what has the network reads no credentials",
			rule("latchkey_net_t", "latchkey_conf_t", "file", "read"), false},
	} {
		if got := run(t, append(append([]string{"sesearch"}, c.query...), policy)...); c.found !=
			(strings.TrimSpace(got) != "") {
			t.Errorf("%s: got %q, want found %v", c.what, got, c.found)
		}
	}
}

func rule(source, target, class, permission string) []string {
	return []string{"-A", "-ds", "-dt", "-s", source, "-t", target, "-c", class, "-p", permission}
}

// sshd_session_t is optional: with it, the process in which OpenSSH 10 asks may start the program.
func TestSELinuxModuleKnowsSessionsOfOpenSSH10(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/session.te", []byte(session), 0o644))
	run(t, "checkmodule", "-M", "-m", "-c", "19", "-o", dir+"/session.mod", dir+"/session.te")
	run(t, "semodule_package", "-o", dir+"/session.pp", "-m", dir+"/session.mod")
	got := run(t, "sesearch", "-T", "-s", "sshd_session_t", "-t", "latchkey_exec_t",
		linkedPolicy(t, dir+"/session.pp"))
	if want := "process latchkey_t"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Nothing of the module is enforced before a kernel has shown that logins work with it.
func TestSELinuxDomainsArePermissive(t *testing.T) {
	text, err := os.ReadFile("selinux/latchkey.te")
	must(t, err)
	var permissive []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "permissive "); ok {
			permissive = append(permissive, name)
		}
	}
	if want := []string{"latchkey_t;", "latchkey_net_t;"}; !slices.Equal(permissive, want) {
		t.Errorf("got %q, want %q", permissive, want)
	}
}
