package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/setuid"
	"latchkey/pam/fleet/hosts"
	fleetd "latchkey/pam/fleet/service"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/standin"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/testroot"
	twilio "latchkey/pam/twilio/standin"
)

// fleetHost is a host on which root runs enroll.
type fleetHost struct {
	t    *testing.T
	root testroot.Root
	fast time.Duration // its clock, in commands that read it
}

func newFleetHost(t *testing.T) fleetHost {
	t.Helper()
	testroot.NeedRoot(t, "root's commands are run")
	h := fleetHost{t: t, root: testroot.New(t)}
	h.root.Policy(t, "")
	standin.Helper(t, h.root)
	return h
}

func (h fleetHost) program() *program {
	p := newProgram(setuid.Privilege{}, string(h.root))
	p.clock = func() time.Time { return time.Now().Add(h.fast) }
	return p
}

// run runs a command and returns what it wrote, and its exit status.
func (h fleetHost) run(args ...string) (out, complaints string, status int) {
	h.t.Helper()
	p := h.program()
	var written, said bytes.Buffer
	p.Console = silent(&written, &said)
	status = p.run(args)
	return written.String(), said.String(), status
}

// does runs a command that succeeds.
func (h fleetHost) does(args ...string) string {
	h.t.Helper()
	out, complaints, status := h.run(args...)
	if status != 0 {
		h.t.Fatalf("enroll %s: got status %d, %s", strings.Join(args, " "), status, complaints)
	}
	return out
}

// refuses runs a command that fails with these words.
func (h fleetHost) refuses(words string, args ...string) {
	h.t.Helper()
	out, complaints, status := h.run(args...)
	if status != 1 || !strings.Contains(complaints, words) {
		h.t.Errorf("enroll %s: got status %d, %s%s; want it refused with %q",
			strings.Join(args, " "), status, out, complaints, words)
	}
}

// ticket is one for a host of f.
func ticket(t *testing.T, f *testfleet.Fleet, name string, roles ...hosts.Role) string {
	t.Helper()
	until := time.Now().Add(time.Hour)
	invited := hosts.Host{Name: name, Roles: roles}
	random, err := f.Admin.Invite(testfleet.Context(t), invited, until)
	testroot.Must(t, err)
	opening, err := f.Secret.Opening()
	testroot.Must(t, err)
	made := settings.Ticket{FleetKey: opening.Public().String(), CA: string(f.Authority.PEM),
		VerifyKey: []string{f.Keys(t)[0].String()}, Host: name, Secret: random, Until: until,
		Services: []string{fmt.Sprintf("https://%s", f.Services[0].Addr())}}
	text, err := made.Encode()
	testroot.Must(t, err)
	return text
}

// someone is a user whom every Debian system has.
const someone = "games"

func TestCommandsWorkInAFleetAsOnASingleHost(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	h := newFleetHost(t)
	h.refuses("not one of a fleet", "fleet", "status")
	h.does("add", "totp", "--user", someone, "--yes")
	out := h.does("fleet", "join", ticket(t, f, "bastion", hosts.Admin, hosts.Enroll),
		"--break-glass", someone)
	if !strings.Contains(out, "now bastion in the fleet") ||
		len(regexp.MustCompile(`(?m)^    [a-z0-9-]+$`).FindAllString(out, -1)) != 10 {
		t.Errorf("got %q, want the name and ten codes", out)
	}
	h.refuses("already", "fleet", "join", "x")
	if out := h.does("status", "--user", someone); !strings.Contains(out, "no second factor") {
		t.Errorf("got %q, want the host's own record out of use", out)
	}
	uri := h.does("add", "totp", "--user", someone, "--label", "phone", "--yes")
	if !strings.HasPrefix(uri, "otpauth://totp/") {
		t.Errorf("got %q, want a URI", uri)
	}
	h.does("rename", "phone", "--user", someone, "--label", "app", "--yes")
	if codes := strings.Fields(h.does("codes", "--user", someone, "--yes")); len(codes) != 10 {
		t.Errorf("got %q, want ten codes", codes)
	}
	h.does("add", "hotp", "--user", someone, "--secret-file", secretFile(t), "--yes")
	h.does("replace", "--user", someone, "--device", "app", "--yes")
	h.does("remove", "token", "--user", someone, "--yes")
	var s userStatus
	testroot.Must(t, json.Unmarshal([]byte(h.does("status", "--user", someone, "--json")), &s))
	if len(s.Devices) != 1 || s.Recovery != 10 || !s.Enrolled {
		t.Errorf("got %+v, want one device and ten codes", s)
	}
	others := []string{"bin", "daemon", "lp", "mail", "man", "news", "sys", "uucp"}
	for _, name := range others { // who are asked about side by side
		h.does("add", "totp", "--user", name, "--yes")
	}
	if got := strings.Count(h.does("list"), "\n"); got != 1+len(others) {
		t.Errorf("got %d users, want %d", got, 1+len(others))
	}
	for _, name := range others {
		h.does("reset", name)
	}
	h.does("bypass", someone)
	h.does("invite", "nobody")
	h.does("unlock", someone)
	if out := h.does("list"); !strings.Contains(out, someone) || strings.Contains(out, "nobody") {
		t.Errorf("got %q, want %s alone", out, someone)
	}
	h.refuses("need no account here", "list", "--orphans")
	h.does("reset", someone)
	if out := h.does("list"); out != "" {
		t.Errorf("got %q, want no one", out)
	}
	h.refuses("--yes", "fleet", "leave")
	if out := h.does("fleet", "import"); !strings.Contains(out, someone+": imported") {
		t.Errorf("got %q, want %s imported", out, someone)
	}
	if out := h.does("status", "--user", someone); !strings.Contains(out, "app") {
		t.Errorf("got %q, want the device in the fleet", out)
	}
	h.refuses("were not moved", "fleet", "export", "nobody")
	if out := h.does("fleet", "export", someone, "--json"); !strings.Contains(out, `"exported"`) {
		t.Errorf("got %q, want %s exported", out, someone)
	}
	h.does("fleet", "leave", "--yes")
	if out := h.does("status", "--user", someone); !strings.Contains(out, "app") {
		t.Errorf("got %q, want the host's own record", out)
	}
}

// By then, the codes that the user has on paper may no longer work.
func TestLostAnswerAboutSecretsSaysWhatMayHaveBecomeOfThem(t *testing.T) {
	f := testfleet.New(t, "")
	f.Change = func(c *fleetd.Config) {
		c.Store.Point = func(op, moment string) {
			if moment == "written" && (op == "enroll.set-recovery" || op == "enroll.exchange") {
				panic("after it was done")
			}
		}
	}
	f.Start(t, 1)
	h := newFleetHost(t)
	h.does("fleet", "join", ticket(t, f, "bastion", hosts.Admin, hosts.Enroll))
	h.does("add", "totp", "--user", someone, "--label", "phone", "--yes")
	h.refuses("new recovery codes, which no one has seen, may have replaced", "codes", "--user",
		someone, "--yes")
	h.refuses("the new app may have replaced the old one", "replace", "--user", someone, "--label",
		"new", "--yes")
	if out := h.does("status", "--user", someone); !strings.Contains(out, "new") {
		t.Errorf("got %q; want it done", out)
	}
}

func secretFile(t *testing.T) string {
	t.Helper()
	path := t.TempDir() + "/secret"
	put(t, path, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n", 0o600)
	return path
}

// The denied twins of TestCommandsWorkInAFleetAsOnASingleHost.
func TestHostWithoutTheRoleChangesNothingOfOthers(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	f.Enroll(t, someone, testroot.TOTP("phone"))
	bastion, web := newFleetHost(t), newFleetHost(t)
	bastion.does("fleet", "join", ticket(t, f, "bastion", hosts.Enroll))
	web.does("fleet", "join", ticket(t, f, "web", hosts.Verify))
	for _, args := range [][]string{
		{"reset", someone}, {"unlock", someone}, {"bypass", someone}, {"list"},
		{"add", "totp", "--user", someone, "--yes"}, {"codes", "--user", someone, "--yes"},
	} {
		bastion.refuses(`does not have the role "admin"`, args...)
	}
	// For root itself, too: what root does is an administrator's act.
	bastion.refuses("latchkey-fleetd host role NAME ROLES", "add", "totp", "--yes")
	web.refuses("Users enroll on: bastion, and not on web", "status", "--user", someone)
	bastion.does("status", "--user", someone)
	testroot.Must(t, f.Admin.Revoke(testfleet.Context(t), "bastion"))
	bastion.refuses("does not know this host", "status", "--user", someone)
	f.Services[0].Stop()
	web.refuses("cannot be reached", "status", "--user", someone)
	web.refuses("failed", "fleet", "status")
	testroot.Write(t, web.root.Join(settings.Path), []byte("servces = 1\n"))
	web.refuses("fleet.toml:1", "status", "--user", someone)
	// The key of a host that has joined is not a single host's.
	web.does("fleet", "leave", "--yes")
	web.does("add", "totp", "--user", someone, "--yes")
	testroot.Write(t, web.root.Join(settings.KeyPath), []byte("x"))
	web.refuses("fleet.toml is missing", "status", "--user", someone)
	web.refuses("failed", "fleet", "status")
	web.refuses("already", "fleet", "join", "x")
	web.refuses("fleet.toml is missing", "import", os.DevNull)
	web.does("fleet", "leave", "--yes")
	if out := web.does("status", "--user", someone); !strings.Contains(out, "totp") {
		t.Errorf("got %q, want the host's own record", out)
	}
}

// A fleet costs enroll no library: latchkey-fleet reaches the network.
func TestEnrollLinksNoTLSAndNothingOfEtcd(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	testroot.Must(t, err)
	for _, path := range strings.Fields(string(out)) {
		if regexp.MustCompile(`^(crypto/tls|net/http|.*etcd.*|google.golang.org/.*grpc.*|` +
			`latchkey/pam/fleet/(store|service|node|admin|helper))$`).MatchString(path) {
			t.Errorf("it links %s", path)
		}
	}
}

// joined makes the site's host one of f.
func (s *site) joined(f *testfleet.Fleet, name string, roles ...hosts.Role) {
	s.t.Helper()
	standin.Configure(s.t, testroot.Root(s.root), f.Settings(s.t, name, roles...), "")
}

// The program is setuid root here, as it is installed, and a user of the fleet calls it.
func TestUserOfAFleetChangesTheirDevicesWithPasswordAndCode(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	s := newSite(t, twilio.Options{})
	s.joined(f, "bastion", hosts.Enroll)
	app := testroot.TOTP("app")
	f.Enroll(t, alice.Name, app)
	shown := s.as(alice, "status")
	talk(t, shown, "app +totp")
	exits(t, shown, exitDone)
	s.logs()
	wrong := s.as(alice, "codes")
	talk(t, wrong, "Password: ", password, "Verification code: ",
		testroot.WrongCode(t, time.Now(), app), "code not accepted; nothing was changed")
	exits(t, wrong, exitFailed)
	s.logs(refusedLine(alice, "none", "", "wrong"))
	code := testroot.Code(t, app, time.Now())
	right := s.as(alice, "codes")
	talk(t, right, "Password: ", password, "Verification code: ", code,
		"The old codes no longer work")
	exits(t, right, exitDone)
	again := s.as(alice, "rename", "app", "--label", "mine")
	talk(t, again, "Password: ", password, "Verification code: ", code, "used before")
	exits(t, again, exitFailed)
	others := s.as(alice, "status", "--user", bob.Name)
	talk(t, others, "only root may name another user")
	exits(t, others, exitFailed)
	if st := f.State(t, alice.Name); st.Refused.Count != 0 || len(st.Devices) != 1 ||
		st.Recovery.Set == ([8]byte{}) {
		t.Errorf("got %+v, want new recovery codes and one device in the fleet", st)
	}
	if names, err := s.keyring().Names(); err != nil || len(names) > 0 {
		t.Errorf("got %q, %v; want nothing on the host", names, err)
	}
}

func TestFirstEnrollmentInAFleetNeedsATicketUnlessItsPolicySaysOtherwise(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	s := newSite(t, twilio.Options{})
	s.joined(f, "bastion", hosts.Enroll, hosts.Admin)
	term := s.as(alice)
	talk(t, term, "Password: ", password, "Ticket from your administrator: ", "abcde-12345",
		"ticket not accepted")
	exits(t, term, exitFailed)
	given := strings.TrimSpace(s.asRoot("invite", alice.Name, "--json"))
	var c oneTimeCode
	testroot.Must(t, json.Unmarshal([]byte(given), &c))
	invited := s.as(alice)
	talk(t, invited, "Password: ", password, "Ticket from your administrator: ", *c.Code,
		"Step 1 of 3")
	testroot.Must(t, f.Admin.SetPolicy(testfleet.Context(t), "latchkey.toml",
		[]byte("enroll_ticket = false\n")))
	free := s.as(bob)
	talk(t, free, "Password: ", password, "Step 1 of 3")
}
