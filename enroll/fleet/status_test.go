package fleet_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/fleet"
	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/testroot"
)

// says demands a check of that level with these words.
func says(t *testing.T, s fleet.Status, level fleet.Level, words ...string) {
	t.Helper()
	for _, c := range s.Checks {
		text, whole := c.Check+": "+c.Detail+" "+c.Hint, true
		for _, word := range words {
			whole = whole && strings.Contains(text, word)
		}
		if whole && c.Status == level {
			return
		}
	}
	t.Errorf("got %+v; want a check that is %s and says %q", s.Checks, level, words)
}

func TestSoundHostHasNoFindings(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 2)
	root := newHost(t)
	testroot.Write(t, root.Join("etc/passwd"), []byte("latchkey:x:990:990::/:/sbin/nologin\n"))
	_, err := join(root, ticketOf(t, f, "web1", hosts.Verify)).Run()
	testroot.Must(t, err)
	s := examined(root, time.Now)
	for _, c := range s.Checks {
		ending := strings.HasPrefix(c.Check, "certificate ") // those of tests last a day
		if ending != (c.Status == fleet.Warning) || c.Status == fleet.Error {
			t.Errorf("got %+v, want it sound", c)
		}
	}
	if s.Host != "web1" || s.Epoch != 1 || len(s.Services) != 2 || s.Bad() != 0 ||
		!strings.Contains(s.BreakGlass, "alice (10 codes)") {
		t.Errorf("got %+v", s)
	}
	says(t, s, fleet.Warning, "certificate", "mfa1 for hosts", "in 0 days")
	says(t, s, fleet.Warning, "certificate", "mfa1 for etcd", "in 0 days")
	says(t, s, fleet.OK, "etcd's database", "of its quota")
}

// What will stop logins is told beforehand, and what stops them by its name.
func TestFindings(t *testing.T) {
	f := testfleet.New(t, "")
	f.Change = func(c *service.Config) { c.Quota = 1 << 13 } // smaller than any database
	f.Start(t, 2)
	root := newHost(t)
	j := join(root, ticketOf(t, f, "web1", hosts.Enroll))
	_, err := j.Run()
	testroot.Must(t, err)
	says(t, examined(root, time.Now), fleet.Error, "roles of web1", "role verify")
	says(t, examined(root, time.Now), fleet.Error, "etcd's database", "denies every login")
	years := func() time.Time { return time.Now().AddDate(20, 0, 0) }
	says(t, examined(root, years), fleet.Error, "certificate in "+settings.CAPath, "ran out")
	minute := func() time.Time { return time.Now().Add(time.Minute) }
	says(t, examined(root, minute), fleet.Error, "clock of the host is ", " off")
	ten := func() time.Time { return time.Now().Add(10 * time.Second) }
	says(t, examined(root, ten), fleet.Warning, "this machine's clock", "s off that of")
	f.Services[0].Stop()
	says(t, examined(root, time.Now), fleet.Warning, f.Services[0].Addr(), "firewall")
	f.Services[1].Stop()
	s := examined(root, time.Now)
	says(t, s, fleet.Error, f.Services[1].Addr(), "firewall")
	says(t, s, fleet.Warning, "break-glass", "it is open: let in by a code of this host: alice")
	testroot.Must(t, os.Chmod(root.Join(dispatch.Program), 0o700))
	says(t, examined(root, time.Now), fleet.Error, dispatch.Program, "cannot run it")
	testroot.Must(t, os.Chmod(root.Join(settings.KeyPath), 0o644))
	says(t, examined(root, time.Now), fleet.Error, settings.KeyPath, "")
	testroot.Must(t, os.Chmod(root.Join(settings.Path), 0o666))
	says(t, examined(root, time.Now), fleet.Error, settings.Path, "every login is denied")
}

// What logins still survive is a warning, and what is as it should be is none.
func TestFindingsThatStopNoLoginYetAreWarnings(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root := newHost(t)
	j := join(root, ticketOf(t, f, "web1", hosts.Verify))
	j.BreakGlass = nil
	_, err := j.Run()
	testroot.Must(t, err)
	says(t, examined(root, time.Now), fleet.OK, "break-glass", "every code is refused")
	says(t, examined(root, time.Now), fleet.Warning, dispatch.Program, "runs as nobody")
	status, err := f.Admin.Status(testfleet.Context(t))
	testroot.Must(t, err)
	f.Services[0].Quota = status.Size * 4 / 3
	says(t, examined(root, time.Now), fleet.Warning, "etcd's database", "compact")
	testroot.Must(t, f.Admin.Rotate(testfleet.Context(t)))
	says(t, examined(root, time.Now), fleet.Warning, settings.Path, "about to sign with a key")
	both, err := f.Admin.Keys(testfleet.Context(t))
	testroot.Must(t, err)
	one, two := both[0].String(), both[1].String()
	text := strings.Replace(string(testroot.Read(t, root.Join(settings.Path))), `"`+one+`"`,
		`"`+one+`", "`+two+`"`, 1)
	testroot.Must(t, os.WriteFile(root.Join(settings.Path), []byte(text), 0o644))
	for _, c := range examined(root, time.Now).Checks {
		if strings.Contains(c.Detail, "verify_key") {
			t.Errorf("both keys, which the fleet signs with now or next: got %+v", c)
		}
	}
	testroot.Must(t, f.Admin.Finish(testfleet.Context(t)))
	says(t, examined(root, time.Now), fleet.Warning, "no longer signs with", "remove it: "+one)
}

func TestBreakGlassWithoutCodesIsFound(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root := newHost(t)
	_, err := join(root, ticketOf(t, f, "web1", hosts.Verify)).Run()
	testroot.Must(t, err)
	look := func(left int, err error) fleet.Status {
		return fleet.Examination{Root: string(root), Clock: time.Now,
			Left: func(string) (int, error) { return left, err }}.Run()
	}
	says(t, look(0, nil), fleet.Warning, "alice has no code left", "enroll fleet break-glass alice")
	says(t, look(0, errors.New("damaged")), fleet.Error, "alice: damaged")
	says(t, look(0, nil), fleet.OK, "break-glass", "no one whom fleet.toml names has a code")
	says(t, look(1, nil), fleet.OK, "break-glass", "alice (1 codes)")
}

func TestRevokedHostIsToldSo(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root := newHost(t)
	_, err := join(root, ticketOf(t, f, "web1", hosts.Verify)).Run()
	testroot.Must(t, err)
	testroot.Must(t, f.Admin.Revoke(testfleet.Context(t), "web1"))
	says(t, examined(root, time.Now), fleet.Error, "revoked", "enroll fleet join")
}
