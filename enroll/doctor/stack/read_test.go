package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/enroll/doctor/stack/pamd"
)

// readIn reads a service from other folders than Dirs.
func readIn(root string, dirs []string, name string) (*Service, error) {
	return (&reader{root: root, dirs: dirs, open: ReadTrusted}).service(name)
}

func TestWhatPAMWouldMisreadIsAnErrorWithFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"a type": {"# x\n\nauht required pam_unix.so\n",
			`/sshd:3: unknown type "auht"`},
		"no control": {"auth\n", `/sshd:1: no control`},
		"a control": {"auth requird pam_unix.so\n",
			`/sshd:1: unknown control "requird"`},
		"nothing in brackets": {"auth [] pam_unix.so\n", `/sshd:1: unknown control ""`},
		"a value": {"auth [succes=ok] pam_unix.so\n",
			`/sshd:1: unknown value at "succes=ok"`},
		"an action": {"auth [success=okay] pam_unix.so\n",
			`/sshd:1: unknown value at "ay" in the control`},
		"a jump to nowhere": {"auth [success=0] pam_unix.so\n",
			`/sshd:1: unknown action at "0"`},
		"a jump without end": {"auth [success=99999999999999999999] pam_unix.so\n",
			`/sshd:1: unknown action`},
		"an open bracket": {"auth [success=ok pam_unix.so\n",
			`/sshd:1: an unclosed bracket`},
		"no module":       {"auth required # pam_unix.so\n", `/sshd:1: no module`},
		"an empty module": {"auth required []\n", `/sshd:1: no module`},
		"no value": {"auth [=ok] pam_unix.so\n",
			`/sshd:1: unknown value at "=ok"`},
		"a value without an action": {"auth [default success=ok] pam_unix.so\n",
			`/sshd:1: "default success=ok" in the control is not value=action`},
		"no include": {"auth include\n", `/sshd:1: an include names no file`},
		"a missing include": {"auth required pam_unix.so\n\n@include nothing\n",
			`/sshd:3: no PAM file "nothing"`},
		"a mistake in an include": {"auth include a\na:\n\nauth required\n", `/a:2: no module`},
		"one of another type": {"auth required pam_unix.so\naccount requird pam_unix.so\n",
			`/sshd:2: unknown control`},
		"includes in a ring": {"@include a\na:\n@include sshd\n",
			`nested more than 16 deep`},
		"a backslash at the end": {"auth required \\\n",
			`/sshd:1: the file ends after a backslash`},
		"a comment behind it": {"auth required \\ # x\npam_unix.so\n",
			`/sshd:2: unknown type "pam_unix.so"`},
		"a long comment": {"#" + strings.Repeat("x", pamd.LongestLine) + "\n",
			`/sshd:1: longer than`},
		"a zero byte in a comment": {"#\x00\n", `/sshd:1: longer than`},
		"a comment in between": {"auth \\\n# x\nrequired pam_unix.so\n",
			`/sshd:2: an empty line or comment after a backslash`},
		"nothing in between": {"auth \\\n\nrequired pam_unix.so\n",
			`/sshd:2: an empty line or comment after a backslash`},
		"Windows": {"auth required pam_unix.so\r\n",
			`/sshd:1: a control character`},
		"a zero byte": {"auth required pam_unix.so\x00\n",
			`/sshd:1: a control character`},
		"a long line": {"auth required pam_unix.so " + strings.Repeat("x",
			pamd.LongestLine) + "\n", `/sshd:1: longer than`},
		"a line that grows": {strings.Repeat("auth required pam_unix.so \\\n", 50) + "x\n",
			`longer than`},
		"a file without an end": {strings.Repeat("#\n", fileLimit), `longer than`},
		"an include by itself, 64": {strings.Repeat("@include a\n", 30) + "a:\n" +
			strings.Repeat("@include b\n", 30) + "b:\n" +
			strings.Repeat("auth optional pam_warn.so\n", 30), `more than 10000 lines`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readIn("", []string{files(t, c.text)}, "sshd")
			if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err,
				fs.ErrNotExist) {
				t.Errorf("%v, not %s", err, c.says)
			}
		})
	}
}

// As many levels as libpam takes are walked.
func TestIncludesAreNestedAsDeepAsLibpamAllows(t *testing.T) {
	for _, how := range []string{"auth substack", "auth include", "@include"} {
		text := how + " s1\n"
		for i := 1; i < depthLimit-1; i++ {
			text += fmt.Sprintf("s%d:\n%s s%d\n", i, how, i+1)
		}
		last := fmt.Sprintf("s%d:\n", depthLimit-1)
		s, err := readIn("", []string{files(t,
			text+last+"auth requisite pam_unix.so\nauth required pam_latchkey.so\n")}, "sshd")
		if err != nil || len(s.Weaknesses()) != 0 {
			t.Errorf("%s: %v", how, err)
		}
		text += last + how + " deeper\ndeeper:\nauth required pam_unix.so\n"
		if _, err := readIn("", []string{files(t, text)}, "sshd"); err == nil ||
			!strings.Contains(err.Error(), "nested") {
			t.Errorf("%s: %v", how, err)
		}
	}
}

func TestAFileOthersCanWriteIsNoAuthority(t *testing.T) {
	dir := files(t, "auth include a\na:\nauth required pam_unix.so\n")
	if _, err := readIn("", []string{dir}, "sshd"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "a"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readIn("", []string{dir}, "sshd"); err == nil || !strings.Contains(err.Error(),
		"gives others access") {
		t.Errorf("%v", err)
	}
}

func TestTheFirstFolderThatHasAFileCounts(t *testing.T) {
	first, second := files(t, "auth required pam_unix.so\n"), files(t,
		"auth required pam_deny.so\nlogin:\nauth include sshd\nother:\n"+
			"auth required pam_warn.so\n")
	for service, want := range map[string]string{"sshd": "pam_unix.so", "SSHD": "pam_unix.so",
		"/x/login": "pam_unix.so", "unheard-of": "pam_warn.so"} {
		s, err := readIn("", []string{first, second}, strings.ToLower(filepath.Base(service)))
		if err != nil || len(s.Auth) != 1 || s.Auth[0].Module != want {
			t.Errorf("%s: %v, %v", service, s, err)
		}
	}
	if _, err := readIn("", []string{first}, "unheard-of"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("neither it nor other: %v", err)
	}
	if s, err := Read(strings.Repeat("/x", 3), "sshd"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, %v", s, err)
	}
}

// Reading any file ends, and what is read can be walked. Includes are taken
// for substacks that go on.
func FuzzRead(f *testing.F) {
	f.Add("@include common-auth\nauth required pam_latchkey.so\n")
	f.Add("auth [success=1 default=ignore] pam_latchkey.so if_publickey\n" +
		"auth requisite pam_unix.so\nauth required \\\n pam_latchkey.so # x\n")
	f.Add("-auth [success=done auth_err = 3 default=reset] pam_x.so [a\\]b] c\n" +
		"auth substack other\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := pamd.Lines(text)
		if err != nil {
			return
		}
		s, level := &Service{}, 0
		for _, l := range lines {
			e, err := l.Parse()
			if err != nil {
				return
			}
			line := &Line{Module: e.Module, Args: e.Args, control: e.Control, level: level}
			if line.substack = e.Include != ""; line.substack {
				level = (level + 1) % (depthLimit + 1)
			}
			s.Auth = append(s.Auth, line)
		}
		for _, w := range s.Weaknesses() {
			if w.Kind != Absent && w.Kind != Early && w.Line == nil {
				t.Errorf("nowhere: %v", w)
			}
		}
	})
}
