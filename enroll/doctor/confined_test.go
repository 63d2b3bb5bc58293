package doctor

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// enforced is the kernel's list on a machine that enforces what decides logins.
const enforced = "/usr/bin/man (enforce)\nlatchkey-login (enforce)\nlatchkey-enroll (enforce)\n" +
	"enroll (complain)\nlatchkey-fleetd (enforce)\n"

const profilesFile = "/sys/kernel/security/apparmor/profiles"

func TestDoctorSaysWhichProfilesAppArmorEnforces(t *testing.T) {
	for text, want := range map[string]string{
		enforced: "it enforces the profiles of latchkey-enroll, latchkey-login; only logs what it " +
			"would deny to enroll",
		"man (enforce)\n": "it has none of latchkey's profiles loaded",
	} {
		root := t.TempDir()
		installed(t, root)
		put(t, root, profilesFile, text, 0o444)
		found := doctorFor(root, "sshd").checkConfinement()
		if len(found) != 1 || found[0].Detail != want || found[0].Status != OK {
			t.Errorf("got %v, want %q", found, want)
		}
	}
	root := t.TempDir()
	installed(t, root)
	if found := doctorFor(root, "sshd").checkConfinement(); found != nil {
		t.Errorf("without AppArmor: got %v", found)
	}
}

func TestDoctorNamesWhatAppArmorDeniedToLatchkey(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, profilesFile, enforced, 0o444)
	put(t, root, "/usr/bin/journalctl", `#!/bin/sh
cat <<'EOF'
AVC apparmor="DENIED" operation="open" class="file" profile="latchkey-login" name="/data/x" pid=9 comm="exe" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
AVC apparmor="DENIED" operation="open" class="file" profile="latchkey-login" name="/data/x" pid=10 comm="exe" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
audit: type=1400 audit(1.1:2): apparmor="ALLOWED" operation="capable" profile="enroll" pid=7 comm="exe" capability=21  capname="sys_admin"
AVC apparmor="DENIED" operation="open" profile="/usr/bin/man" name="/data/y" denied_mask="r"
AVC apparmor="STATUS" operation="profile_load" profile="unconfined" name="latchkey-login"
EOF
`, 0o755)
	put(t, root, "/var/log/audit/audit.log", fmt.Sprintf("type=AVC msg=audit(%d.1:2): "+
		`apparmor="DENIED" operation="open" profile="latchkey-enroll" name="/data/z" `+
		`denied_mask="r"`+"\ntype=AVC msg=audit(1.1:2): apparmor=\"DENIED\" operation=\"open\" "+
		`profile="latchkey-enroll" name="/data/old" denied_mask="r"`+"\n", time.Now().Unix()), 0o600)
	var got []string
	for _, f := range doctorFor(root, "sshd").checkConfinement()[1:] {
		got = append(got, string(f.Status)+": "+f.Detail)
	}
	want := "warning: in the last day it denied latchkey-enroll: open /data/z (r)\n" +
		"warning: in the last day it denied latchkey-login: open /data/x (r)\n" +
		"warning: in the last day it would have denied enroll: capable sys_admin"
	if strings.Join(got, "\n") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Only enforced profiles deny, and a site may have allowed more.
func TestDoctorKnowsThatAPolicyOutsideOfTheProfileDeniesEveryLogin(t *testing.T) {
	const local = "/etc/apparmor.d/local/usr.libexec.latchkey."
	for name, c := range map[string]struct {
		path, profiles string
		rules          map[string]string
		says           string
	}{
		"outside":        {"/data/x.toml", enforced, nil, local + "latchkey-login"},
		"only logged":    {"/data/x.toml", "latchkey-login (complain)\n", nil, ""},
		"inside":         {"/srv/x.toml", enforced, nil, ""},
		"no AppArmor":    {"/data/x.toml", "", nil, ""},
		"allowed to one": {"/data/x.toml", enforced, map[string]string{local + "latchkey-login": "/data/** r,\n"}, local + "latchkey-enroll"},
		"allowed to both": {"/data/x.toml", enforced, map[string]string{
			local + "latchkey-login": "/data/** r,\n", local + "latchkey-enroll": "/data/** r,\n"}, ""},
	} {
		root := t.TempDir()
		if c.profiles != "" {
			put(t, root, profilesFile, c.profiles, 0o444)
		}
		for file, rule := range c.rules {
			put(t, root, file, rule, 0o644)
		}
		found := doctorFor(root, "sshd").checkConfined(c.path)
		switch {
		case c.says == "" && found != nil:
			t.Errorf("%s: got %v", name, found)
		case c.says != "" && (len(found) != 1 || found[0].Status != Error ||
			!strings.Contains(found[0].Hint, "write into "+c.says+": /data/{,x.toml} r, ")):
			t.Errorf("%s: got %v, want %q", name, found, c.says)
		}
	}
}
