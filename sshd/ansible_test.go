package sshd_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// playbook runs the example's role with the ansible of this machine, over ssh, and returns its
// output.
func playbook(t *testing.T, dir string, s *suite.Server, more string) string {
	t.Helper()
	inventory := fmt.Sprintf("host ansible_host=127.0.0.1 ansible_port=%d ansible_user=root "+
		"ansible_ssh_private_key_file=%s/key ansible_python_interpreter=/usr/bin/python3 "+
		"ansible_ssh_common_args='-F none -o UserKnownHostsFile=/dev/null -o "+
		"StrictHostKeyChecking=no'\n", s.Port, dir)
	must(t, os.WriteFile(filepath.Join(dir, "hosts"), []byte(inventory), 0o600))
	cmd := exec.Command("ansible-playbook", "-i", "hosts", "-e", more, "site.yml")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ANSIBLE_HOME="+dir+"/home", "ANSIBLE_LOCAL_TEMP="+dir+"/tmp",
		"ANSIBLE_NOCOLOR=1", "LC_ALL=C.UTF-8")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ansible-playbook: %v\n%s", err, said)
	}
	return string(said)
}

// tasksChanged matches the number of tasks that changed something.
func tasksChanged(t *testing.T, said string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^host +: ok=\d+ +changed=(\d+) +unreachable=0 ` +
		`+failed=0 `).FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("no recap in %s", said)
	}
	return m[1]
}

// Debian 12's Ansible does not know Debian 13's Python, so it runs only against Debian 12.
func TestAnsibleRoleEnrollsOnceAndThenChangesNothing(t *testing.T) {
	h, err := shared.Private(suite.Debian12)
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	dir := t.TempDir()
	for _, argv := range [][]string{
		{"cp", "-r", filepath.Join(examples, "ansible") + "/.", dir},
		{"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir + "/key"},
	} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", argv, err, out)
		}
	}
	public, err := os.ReadFile(dir + "/key.pub")
	must(t, err)
	script(t, h, "cat >/root/key.pub <<'END'\n"+string(public)+
		"END\nuseradd -m alice; useradd -m bob")
	s, err := h.Own("AuthorizedKeysFile=/root/key.pub", "PubkeyAuthentication=yes",
		"AuthenticationMethods=publickey")
	must(t, err)
	t.Cleanup(s.Stop)

	// doctor would rightly report that this sshd lets ansible in by a key alone; it runs at the
	// end
	const users = `{"latchkey_users": ["alice", "bob"], "latchkey_reload": "true", ` +
		`"latchkey_doctor": false}`
	first := playbook(t, dir, s, users)
	if got := tasksChanged(t, first); got == "0" {
		t.Errorf("the first run changed nothing: %s", first)
	}
	ours, err := os.ReadFile(filepath.Join(examples, "password-and-code/pam.d-sshd"))
	must(t, err)
	if theirs := script(t, h, "cat /etc/pam.d/sshd"); theirs != string(ours) {
		t.Errorf("/etc/pam.d/sshd is\n%s", theirs)
	}
	var secret struct {
		URI   string   `json:"uri"`
		Codes []string `json:"recovery_codes"`
	}
	file := dir + "/secrets/host-alice.json"
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, json.Unmarshal(text, &secret))
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 || len(secret.Codes) != 10 {
		t.Errorf("%s is %v, %v, with %d recovery codes", file, info.Mode(), err, len(secret.Codes))
	}
	if strings.Contains(first, "secret=") || strings.Contains(first, secret.Codes[0]) {
		t.Error("a secret stands in what ansible says")
	}
	out, err := h.Exec(secret.Codes[0]+"\n", "/usr/bin/enroll", "--user", "alice", "test")
	if err != nil || !strings.Contains(out, "accepted") {
		t.Errorf("a recovery code of the file: %q, %v", out, err)
	}

	second := playbook(t, dir, s, users)
	if got := tasksChanged(t, second); got != "0" {
		t.Errorf("the second run changed %s: %s", got, second)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(text) {
		t.Errorf("the second run changed %s: %v", file, err)
	}
	s.Stop()
	script(t, h, "enroll doctor")
}
