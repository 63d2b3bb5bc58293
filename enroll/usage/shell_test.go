package usage

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/sshd/terminal"
)

// typed are what a person types, Tab and Enter included, and the command line that comes of it.
var typed = []struct{ keys, ran string }{
	{"enroll inv\t daemo\t", "invite daemon"},
	{"enroll sta\t --js\t", "status --json"},
	{"enroll add ho\t --algo\t SHA5\t", "add hotp --algorithm SHA512"},
	{"enroll add totp --peri\t 60", "add totp --period 60"},
	{"enroll add phone --num\t +15551234567 --y\t", "add phone --number +15551234567 --yes"},
	{"enroll --plai\t", "--plain"},
	{"enroll --user daemo\t --asc\t", "--user daemon --ascii"},
	{"enroll import --form\t goo\t --repl\t", "import --format google --replace"},
	{"enroll bypass daemon --fo\t 2h", "bypass daemon --for 2h"},
	{"enroll --user daemon add totp --peri\t 60", "--user daemon add totp --period 60"},
	{"enroll add --user daemon to\t", "add --user daemon totp"},
	{"enroll add --lab\t x totp", "add --label x totp"},
	{"enroll tru\t --js\t", "trust --json"},
	{"enroll tru\t rev\t 1 --us\t daemo\t", "trust revoke 1 --user daemon"},
	{"enroll doc\t --ser\t oth\t", "doctor --service other"},
	{"enroll stat\t daemo\t --js\t", "status daemon --json"},
	{"enroll add to\t daemo\t --y\t", "add totp daemon --yes"},
	{"enroll remove phone daemo\t", "remove phone daemon"},
	{"enroll --vers\t", "--version"},
}

// installed copies a shell's file into a folder of its own, under the name that the shell looks
// for.
func installed(t *testing.T, shell, name string) string {
	t.Helper()
	dir := t.TempDir()
	text := []byte(completion(t, shell))
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// interactive types at a shell with a function in place of enroll that tells how it was called.
func interactive(t *testing.T, argv []string, setUp string) {
	t.Helper()
	shell, err := terminal.New(append([]string{"env", "-i", "TERM=xterm", "LC_ALL=C.UTF-8",
		"PATH=/usr/bin:/bin", "HOME=" + t.TempDir()}, argv...))
	if err != nil {
		t.Fatal(err)
	}
	defer shell.Close()
	expect := func(pattern string) {
		t.Helper()
		if err := shell.Expect(pattern); err != nil {
			t.Fatal(err)
		}
	}
	if err := shell.Type(setUp + "\nenroll() { echo ran: \"$@\" end; }; echo " +
		"read''y"); err != nil {
		t.Fatal(err)
	}
	expect(`\nready\r`)
	for _, c := range typed {
		if strings.Contains(c.keys, "oth\t") && !pamOther() {
			continue
		}
		if err := shell.Type(c.keys); err != nil {
			t.Fatal(err)
		}
		expect(`\nran: .*end\r`)
		seen := shell.Seen()
		ran := strings.TrimSpace(seen[strings.LastIndex(seen, "\nran: ")+len("\nran: "):])
		if ran, _, _ = strings.Cut(ran, " end"); ran != c.ran {
			t.Errorf("typed %q, ran %q, want %q", c.keys, ran, c.ran)
		}
	}
}

// pamOther reports whether there is the PAM service that one completion is tried with, as on
// every Debian.
func pamOther() bool {
	_, err := os.Stat("/etc/pam.d/other")
	return err == nil
}

func TestBashCompletes(t *testing.T) {
	dir := installed(t, "bash", "enroll")
	interactive(t, []string{"bash", "--norc", "--noprofile", "-i"},
		"bind 'set enable-bracketed-paste off'; source "+dir+"/enroll")
}

func TestZshCompletes(t *testing.T) {
	dir := installed(t, "zsh", "_enroll")
	interactive(t, []string{"zsh", "-f", "-i"}, "unsetopt zle_bracketed_paste 2>/dev/null; "+
		"fpath=("+dir+" $fpath); autoload -Uz compinit; compinit -u -D")
}

func TestFishCompletes(t *testing.T) {
	dir := installed(t, "fish", "enroll.fish")
	for _, c := range typed {
		if strings.Contains(c.keys, "oth\t") && !pamOther() {
			continue
		}
		line := ""
		for _, part := range strings.SplitAfter(c.keys, "\t") {
			if line += part; !strings.HasSuffix(line, "\t") {
				continue
			}
			line = strings.TrimSuffix(line, "\t")
			out, err := exec.Command("fish", "--no-config", "-c",
				"source "+dir+"/enroll.fish; complete -C "+"'"+line+"'").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			word, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\t")
			if strings.Count(strings.TrimSpace(string(out)), "\n") > 0 {
				t.Errorf("typed %q, and fish knows more than one word: %q", line, out)
			}
			line = line[:strings.LastIndex(line, " ")+1] + word
		}
		if want := "enroll " + c.ran; line != want {
			t.Errorf("typed %q, got %q, want %q", c.keys, line, want)
		}
	}
}
