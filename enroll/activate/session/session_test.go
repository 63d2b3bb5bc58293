package session

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// proc has processes: number, parent, name, ticks, uid and command line.
func proc(t *testing.T, all ...[6]any) string {
	t.Helper()
	root := t.TempDir()
	for _, p := range all {
		dir := fmt.Sprintf("%s/%d/", root, p[0])
		files := map[string]string{
			"stat": fmt.Sprintf("%d (%s) S %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 %d 0 0", p[0], p[2],
				p[1], p[3]),
			"status":  fmt.Sprintf("Name:\t%s\nUid:\t%d\t0\t0\t0\n", p[2], p[4]),
			"cmdline": fmt.Sprint(p[5]),
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(dir+name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func TestTheSessionIsThatOfTheConnectionAbove(t *testing.T) {
	initial := [6]any{1, 0, "systemd", 1, 0, "init"}
	listening := [6]any{10, 1, "sshd", 100, 0,
		"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"}
	for name, c := range map[string]struct {
		all  [][6]any
		want Session
		err  error
	}{
		"a user's, by sudo": {[][6]any{initial, listening,
			{20, 10, "sshd", 500, 0, "sshd: alice [priv]"},
			{21, 20, "sshd", 700, 1000, "sshd: alice@pts/0"}, {22, 21, "bash", 701, 1000, "-bash"},
			{23, 22, "sudo", 800, 0, "sudo"}, {99, 23, "enroll", 801, 0, "enroll"}},
			Session{1000, 5 * time.Second}, nil},
		"root's": {[][6]any{initial, listening, {20, 10, "sshd", 500, 0, "sshd: root@pts/0"},
			{22, 20, "bash", 701, 0, "-bash"}, {99, 22, "enroll", 801, 0, "enroll"}},
			Session{0, 5 * time.Second}, nil},
		"since OpenSSH 9.8": {[][6]any{initial, listening,
			{20, 10, "sshd-session", 500, 0, "sshd-session: alice [priv]"},
			{21, 20, "sshd-session", 700, 1000, "sshd-session: alice@notty"},
			{99, 21, "enroll", 801, 0, "enroll"}}, Session{1000, 5 * time.Second}, nil},
		"started by a socket": {[][6]any{initial, {20, 1, "sshd", 500, 0, "sshd: alice [priv]"},
			{21, 20, "sshd", 700, 1000, "sshd: alice@pts/0"}, {99, 21, "enroll", 801, 0, "enroll"}},
			Session{1000, 5 * time.Second}, nil},
		"a login over another login": {[][6]any{initial, listening,
			{20, 10, "sshd", 500, 0, "sshd: alice [priv]"},
			{21, 20, "sshd", 700, 1000, "sshd: alice@pts/0"}, {22, 21, "sshd (x) y", 710, 1000, "x"},
			{99, 22, "enroll", 801, 0, "enroll"}}, Session{1000, 5 * time.Second}, nil},
		"tmux, whose login is over": {[][6]any{initial, listening,
			{30, 1, "tmux: server", 900, 1000, "tmux"}, {31, 30, "bash", 901, 1000, "bash"},
			{99, 31, "enroll", 950, 0, "enroll"}}, Session{}, ErrNone},
		"the console": {[][6]any{initial, {30, 1, "login", 900, 0, "login"},
			{31, 30, "bash", 901, 0, "-bash"}, {99, 31, "enroll", 950, 0, "enroll"}}, Session{},
			ErrNone},
		"below the listening sshd itself": {[][6]any{initial, listening,
			{99, 10, "enroll", 950, 0, "enroll"}}, Session{}, ErrNone},
		"another container's init": {[][6]any{{50, 0, "sh", 900, 0, "sh"},
			{99, 50, "enroll", 950, 0, "enroll"}}, Session{}, ErrNone},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Find(proc(t, c.all...), 99)
			if got != c.want && c.err == nil || !errors.Is(err, c.err) {
				t.Errorf("got %+v, %v, want %+v, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestWhatCannotBeReadIsNoSession(t *testing.T) {
	if _, err := Find(t.TempDir(), 99); err == nil {
		t.Error("no error without any process")
	}
	root := proc(t, [6]any{99, 98, "enroll", 950, 0, "enroll"})
	if _, err := Find(root, 99); err == nil {
		t.Error("no error without the parent")
	}
}
