package sshd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// rcloneLists is the command that the page shows.
const rcloneLists = "$ rclone lsf server:\n"

// rclonePage is what the page for clients shows: a rule, rclone refused with its saved password,
// the host's log, and rclone let in with a key.
func rclonePage(t *testing.T) (rule, refused, log, listed string) {
	t.Helper()
	text, err := os.ReadFile("../packaging/doc/clients.md")
	must(t, err)
	_, page, _ := strings.Cut(string(text), "## Programs that run unattended")
	blocks := regexp.MustCompile("(?s)```(?:toml)?\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) != 4 {
		t.Fatalf("the page shows %d blocks, want 4", len(blocks))
	}
	for _, i := range []int{1, 3} {
		if !strings.HasPrefix(blocks[i][1], rcloneLists) {
			t.Fatalf("the page shows %s, want %s", blocks[i][1], rcloneLists)
		}
	}
	return blocks[0][1], strings.TrimPrefix(blocks[1][1], rcloneLists), blocks[2][1],
		strings.TrimPrefix(blocks[3][1], rcloneLists)
}

// words returns a text on one line.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// rclone runs the command of the page with a configuration of its own, and returns what it says
// without the time.
func rclone(t *testing.T, s *suite.Server, user, proof string) string {
	t.Helper()
	home := t.TempDir()
	file := filepath.Join(home, "rclone.conf")
	must(t, os.WriteFile(file, fmt.Appendf(nil,
		"[server]\ntype = sftp\nhost = 127.0.0.1\nport = %d\nuser = %s\n%s\n", s.Port, user,
		proof), 0o600))
	said, _ := ran(t, []string{"RCLONE_CONFIG=" + file}, "", "rclone", "--retries=1",
		"--low-level-retries=1", "lsf", "server:")
	return words(regexp.MustCompile(`(?m)^[0-9/]+ [0-9:]+ `).ReplaceAllString(said, ""))
}

func TestRcloneAndTheLogSayWhatThePageForClientsShows(t *testing.T) {
	rule, refused, log, listed := rclonePage(t)
	onEach(t, func(t *testing.T, h *suite.Host) {
		u := enrolled(t, h)
		script(t, h, "install -d -o "+u.Name+" /home/"+u.Name+"/documents")
		hidden, err := ran(t, nil, "", "rclone", "obscure", suite.Password)
		must(t, err)
		saved := "pass = " + hidden
		said := rclone(t, server(t, h, suite.PasswordAndCode), u.Name, saved)
		if said != words(refused) {
			t.Errorf("with a saved password: got %s, want %s", said, words(refused))
		}
		theirs := strings.NewReplacer(`"backup"`, `"`+u.Name+`"`, "192.0.2.10", "127.0.0.1",
			`"sshd"`, `"`+suite.PasswordAndCode.Name+`"`)
		time := regexp.MustCompile(`ms=\d+`)
		got := time.ReplaceAllString(audited(t, h, u.Name, 1), "")
		if want := time.ReplaceAllString(theirs.Replace(words(log)), ""); got != want {
			t.Errorf("the log: got %s, want %s", got, want)
		}
		s, key := withKeyAlone(t, h, theirs.Replace(rule))
		if said := rclone(t, s, u.Name, saved+key); said != words(listed) {
			t.Errorf("with a key: got %s, want %s\n%s", said, words(listed), logOf(h, u.Name))
		}
		if said := rclone(t, s, u.Name, key); !strings.HasPrefix(said, "Failed to create") {
			t.Errorf("without pass, which the page says to leave: %s", said)
		}
	})
}

// withKeyAlone returns a server for key and code with that rule, and the line of rclone's
// configuration with a key that it accepts.
func withKeyAlone(t *testing.T, h *suite.Host, rule string) (*suite.Server, string) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "rclone")
	_, err := ran(t, nil, "", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	must(t, err)
	public, err := os.ReadFile(key + ".pub")
	must(t, err)
	for path, text := range map[string]string{
		"/etc/ssh/rclone.pub": string(public), "/etc/latchkey/rclone.toml": rule,
	} {
		_, err = h.Exec(text, "/usr/bin/install", "-m", "644", "/dev/stdin", path)
		must(t, err)
	}
	return ownServer(t, h, suite.Config{
		Name:  "rclone",
		Stack: suite.Stack{"required pam_latchkey.so conf=/etc/latchkey/rclone.toml"},
		Options: append([]string{"AuthorizedKeysFile /etc/ssh/rclone.pub"},
			suite.KeyAndCode.Options...),
	}), "key_file = " + key + "\n"
}
