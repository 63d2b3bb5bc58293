package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"latchkey/enroll/backup"
	"latchkey/pam/factor"
	"latchkey/pam/factor/oath"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// identity makes an identity of age, and returns the file with it and its recipient.
func ageIdentity(t *testing.T) (file, recipient string) {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	testroot.Must(t, err)
	file = filepath.Join(t.TempDir(), "identity")
	testroot.Write(t, file, []byte("# for a test\n"+i.String()+"\n"))
	return file, i.Recipient().String()
}

// kept is a host with users of whom there is a backup: root has an app, a token and codes, daemon
// an app.
type kept struct {
	exe, root, identity, file string
	app, token                record.Device
	codes                     []string
}

func keep(t *testing.T) kept {
	t.Helper()
	exe, root := underRoot(t)
	k := kept{exe: exe, root: root, file: filepath.Join(t.TempDir(), "host.age")}
	secret := root + "/secret"
	testroot.Write(t, secret, []byte(rfcSecret+"\n"))
	runs(t, exe, "add", "totp", "--label", "phone", "--yes")
	runs(t, exe, "add", "hotp", "--label", "token", "--secret-file", secret, "--counter", "5",
		"--yes")
	k.codes = strings.Fields(runs(t, exe, "codes", "--yes"))
	runs(t, exe, "--user", "daemon", "add", "totp", "--label", "phone", "--yes")
	runs(t, exe, "bypass", "root")
	testroot.Root(root).Policy(t, "unenrolled = \"deny\" # ours\n")
	testroot.Write(t, root+"/etc/latchkey/twilio.toml", []byte("# ours\n"))
	a := k.account(t, "root")
	k.app, k.token = *a.Record.Find("phone"), *a.Record.Find("token")
	a.State.Trusts = []state.Trust{{Since: time.Now(), Days: 30}}
	a.State.Refused = state.Refused{Count: 7}
	testroot.Must(t, a.State.Commit())
	a.Close()
	var recipient string
	k.identity, recipient = ageIdentity(t)
	runs(t, exe, "backup", "--recipient", recipient, k.file)
	return k
}

// account opens a user's account.
func (k kept) account(t *testing.T, name string) *factor.Account {
	t.Helper()
	who, err := lookUp(name)
	testroot.Must(t, err)
	a, err := factor.NewKeyring(k.root, safefile.Patience{Limit: time.Minute}).Open(who.User)
	testroot.Must(t, err)
	return a
}

// try types a code as root does.
func (k kept) try(t *testing.T, code string, at time.Time) factor.Result {
	t.Helper()
	a := k.account(t, "root")
	defer a.Close()
	m, err := a.Verify(factor.Guess{Code: strings.ReplaceAll(code, "-", ""), At: at,
		Accepts: func(method.Method) bool { return true }},
		limit.Guesses{Failures: limit.Rate{Count: 50, Window: time.Minute}, Lock: time.Minute})
	testroot.Must(t, err)
	return m.Result
}

func (k kept) counter(t *testing.T, counter uint64) factor.Result {
	t.Helper()
	code, err := oath.Code(&k.token, counter)
	testroot.Must(t, err)
	return k.try(t, code, time.Now())
}

func (k kept) restore(t *testing.T, args ...string) string {
	t.Helper()
	return runs(t, k.exe, append([]string{"restore", "--identity", k.identity, k.file}, args...)...)
}

func TestRestoreOnANewHostBringsUsersBackAndNoUsedCode(t *testing.T) {
	k := keep(t)
	wipe(t, k.root)
	before := time.Now()
	out := k.restore(t)
	after := time.Now()
	for _, want := range []string{
		`root: restored: totp "phone", hotp "token" (the first time: two codes, one after the ` +
			`other), no recovery codes (void: 10 codes)`,
		`daemon: restored: totp "phone"`, "/etc/latchkey/twilio.toml: restored",
		"/etc/latchkey/latchkey.toml: restored: the one before is latchkey.toml.before-restore",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("got %swant %s", out, want)
		}
	}
	for n := -1; n <= 1; n++ {
		at := before.Add(time.Duration(n) * 30 * time.Second)
		if got := k.try(t, testroot.Code(t, k.app, at), at); got != factor.Replayed {
			t.Errorf("the app's code %d steps from the restore: got %v, want replayed", n, got)
		}
	}
	at := after.Add(time.Minute)
	if got := k.try(t, testroot.Code(t, k.app, at), at); got != factor.Accepted {
		t.Errorf("the app's code afterwards: got %v, want accepted", got)
	}
	for _, code := range k.codes {
		if got := k.try(t, code, at); got != factor.Replayed {
			t.Errorf("a recovery code: got %v, want replayed", got)
		}
	}
	for counter, want := range []factor.Result{5: factor.Wrong, 6: factor.Accepted} {
		if counter >= 5 && k.counter(t, uint64(counter)) != want {
			t.Errorf("the token's counter %d: got no %v", counter, want)
		}
	}
	a := k.account(t, "root")
	defer a.Close()
	if len(a.State.Trusts) > 0 || a.State.Bypass != (state.OneTimeCode{}) {
		t.Errorf("trust and bypass: got %v, %v; want none", a.State.Trusts, a.State.Bypass)
	}
	for name, mode := range map[string]fs.FileMode{"latchkey.toml": 0o644, "twilio.toml": 0o600} {
		info, err := os.Stat(k.root + "/etc/latchkey/" + name)
		if err != nil || info.Mode() != mode || !strings.Contains(string(testroot.Read(t,
			k.root+"/etc/latchkey/"+name)), "# ours") {
			t.Errorf("%s: got %v, %v; want ours, %v", name, info, err, mode)
		}
	}
}

func TestRestoreKeepsFailures(t *testing.T) {
	k := keep(t)
	wipe(t, k.root)
	k.restore(t)
	a := k.account(t, "root")
	defer a.Close()
	if a.State.Refused.Count != 7 {
		t.Errorf("wrong codes in a row: got %d, want 7", a.State.Refused.Count)
	}
}

func TestRestoreKeepsRecoveryCodesOnlyIfToldTo(t *testing.T) {
	k := keep(t)
	k.restore(t, "--replace", "--keep-recovery-codes")
	if got := k.try(t, k.codes[0], time.Now()); got != factor.Accepted {
		t.Errorf("an unused code: got %v, want accepted", got)
	}
	k.restore(t, "--replace", "--keep-recovery-codes")
	if got := k.try(t, k.codes[1], time.Now()); got != factor.Accepted {
		t.Errorf("another unused code: got %v, want accepted", got)
	}
	if got := k.try(t, k.codes[0], time.Now()); got != factor.Replayed {
		t.Errorf("a code used here: got %v, want replayed", got)
	}
	k.restore(t, "--replace")
	if got := k.try(t, k.codes[2], time.Now()); got != factor.Replayed {
		t.Errorf("not kept: got %v, want replayed", got)
	}
}

// snapshot is everything below a host's two folders.
func snapshot(t *testing.T, root string) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range []string{"/etc/latchkey", "/var/lib/latchkey"} {
		err := filepath.WalkDir(root+dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				fmt.Fprintf(&all, "%s %x\n", path, testroot.Read(t, path))
			}
			return err
		})
		testroot.Must(t, err)
	}
	return all.String()
}

func TestRestoreThatIsRefusedChangesNothing(t *testing.T) {
	k := keep(t)
	other, _ := ageIdentity(t)
	whole := testroot.Read(t, k.file)
	changed := func(change func(b []byte) []byte) string {
		path := filepath.Join(t.TempDir(), "changed")
		testroot.Write(t, path, change(append([]byte{}, whole...)))
		return path
	}
	cut := func(n int) string { return changed(func(b []byte) []byte { return b[:len(b)-n] }) }
	flip := func(n int) string {
		return changed(func(b []byte) []byte {
			b[n] ^= 1
			return b
		})
	}
	later := filepath.Join(t.TempDir(), "later")
	b, missing, err := backup.Host{Root: k.root, Keyring: factor.NewKeyring(k.root,
		safefile.Patience{})}.Take()
	if err != nil || len(missing) > 0 {
		t.Fatal(missing, err)
	}
	b.Created = time.Now().Add(time.Hour)
	seal(t, later, k.identity, b)
	by := func(identity, file string, more ...string) []string {
		return append([]string{"--identity", identity, file}, more...)
	}
	over := func(file string) []string { return by(k.identity, file, "--replace") }
	behind := changed(func(b []byte) []byte { return append(b, 0) })
	for name, c := range map[string]struct {
		args []string
		in   string
		says string
	}{
		"a host with users":        {by(k.identity, k.file), "", "has users already"},
		"a user it has not":        {by(k.identity, k.file, "--user", "bin"), "", "no such user"},
		"a user who is here":       {by(k.identity, k.file, "--user", "root"), "", "--replace"},
		"another identity":         {by(other, k.file, "--replace"), "", "does not open it"},
		"no identity":              {by(k.file, k.file, "--replace"), "", "no identities of age"},
		"a passphrase":             {[]string{k.file, "--replace"}, "a horse\n", "does not open it"},
		"no passphrase":            {[]string{k.file, "--replace"}, "\n", "empty passphrase"},
		"cut off by a byte":        {over(cut(1)), "", "not a whole backup"},
		"cut off in its middle":    {over(cut(len(whole) / 2)), "", "not a whole backup"},
		"empty":                    {over(cut(len(whole))), "", "not a whole backup"},
		"a bit of its header":      {over(flip(60)), "", "nothing was changed"},
		"a bit of its middle":      {over(flip(len(whole) / 2)), "", "not a whole backup"},
		"a bit of its end":         {over(flip(len(whole) - 1)), "", "not a whole backup"},
		"with something behind it": {over(behind), "", "not a whole backup"},
		"another file":             {over(k.exe), "", "not a whole backup"},
		"from a later clock":       {over(later), "", "clock is before"},
	} {
		before := snapshot(t, k.root)
		cmd := exec.Command(k.exe, append([]string{"restore"}, c.args...)...)
		cmd.Stdin = strings.NewReader(c.in)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: got %v: %swant %q", name, err, out, c.says)
		}
		if snapshot(t, k.root) != before {
			t.Errorf("%s: something was changed", name)
		}
	}
}

// seal writes a backup for the identity in a file.
func seal(t *testing.T, path, identity string, b *backup.Taken) {
	t.Helper()
	f, err := os.Open(identity)
	testroot.Must(t, err)
	defer f.Close()
	all, err := age.ParseIdentities(f)
	testroot.Must(t, err)
	out, err := os.Create(path)
	testroot.Must(t, err)
	testroot.Must(t, b.Write(out, all[0].(*age.X25519Identity).Recipient()))
	testroot.Must(t, out.Close())
}

// Root of one host may not read a file with the rights of enroll, and other users nothing at all.
func TestBackupAndRestoreAndRekeyAreForRoot(t *testing.T) {
	exe, root := setuidRoot(t, "nobody")
	before := snapshot(t, root)
	file := filepath.Join(t.TempDir(), "file")
	for _, args := range [][]string{{"backup", file}, {"restore", "/nowhere"}, {"rekey"}} {
		cmd := exec.Command(exe, args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody,
			Gid: nobody}}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "is for root") {
			t.Errorf("%s: got %v: %s", args[0], err, out)
		}
	}
	if _, err := os.Lstat(file); err == nil || snapshot(t, root) != before {
		t.Errorf("something was written (%v)", err)
	}
}

func TestBackupAndRestoreAreRefusedInAFleet(t *testing.T) {
	k := keep(t)
	testroot.Write(t, k.root+"/etc/latchkey/fleet.toml", nil)
	for _, args := range [][]string{{"backup", k.file + "2"},
		{"restore", "--identity", k.identity, k.file, "--replace"}} {
		out, err := exec.Command(k.exe, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "this host is in a fleet") {
			t.Errorf("%s: got %v: %s", args[0], err, out)
		}
	}
}

func TestBackupByPassphraseAsksTwiceAndOpensWithIt(t *testing.T) {
	k := keep(t)
	file, phrase := filepath.Join(t.TempDir(), "by-passphrase"), "correct horse battery\n"
	for _, c := range []struct {
		args []string
		in   string
		ok   bool
		says string
	}{
		{[]string{"backup", file}, phrase + "another one, mistyped\n", false, "differ"},
		{[]string{"backup", file}, "\n\n", false, "empty passphrase"},
		{[]string{"backup", file}, phrase + phrase, true, "2 users, the host key, 2 files"},
		{[]string{"backup", file}, phrase + phrase, false, "exists"},
		{[]string{"restore", "--replace", file}, "correct horse\n", false, "does not open it"},
		{[]string{"restore", "--replace", file}, phrase, true, "root: replaced"},
		{[]string{"backup", "/nowhere/new"}, "", false, "stat /nowhere: no such file"},
		{[]string{"restore", "/nowhere/file"}, "", false, "stat /nowhere/file: no such file"},
	} {
		cmd := exec.Command(k.exe, c.args...)
		cmd.Stdin = strings.NewReader(c.in)
		out, err := cmd.CombinedOutput()
		if (err == nil) != c.ok || !strings.Contains(string(out), c.says) {
			t.Errorf("%v: got %v: %swant %q", c.args, err, out, c.says)
		}
		if c.in == "" && strings.Contains(string(out), "Passphrase") {
			t.Errorf("%v: got %s, want no question", c.args, out)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file: got %v, %v; want mode 0600", info, err)
	}
}

// strangers is a backup of people who have another uid here, or none.
func strangers(t *testing.T) (identity, file string) {
	t.Helper()
	from := testroot.New(t)
	from.Enroll(t, "daemon", 4242, testroot.TOTP("phone"))
	from.Enroll(t, "nosuchuser", 4243, testroot.TOTP("phone"))
	from.Enroll(t, "bin", 2, testroot.TOTP("phone"))
	b, _, err := backup.Host{Root: string(from), Keyring: from.Keyring()}.Take()
	testroot.Must(t, err)
	identity, _ = ageIdentity(t)
	file = filepath.Join(t.TempDir(), "strangers")
	seal(t, file, identity, b)
	return identity, file
}

func TestRestoreSkipsUsersWhoMayBeOtherPeople(t *testing.T) {
	exe, root := underRoot(t)
	identity, file := strangers(t)
	cmd := exec.Command(exe, "restore", "--json", "--identity", identity, file)
	out, err := cmd.Output()
	var said struct{ Outcomes []backup.Outcome }
	if json := json.Unmarshal(out, &said); err == nil || json != nil {
		t.Fatalf("got %v, %v: %s; want an error, and JSON", err, json, out)
	}
	got := map[string]backup.Outcome{}
	for _, o := range said.Outcomes {
		got[o.User] = o
	}
	if got["daemon"].Result != backup.Skipped || got["nosuchuser"].Result != backup.Skipped ||
		got["bin"].Result != backup.Restored {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(got["daemon"].Problem, "uid 4242 in the backup, 1 here") {
		t.Errorf("daemon: got %q", got["daemon"].Problem)
	}
	if there := runs(t, exe, "list"); strings.Contains(there, "daemon") {
		t.Errorf("got %s", there)
	}
	runs(t, exe, "restore", "--identity", identity, file, "--user", "daemon", "--match-names")
	if status := runs(t, exe, "--user", "daemon", "status"); !strings.HasPrefix(status, "phone ") {
		t.Errorf("with --match-names: got %s", status)
	}
	_ = root
}

// FAULTS 20
func TestRestoreKilledAtAnySystemCallLeavesTheOldOrTheNewEnrollment(t *testing.T) {
	for name, c := range map[string]struct {
		setUp [][]string
		old   string
	}{
		"of a user who has nothing": {nil, "root has no second factor"},
		"of a user who has another device": {[][]string{{"add", "totp", "--label", "watch",
			"--yes"}}, "watch "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, kills := keep(t), 0
			args := []string{"restore", "--identity", k.identity, "--user", "root", "--replace",
				k.file}
			for _, call := range changing {
				for n := 1; ; n++ {
					wipe(t, k.root)
					for _, args := range c.setUp {
						runs(t, k.exe, args...)
					}
					killed := killedAt(t, k.exe, call, n, args)
					after := runs(t, k.exe, "status") // fails if the user could not log in
					if !strings.HasPrefix(after, c.old) && (!strings.HasPrefix(after, "phone ") ||
						!strings.Contains(after, "Recovery codes left: 0")) {
						t.Fatalf("killed at %s number %d: neither old nor new: %s", call, n, after)
					}
					if !killed {
						break
					}
					if kills++; n == 1 {
						runs(t, k.exe, args...)
					}
				}
			}
			if kills < 10 {
				t.Errorf("only %d kills: the injection does not work", kills)
			}
		})
	}
}

// What cannot be used is replaced; what belongs to a login under way is not.
func TestRestoreMendsAccountsThatCannotBeUsed(t *testing.T) {
	k := keep(t)
	for name, breakIt := range map[string]func(t *testing.T){
		"the record is lost": func(t *testing.T) {
			testroot.Must(t, os.Remove(k.root+"/etc/latchkey/users/root"))
		},
		"the record is damaged": func(t *testing.T) {
			testroot.Write(t, k.root+"/etc/latchkey/users/root", []byte("mac = \"\"\n"))
		},
		"the state is lost": func(t *testing.T) {
			testroot.Must(t, os.Remove(k.root+"/var/lib/latchkey/users/root"))
		},
		"the state is damaged": func(t *testing.T) {
			testroot.Write(t, k.root+"/var/lib/latchkey/users/root", make([]byte, 8192))
		},
		"the host key is lost": func(t *testing.T) {
			testroot.Must(t, os.Remove(k.root+"/var/lib/latchkey/key"))
		},
	} {
		breakIt(t)
		if out, err := exec.Command(k.exe, "restore", "--identity", k.identity, k.file,
			"--user", "root").CombinedOutput(); err == nil {
			t.Errorf("%s, without --replace: got %s, want an error", name, out)
		}
		k.restore(t, "--replace")
		if status := runs(t, k.exe, "status"); !strings.HasPrefix(status, "phone ") {
			t.Errorf("%s: got %s", name, status)
		}
	}
}

func TestBackupNamesUsersWhomItCannotRead(t *testing.T) {
	k := keep(t)
	testroot.Write(t, k.root+"/etc/latchkey/users/daemon", []byte("mac = \"\"\nuid = 1\n"))
	file := filepath.Join(t.TempDir(), "file")
	_, recipient := ageIdentity(t)
	out, err := exec.Command(k.exe, "backup", "--recipient", recipient, file).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "daemon is not in the backup") ||
		!strings.Contains(string(out), "1 user, the host key") {
		t.Errorf("got %v: %s", err, out)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the backup of the others: %v", err)
	}
}
