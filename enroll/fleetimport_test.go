package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/pam/accounts"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/standin"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// googleFile and oathFile are a user's of google-authenticator, and two users' of pam_oath.
const (
	googleFile = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n\" RATE_LIMIT 3 30\n\" TOTP_AUTH\n" +
		"12345678\n23456789\n34567890\n"
	oathFile = "HOTP\tdaemon\t-\t3132333435363738393031323334353637383930\t3\n" +
		"HOTP/T30/6\tsync\t-\t4142434445464748494a4b4c4d4e4f5051525354\n" +
		"HOTP/T30/7\tlp\t-\t5152535455565758595a4b4c4d4e4f5051525354\n"
	csvFile = "user,type,label,secret,counter,number\n" +
		"man,totp,app,0x3132333435363738393031323334353637383930,,\n" +
		"man,phone,mobile,,,+15551234567\n" +
		"news,hotp,token,0x6162636465666768696a4b4c4d4e4f5051525354,4,\n" +
		"news,totp,app,no secret,,\n" +
		"no-such-user,totp,app,0x3132333435363738393031323334353637383930,,\n"
)

// imports is what root does with import, in this order: first a file is written, which the other
// module has used meanwhile, or the user games uses a code here.
var imports = []struct {
	write, text string
	use         string
	args        []string
}{
	{"google", googleFile, "", []string{"--user", "games", "google"}},
	{"", "", "", []string{"--user", "games", "google"}},
	{"google", googleFile + "\" DISALLOW_REUSE 30000000\n", "23456789",
		[]string{"--user", "games", "google"}},
	{"", "", "", []string{"--user", "games", "--replace", "google"}},
	{"google", strings.Replace(googleFile, "12345678\n", "", 1), "",
		[]string{"--user", "games", "google"}},
	{"", "", "", []string{"--user", "games", "--replace", "google"}},
	{"oath", oathFile, "", []string{"oath"}},
	{"", "", "", []string{"--format", "oath", "--json", "oath"}},
	{"oath", strings.Replace(oathFile, "\t3\n", "\t9\n", 1), "", []string{"oath"}},
	{"oath", strings.Replace(oathFile, "\t3\n", "\t5\n", 1), "", []string{"--replace", "oath"}},
	{"csv", csvFile, "", []string{"--json", "csv"}},
	{"", "", "", []string{"csv"}},
	{"csv", strings.Replace(csvFile, "app,0x31", "app,0x32", 1), "", []string{"csv"}},
	{"", "", "34567890", []string{"--replace", "csv"}},
	{"", "", "", []string{"--replace", "csv"}},
	{"", "", "", []string{"--user", "games", "--replace", "google"}},
	{"", "", "", []string{"csv", "no-such-file"}},
	{"", "", "", []string{"csv", "oath", "csv"}},
	{"", "", "", []string{"--format", "google", "csv"}},
	{"", "", "", []string{"--format", "pam", "csv"}},
}

// everyone are the users in these files.
var everyone = []string{"games", "daemon", "sync", "lp", "man", "news"}

// has is what a user has and has used, in words that are the same for the same devices.
func has(r *record.Record, st *state.State, err error) string {
	if errors.Is(err, factor.ErrUnenrolled) {
		return "nothing"
	}
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, d := range r.Devices {
		all = append(all, fmt.Sprintf("%s %s %x %d %d", d.Type, d.Label, d.Secret, d.Digits,
			st.Device(d.ID).Counter))
	}
	return fmt.Sprint(all, r.Recovery.Codes, st.Recovery.Used, st.Recovery.Set == r.Recovery.ID)
}

// inFleet is what a user of f has.
func inFleet(t *testing.T, f *testfleet.Fleet, name string) (all string) {
	t.Helper()
	testroot.Must(t, f.Admin.Store.Run(testfleet.Context(t), nil, func(txn *store.Txn) error {
		all = has(txn.Keyring().View(record.User{Name: name}))
		return nil
	}))
	return all
}

func TestImportComesToTheSameInAFleetAsOnASingleHost(t *testing.T) {
	f := testfleet.New(t, "")
	var log bytes.Buffer
	f.Logs = &log
	f.Start(t, 1)
	single, joined := newFleetHost(t), newFleetHost(t)
	joined.does("fleet", "join", ticket(t, f, "bastion", hosts.Admin))
	t.Chdir(t.TempDir())
	for n, step := range imports {
		if step.write != "" {
			put(t, step.write, step.text, 0o600)
		}
		if step.use != "" {
			uses(t, single.program().local(), step.use)
			uses(t, joined.program().store(), step.use)
		}
		args := append([]string{"import"}, step.args...)
		out, complaints, status := joined.run(args...)
		wantOut, wantComplaints, want := single.run(args...)
		if out != wantOut || complaints != wantComplaints || status != want {
			t.Errorf("step %d, %q: got %d, %s%s; want %d, %s%s", n+1, args, status, out,
				complaints, want, wantOut, wantComplaints)
		}
		for _, name := range everyone {
			who, err := lookUp(name)
			testroot.Must(t, err)
			got, want := inFleet(t, f, name), has(single.root.Keyring().View(who.User))
			if got != want {
				t.Errorf("step %d: %s has %s in the fleet; want %s", n+1, name, got, want)
			}
		}
	}
	if own, err := joined.root.Keyring().Names(); err != nil || len(own) > 0 {
		t.Errorf("got %q, %v; want no record of the host's own", own, err)
	}
	// An answer of a fleet that has forgotten what this host knows of it is none.
	testroot.Write(t, joined.root.Join(remote.EpochPath), []byte("latchkey-fleet-epoch-1 9\n"))
	joined.refuses("the answer is from before the fleet was restored", "import", "oath")
	f.Services[0].Stop()
	if !bytes.Contains(log.Bytes(), []byte("op=enroll.take-over host=bastion user=games")) {
		t.Errorf("got %s, want a line for each user", log.Bytes())
	}
	for _, secret := range []string{"GEZDGNBVGY3", "1234567890", "3132333435", "ABCDEFGHIJ",
		"12345678", "23456789", "5551234567"} {
		if bytes.Contains(log.Bytes(), []byte(secret)) {
			t.Errorf("got %q in the service's log:\n%s", secret, log.Bytes())
		}
	}
}

// uses has a code of games accepted.
func uses(t *testing.T, a accounts.Accounts, code string) {
	t.Helper()
	who, err := lookUp("games")
	testroot.Must(t, err)
	m, _, err := a.Try(accounts.Try{User: who.User, Code: code, Began: time.Now()})
	if err != nil || m.Result != factor.Accepted {
		t.Fatalf("got %v, %v; want the code accepted", m.Result, err)
	}
}

// The denied twins of TestImportComesToTheSameInAFleetAsOnASingleHost. None of these hosts
// changes anything, and each says what to do.
func TestImportIntoAFleetThatRefusesTheHostChangesNothing(t *testing.T) {
	f := testfleet.New(t, "")
	f.Limits.Failures.Count = 1
	f.Start(t, 1)
	file := filepath.Join(t.TempDir(), "oath")
	put(t, file, oathFile, 0o600)
	host := func(name string, roles ...hosts.Role) fleetHost {
		h := newFleetHost(t)
		h.does("fleet", "join", ticket(t, f, name, roles...))
		return h
	}
	refuses := func(h fleetHost, words string) {
		t.Helper()
		h.refuses(words, "import", file)
		h.refuses(words, "import", "--json", "--replace", file)
		for _, name := range everyone {
			if got := inFleet(t, f, name); got != "nothing" {
				t.Errorf("%s: %s has %s in the fleet, want nothing", words, name, got)
			}
		}
		if own, err := h.root.Keyring().Names(); err != nil || len(own) > 0 {
			t.Errorf("%s: got %q, %v; want no record on the host", words, own, err)
		}
	}
	refuses(host("bastion", hosts.Enroll, hosts.Verify),
		`does not have the role "admin"); nothing was changed`)
	refuses(host("web", hosts.Verify), `web does not have the role "admin"); nothing was changed`)
	revoked := host("revoked", hosts.Admin)
	testroot.Must(t, f.Admin.Revoke(testfleet.Context(t), "revoked"))
	refuses(revoked, "does not know this host")
	caught := host("caught", hosts.Admin)
	f.Enroll(t, "root", testroot.TOTP("app"))
	m, _, err := caught.program().store().Try(accounts.Try{User: record.User{Name: "root"},
		Code: "000000", Began: time.Now()})
	if err != nil || m.Result != factor.Wrong {
		t.Fatalf("got %v, %v; want a wrong code", m.Result, err)
	}
	refuses(caught, "this host is in quarantine")
	last := host("last", hosts.Admin)
	last.fast = time.Minute
	refuses(last, "a clock is wrong")
	last.fast = 0
	toml := testroot.Read(t, last.root.Join(settings.Path))
	testroot.Write(t, last.root.Join(settings.Path), []byte("servces = 1\n"))
	refuses(last, "fleet.toml:1")
	testroot.Write(t, last.root.Join(settings.Path), toml)
	testroot.Must(t, os.Rename(last.root.Join(settings.KeyPath), last.root.Join("/key")))
	refuses(last, "fleet.key")
	testroot.Must(t, os.Rename(last.root.Join("/key"), last.root.Join(settings.KeyPath)))
	f.Services[0].Stop()
	refuses(last, "the fleet's service cannot be reached")
	testroot.Must(t, os.Remove(last.root.Join(dispatch.Program)))
	refuses(last, "the fleet did not answer in time")
}

// wipeFleet takes the users of crowd out of a fleet.
func wipeFleet(t *testing.T, f *testfleet.Fleet) {
	t.Helper()
	testroot.Must(t, f.Admin.Store.Run(testfleet.Context(t), nil, func(txn *store.Txn) error {
		for _, name := range usual {
			for _, what := range []string{"record", "state"} {
				if err := txn.Delete(store.UserKey(name, what)); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

func TestAnImportIntoAFleetThatWasKilledIsFinishedByTheSameCommand(t *testing.T) {
	exe, root := underRoot(t)
	f := testfleet.New(t, "")
	f.Start(t, 1)
	standin.Configure(t, testroot.Root(root), f.Settings(t, "bastion", hosts.Admin), "")
	file, kills := crowd(t), 0
	for _, n := range []int{1, 2, 5} {
		wipeFleet(t, f)
		if killedAt(t, exe, "poll,ppoll", n, []string{"import", file}) {
			kills++
		}
		var want string // of each user who is there, all
		for i, name := range usual {
			whole := fmt.Sprintf("[totp app %040d 6 0] [] 0 true", i)
			if got := inFleet(t, f, name); got != "nothing" && got != whole {
				t.Errorf("killed at request %d: %s has %s, want %s or nothing", n, name, got, whole)
			}
			want += whole
		}
		out := runs(t, exe, "import", file)
		var got string
		for _, name := range usual {
			got += inFleet(t, f, name)
		}
		all := strings.Count(out, ": imported: totp") +
			strings.Count(out, ": already there, unchanged")
		if all != len(usual) || got != want {
			t.Errorf("killed at request %d: of %d users, the second run says\n%s", n, len(usual), out)
		}
	}
	if kills < 2 { // which thread asks is chance
		t.Errorf("only %d kills: the injection does not work", kills)
	}
}
