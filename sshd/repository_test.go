package sshd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// repository is an apt repository of both versions, made once, to be served at file:/srv/latchkey.
var repository = sync.OnceValues(func() (dir string, err error) {
	if dir, err = madeDebs(); err != nil {
		return "", err
	}
	cmd := exec.Command("make", "-C", "..", "repository", "URL=file:/srv/latchkey", "B="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make repository: %w\n%s", err, out)
	}
	return filepath.Join(dir, "repository"), nil
})

// offer puts the repository where its sources file says, on a machine that has no other sources.
func (m machine) offer() {
	m.t.Helper()
	dir, err := repository()
	must(m.t, err)
	must(m.t, os.CopyFS(m.Path("/srv/latchkey"), os.DirFS(dir)))
	m.run("chmod -R u=rwX,go=rX /srv/latchkey\n" +
		"rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*")
}

// refusedByApt checks that neither an update nor an installation gets anything from the repository.
func (m machine) refusedByApt(says string) {
	m.t.Helper()
	out, err := m.sh("apt-get update")
	if err == nil || !strings.Contains(out, says) {
		m.t.Errorf("apt-get update: got %v, want an error that says %q:\n%s", err, says, out)
	}
	if out, err := m.sh("apt-get install -y latchkey"); err == nil {
		m.t.Fatalf("apt-get install: got success, want a refusal:\n%s", out)
	}
}

// installed is the version that dpkg knows.
func (m machine) installed() string {
	m.t.Helper()
	out, err := m.Exec("", "/usr/bin/dpkg-query", "--show", "--showformat=${Version}", "latchkey")
	if err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	return out
}

// The key, the sources file, and apt: what administrators.md says, with the verifiers of both
// releases. Every refusal comes first, so that nothing is installed when it is tried.
func TestAptInstallsAndUpgradesFromTheRepositoryOnlyWithItsKey(t *testing.T) {
	t.Parallel()
	onMachines(t, func(m machine) {
		m.offer()
		m.run("cp /srv/latchkey/latchkey.sources /etc/apt/sources.list.d/")
		m.refusedByApt("not signed") // no key yet
		m.run("install -D -m 0644 /usr/share/keyrings/debian-archive-keyring.gpg " +
			"/etc/apt/keyrings/latchkey.asc")
		m.refusedByApt("not signed") // another's key
		m.run("install -D -m 0644 /srv/latchkey/latchkey.asc /etc/apt/keyrings/latchkey.asc\n" +
			"cp -a /srv/latchkey /srv/sound\n" +
			"sed -i 's/^Label: .*/Label: other/' /srv/latchkey/dists/stable/InRelease")
		m.refusedByApt("") // changed after it was signed
		m.run("rm -r /srv/latchkey\nmv /srv/sound /srv/latchkey\napt-get update")
		m.run("apt-get install -y latchkey=1.0.1-1\nenroll --version | grep 1.0.1")
		m.byPasswordAlone(true)
		m.run("apt-get upgrade -y")
		if got := m.installed(); got != "1.0.2-1" {
			m.t.Errorf("after the upgrade: got %s, want 1.0.2-1", got)
		}
	})
}
