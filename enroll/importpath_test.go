package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A file in a folder for all may belong to a service that reads it, and be another user's.
func TestAGoogleFileIsItsOwnersOnlyInTheOwnersHome(t *testing.T) {
	exe, root := underRoot(t)
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("mount namespaces do not work here: %v: %s", err, out)
	}
	const alice, vpn = 100_001, 100_002
	for _, c := range []struct {
		name, home string
		homeOwner  int
		file       string
		want       string
	}{
		{"in the home", "home/alice", alice, "home/alice/.google_authenticator", "imported"},
		{"below it", "home/alice", alice, "home/alice/a/b/file", "imported"},
		{"in a home that a link leads to", "link/alice", alice,
			"home/alice/.google_authenticator", "imported"},
		{"in a folder for all, by the owner's name", "home/alice", alice, "etc/ga/alice",
			"imported"},
		{"in a folder for all", "home/alice", alice, "etc/ga/u19", "--user NAME"},
		{"in another's home", "home/alice", alice, "home/alice2/.google_authenticator",
			"--user NAME"},
		{"in a home that is not the owner's", "home/alice", vpn,
			"home/alice/.google_authenticator", "--user NAME"},
		{"in a home that is root's", "etc", 0, "etc/ga/u19", "--user NAME"},
		{"with a home that is not there", "nowhere", alice, "etc/ga/u19", "--user NAME"},
		{"with no home", "", alice, "etc/ga/u19", "--user NAME"},
		{"with all for a home", "/", alice, "etc/ga/u19", "--user NAME"},
		{"through a link", "home/alice", alice, "link/alice/.google_authenticator",
			"link is a symbolic link"},
		{"through a link in the home", "home/alice", alice, "home/alice/away/u19",
			"away is a symbolic link"},
		{"through a link and back", "home/alice", alice, "home/alice/away/../ga/u19",
			"away is a symbolic link"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wipe(t, root)
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			home := c.home
			if home != "" && home != "/" {
				home = filepath.Join(dir, home)
			}
			const script = `set -e
				cd "$1"; mkdir -p home/alice/a/b home/alice2 etc/ga
				ln -s home link; ln -s "$1/etc/ga" home/alice/away
				for f in home/alice/.google_authenticator home/alice/a/b/file \
					home/alice2/.google_authenticator etc/ga/alice etc/ga/u19; do
					printf '%s\n" TOTP_AUTH\n' GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ >$f
					chmod 400 $f; chown 100001 $f
				done
				chown "$3" home/alice
				{ cat /etc/passwd; echo "alice:x:100001:100001::$2:/bin/sh"; } >passwd
				mount --bind passwd /etc/passwd
				exec "$5" import "$1/$4"`
			owner := map[int]string{alice: "100001", vpn: "100002", 0: "0"}[c.homeOwner]
			out, err := exec.Command("unshare", "--mount", "sh", "-c", script, "sh", dir, home,
				owner, c.file, exe).CombinedOutput()
			if !strings.Contains(string(out), c.want) || (err == nil) != (c.want == "imported") {
				t.Errorf("got %v: %s; want %s", err, out, c.want)
			}
			if _, err := os.Stat(root +
				"/etc/latchkey/users/alice"); (err == nil) != (c.want == "imported") {
				t.Errorf("the record of alice: %v", err)
			}
		})
	}
}
