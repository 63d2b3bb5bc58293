package names

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain is also the program that asks, where /etc has the files of one case.
func TestMain(m *testing.M) {
	if os.Getenv("LATCHKEY_ASK") == "" {
		os.Exit(m.Run())
	}
	in, err := answer(os.Getenv("LATCHKEY_ASK"), os.Getenv("LATCHKEY_FREE"))
	fmt.Printf("%v, %v", in, err)
}

// answer asks whether alice is in the group, with only as many descriptors as free says; "": as
// many as she likes.
func answer(group, free string) (bool, error) {
	alice := LookUp("alice")
	if free != "" {
		limit := unix.Rlimit{Cur: 40, Max: 40}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return false, err
		}
		var taken []int
		for {
			fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				break
			}
			taken = append(taken, fd)
		}
		for _, fd := range taken[:len(free)-1] { // "free" is as many dots, then a slash
			unix.Close(fd)
		}
	}
	return alice.InGroup(group)
}

// etc is the content of /etc in a case; an empty file is missing.
type etc struct{ nsswitch, group, netgroup string }

const (
	people   = "root:x:0:0::/:/bin/sh\nalice:x:4000:4000::/:/bin/sh\n"
	groups   = "root:x:0:\nalice:x:4000:\nstaff:x:4001:bob,alice\nother:x:4002:bob\n"
	healthy  = "passwd: files\ngroup: files\nnetgroup: files\n"
	netgroup = "team (,alice,)\nothers (,bob,)\nall \\\n others \\\n team\nlost others " +
		"nowhere\nround (-,bob,-) (  -  , bob , - ) ring # and so on\nring round\n"
)

// ask runs this test binary where the case's files are in /etc.
func ask(t *testing.T, e etc, group, free string) string {
	t.Helper()
	dir := t.TempDir()
	script := "set -e\n"
	for name, text := range map[string]string{
		"passwd":        people,
		"nsswitch.conf": e.nsswitch,
		"group":         e.group,
		"netgroup":      e.netgroup,
	} {
		if text != "" {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "-rm", "sh", "-c",
		script+"mount --bind \"$1\" /etc && exec \"$2\"", "sh", dir, os.Args[0])
	cmd.Env = append(os.Environ(), "LATCHKEY_ASK="+group, "LATCHKEY_FREE="+free,
		"ASAN_OPTIONS=detect_leaks=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// namespaces skips a test where this process cannot have an /etc of its own.
func namespaces(t *testing.T) {
	t.Helper()
	out, err := exec.Command("unshare", "-rm", "mount", "--bind", "/etc", "/etc").CombinedOutput()
	if err != nil {
		t.Skipf("no mount namespace: %v %s", err, out)
	}
}

// FAULTS 35: what is unknown is an error that says why, never "no".
func TestMembershipIsToldOrAnError(t *testing.T) {
	namespaces(t)
	const inNo = "false, <nil>"
	files := etc{healthy, groups, netgroup}
	with := func(nsswitch string) etc { return etc{nsswitch, groups, netgroup} }
	others := strings.Repeat(",somebodyelse", 500_000)
	crowd := etc{healthy, groups + "students:x:4003:bob" + others + ",alice\n" +
		"teachers:x:4004:bob" + others + "\n", ""}
	cases := []struct {
		name  string
		etc   etc
		group string
		want  string
	}{
		{"her own group", files, "alice", "true, <nil>"},
		{"a group that lists her", files, "staff", "true, <nil>"},
		{"a group that lists others", files, "other", inNo},
		{"a group of half a million that lists her", crowd, "students", "true, <nil>"},
		{"a group of half a million others", crowd, "teachers", inNo},
		{"a group that does not exist", files, "sudoo", "there is no such group"},
		{"a group in another case", files, "Staff", "there is no such group"},
		{"no groups at all", etc{healthy, "", netgroup}, "staff", "No such file or directory"},
		{"a source without a library",
			with("group: files nosuchsource\n"), "other",
			`source nosuchsource in nsswitch.conf: its library cannot be loaded`},
		{"a source without a library, first",
			with("group: nosuchsource files\n"), "other", "its library cannot be loaded"},
		{"a source without a library, and a group of it",
			with("group: files nosuchsource\n"), "mfa", "its library cannot be loaded"},
		{"a source without a library for initgroups",
			with("group: files\ninitgroups: files nosuchsource\n"), "other",
			"its library cannot be loaded"},
		{"a source without a library, and a group that lists her",
			with("group: files nosuchsource\n"), "staff", "true, <nil>"},
		{"a source without a library, behind an action",
			with("group: files [SUCCESS=merge] nosuchsource [NOTFOUND = return]\n"), "other",
			"cannot be loaded"},
		{"a source with a path for a name",
			with("group: files ../../tmp/x\n"), "other", "cannot be loaded"},
		{"actions",
			with("\t group : files [!SUCCESS=continue NOTFOUND=continue] # nosuchsource\n"),
			"other", inNo},
		{"another database's source",
			with("group: files\nhosts: nosuchsource\ngroups: nosuchsource\n"), "other", inNo},
		{"no line for groups", with("passwd: files\n"), "other", inNo},
		{"no nsswitch.conf", etc{"", groups, netgroup}, "other", inNo},
		{"a netgroup that lists her", files, "@team", "true, <nil>"},
		{"a netgroup that lists others", files, "@others", inNo},
		{"a netgroup in a netgroup", files, "@all", "true, <nil>"},
		{"a netgroup that does not exist", files, "@mfa", `there is no netgroup mfa`},
		{"a group's name", files, "@staff", `there is no netgroup staff`},
		{"a netgroup in it does not exist", files, "@lost", `there is no netgroup nowhere`},
		{"netgroups in a ring", files, "@round", inNo},
		{"more than libc has room for",
			etc{healthy, groups, "big (" + strings.Repeat("h", 2000) + ",bob,) (,alice,)\n"},
			"@big", "in a netgroup that lists them"},
		{"a netgroup that is malformed",
			etc{healthy, groups, "odd (alice)\n"}, "@odd", "source files"},
		{"a netgroup that does not end", etc{healthy, groups, "odd (,bob\n"}, "@odd", "malformed"},
		{"no netgroups", etc{healthy, groups, ""}, "@team", `there is no netgroup team`},
		{"netgroups of a source without a library",
			with("netgroup: nosuchsource\n"), "@others", "cannot be loaded"},
		{"netgroups of a source without a library, first",
			with("netgroup: nosuchsource files\n"), "@others", "cannot be loaded"},
		{"netgroups of a source that is not reached",
			with("netgroup: files nosuchsource\n"), "@others", inNo},
		{"netgroups of a source that is reached",
			with("netgroup: files nosuchsource\n"), "@mfa", "cannot be loaded"},
		{"no line for netgroups", with("group: files\n"), "@others", inNo},
		{"an empty line for netgroups",
			with("netgroup:\n"), "@others", `there is no netgroup others`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ask(t, c.etc, c.group, "")
			told := strings.HasSuffix(c.want, "<nil>")
			if told && got != c.want ||
				!told && (!strings.HasPrefix(got, "false, ") || !strings.Contains(got, c.want)) {
				t.Errorf("got %q, not %q", got, c.want)
			}
		})
	}
}

// FAULTS 35: the caller of su chooses how many descriptors su has. With any number, a "no" is
// true.
func TestWithoutFreeDescriptorsMembershipIsUnknownRatherThanNo(t *testing.T) {
	namespaces(t)
	for _, c := range []struct{ group, want string }{
		{"staff", "true, <nil>"},
		{"@team", "true, <nil>"},
		{"other", "false, <nil>"},
		{"@others", "false, <nil>"},
	} {
		told := false
		for free := range 6 {
			got := ask(t, etc{healthy, groups, netgroup}, c.group, strings.Repeat(".", free)+"/")
			switch {
			case got == c.want:
				told = true
			case strings.HasSuffix(got, "<nil>"):
				t.Errorf("%s with %d descriptors free: %s", c.group, free, got)
			}
			if free == 0 && got == c.want {
				t.Errorf("%s: %s without a descriptor", c.group, got)
			}
		}
		if !told {
			t.Errorf("%s cannot be told with five descriptors either", c.group)
		}
	}
}
