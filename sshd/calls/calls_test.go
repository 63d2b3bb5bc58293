package calls

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"latchkey/sshd/apparmor"
)

// What each system call asks of AppArmor.
func TestEachCallAsksForWhatTheKernelAsksFor(t *testing.T) {
	for line, want := range map[string]string{
		`openat(AT_FDCWD</>, "/lib/a", O_RDONLY|O_CLOEXEC) = 3</usr/lib/a>`:     "/usr/lib/a r",
		`openat(5</etc>, "O_RDWR", O_RDONLY) = 3</etc/O_RDWR>`:                  "/etc/O_RDWR r",
		`openat(5</etc>, "a", O_RDWR|O_CREAT|O_EXCL, 0600) = 3</etc/a>`:         "/etc/a wr",
		`openat(5</etc>, "a", O_RDONLY|O_CREAT, 0600) = 3</etc/a>`:              "/etc/a wr",
		`openat(5</etc>, "a", O_WRONLY|O_APPEND) = 3</etc/a>`:                   "/etc/a w",
		`openat(5</etc>, "a", O_RDONLY|O_PATH) = 3</etc/a>`:                     "",
		`openat2(5</etc>, "a", {flags=O_RDONLY}, 24) = 3</etc/a>`:               "/etc/a r",
		`openat(AT_FDCWD</>, "/dev/null", O_RDWR) = 3</dev/null<char 1:3>>`:     "/dev/null wr",
		`openat(AT_FDCWD</>, "/none", O_RDONLY) = -1 ENOENT (No)`:               "",
		`read(3</etc/a>, ""..., 10) = 10`:                                       "/etc/a r",
		`read(3</tmp/a>(deleted), ""..., 10) = 10`:                              "/tmp/a r",
		`read(3<pipe:[12]>, ""..., 10) = 10`:                                    "",
		`write(1<TCP:[127.0.0.1:1->127.0.0.1:2]>, "a, b)", 10) = 10`:            "",
		`write(3</memfd:x>(deleted), ""..., 10) = 10`:                           "",
		`getdents64(3</etc>, [...], 32768) = 40`:                                "/etc r",
		`fchmod(3</etc/a>, 0600) = 0`:                                           "/etc/a w",
		`fchown(3</etc/a>, 0, 0) = 0`:                                           "/etc/a w",
		`ftruncate(3</etc/a>, 0) = 0`:                                           "/etc/a w",
		`flock(3</etc/a>, LOCK_EX|LOCK_NB) = 0`:                                 "/etc/a wk",
		`flock(3</etc/a>, LOCK_SH) = 0`:                                         "/etc/a k",
		`fcntl(3</etc/a>, F_SETLK, {l_type=F_WRLCK}) = 0`:                       "/etc/a wk",
		`fcntl(3</etc/a>, F_GETFL) = 0x8000`:                                    "",
		`mmap(NULL, 9, PROT_READ|PROT_EXEC, MAP_PRIVATE, 3</lib/a>, 0) = 0x7f`:  "/lib/a rm",
		`mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_PRIVATE, 3</lib/a>, 0) = 0x7f`: "/lib/a r",
		`mmap(NULL, 9, PROT_WRITE, MAP_SHARED, 3</lib/a>, 0) = 0x7f`:            "/lib/a w",
		`mmap(NULL, 9, PROT_READ, MAP_ANONYMOUS, -1, 0) = 0x7f`:                 "",
		`renameat(3</etc>, "a", 3</etc>, "b") = 0`:                              "/etc/a wr, /etc/b w",
		`renameat2(3</etc>, "a", 3</etc>, "b", RENAME_EXCHANGE) = 0`:            "/etc/a wr, /etc/b wr",
		`unlinkat(3</etc>, "a", 0) = 0`:                                         "/etc/a w",
		`unlinkat(3</etc>, "a", AT_REMOVEDIR) = 0`:                              "/etc/a/ w",
		`mkdirat(3</etc>, "a", 0700) = 0`:                                       "/etc/a/ w",
		`symlinkat("/x", 3</etc>, "a") = 0`:                                     "/etc/a w",
		`linkat(3</etc>, "a", 3</etc>, "b", 0) = 0`:                             "/etc/b l to /etc/a",
		`fchownat(3</etc/a>, "", 0, 0, AT_EMPTY_PATH) = 0`:                      "/etc/a w",
		`connect(3<UNIX:[1]>, {sun_path="/dev/log"}, 110) = 0`:                  "/dev/log w",
		`connect(3<UNIX:[1]>, {sun_path="/run/a"}, 110) = 0`:                    "/run/a wr",
		`connect(3<UNIX:[1]>, {sun_path=@"a"}, 110) = 0`:                        "",
		`sendto(3<UNIX:[1->2]>, ""..., 9, 0, NULL, 0) = 9`:                      "",
	} {
		all, err := parse("7 " + line + "\n")
		if err != nil {
			t.Error(err)
		}
		f := follower{root: t.TempDir()}
		var got []string
		for _, c := range all {
			for _, u := range c.uses() {
				text := fmt.Sprintf("%s %s", f.resolve(u), u.access)
				if u.target != "" {
					text += " to " + u.target
				}
				got = append(got, text)
			}
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

func TestRootNeedsACapabilityForWhatIsNotItsOwn(t *testing.T) {
	for line, want := range map[string]string{
		`fchown(3</etc/a>, 0, 0) = 0`:                "",
		`fchown(3</etc/a>, -1, 7) = 0`:               "chown",
		`fchownat(3</etc>, "a", 7, 0, 0) = 0`:        "chown",
		`setresuid(-1, 0, -1) = 0`:                   "",
		`setresuid(65534, 65534, 65534) = 0`:         "setuid",
		`setgid(65534) = 0`:                          "setgid",
		`setgroups(0, NULL) = 0`:                     "setgid",
		`setuid(65534) = -1 EPERM (Not permitted)`:   "none",
		`openat(3</etc>, "a", O_RDONLY) = 4</etc/a>`: "",
	} {
		all, err := parse("7 " + line + "\n")
		if err != nil {
			t.Error(err)
		}
		got := "none"
		for _, c := range all {
			got = c.capability()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

// Calls of several processes are mixed in a log, and a thread may run a program.
func TestCallsThatOthersInterruptAreReadWhole(t *testing.T) {
	const log = `7 openat(5</etc>, "a", O_RDONLY <unfinished ...>
8 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
9 read(3</etc/b>, ""..., 1) = 1
7 <... openat resumed>) = 3</etc/a>
7 --- SIGURG {si_signo=SIGURG} ---
8 <... clone resumed>) = 4 /* 9 in strace's PID NS */
10 execve("/bin/a", ["a"], 0x1 /* 2 vars */ <pid changed to 8 ...>
8 <... execve resumed>) = 0
12 execve("/bin/b", ["b"], 0x1 /* 2 vars */ <unfinished ...>
11 +++ superseded by execve in pid 12 +++
11 <... execve resumed>) = 0
9 +++ exited with 0 +++
`
	all, err := parse(log)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		got = append(got, fmt.Sprint(c.PID, " ", c.Name))
	}
	want := []string{"9 read", "7 openat", "8 clone", "8 execve", "11 execve"}
	if !slices.Equal(got, want) || parents(all)[9] != 8 {
		t.Errorf("got %q and the parents %v, want %q and 8 as that of 9", got, parents(all), want)
	}
}

// AppArmor sees where a path leads.
func TestPathsAreResolvedInsideTheRoot(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"usr/lib", "run"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"lib": "usr/lib", "var": "/usr", "usr/up": "../run",
		"round": "round"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	f := follower{root: root}
	for _, c := range []struct {
		use  use
		want string
	}{
		{use{path: "/lib/a"}, "/usr/lib/a"}, {use{path: "/lib"}, "/usr/lib/"},
		{use{path: "/lib", parent: true}, "/lib"}, {use{path: "/var/lib/a"}, "/usr/lib/a"},
		{use{path: "/usr/up/a", parent: true}, "/run/a"}, {use{path: "/none/a"}, "/none/a"},
		{use{path: "/round"}, "/round"}, {use{path: "/lib", resolved: true}, "/lib"},
	} {
		if got := f.resolve(c.use); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.use, got, c.want)
		}
	}
}

// Nothing is allowed by a profile that is not there.
func TestDeedUnderAnUnknownProfileIsRefused(t *testing.T) {
	if err := (Deed{Profile: "x", Path: "/"}).Allowed(apparmor.Profiles{}); err == nil {
		t.Error("got it allowed, want an error")
	}
}
