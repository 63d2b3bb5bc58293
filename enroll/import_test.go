package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/migrate"
	"latchkey/enroll/setuid"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

func TestImportKilledAtAnySystemCallLeavesTheOldOrTheNewEnrollment(t *testing.T) {
	const file = "migrate/testdata/google/totp"
	fresh := regexp.MustCompile(`^google +totp .*\nRecovery codes left: 4\n$`)
	for name, c := range map[string]struct {
		setUp [][]string
		args  []string
		old   *regexp.Regexp
	}{
		"of a user who has nothing": {nil, []string{"import", "--user", "root", file}, regexp.MustCompile(`^root has no second factor`)},
		"that replaces": {[][]string{{"add", "totp", "--label", "phone", "--yes"}, {"codes", "--yes"}},
			[]string{"import", "--replace", "--user", "root", file}, regexp.MustCompile(`^phone +totp .*\nRecovery codes left: 10\n$`)},
	} {
		t.Run(name, func(t *testing.T) {
			exe, root := underRoot(t)
			kills := 0
			for _, call := range changing {
				for n := 1; ; n++ {
					wipe(t, root)
					for _, args := range c.setUp {
						runs(t, exe, args...)
					}
					killed := killedAt(t, exe, call, n, c.args)
					if after := runs(t, exe, "status"); !c.old.MatchString(after) && !fresh.MatchString(after) {
						t.Fatalf("killed at %s number %d: neither old nor new: %s", call, n, after)
					}
					runs(t, exe, c.args...)
					if after := runs(t, exe, "status"); !fresh.MatchString(after) {
						t.Fatalf("killed at %s number %d, and imported again: %s", call, n, after)
					}
					if !killed {
						break
					}
					kills++
				}
			}
			t.Logf("killed at %d points", kills)
			if kills < 5 {
				t.Errorf("only %d kills: the injection does not work", kills)
			}
		})
	}
}

// accounts are some that every Debian has.
var accounts = []string{"root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data",
	"backup", "list"}

// crowd writes a CSV file with a device for each of accounts.
func crowd(t *testing.T) (file string) {
	t.Helper()
	text := "user,type,secret\n"
	for n, name := range accounts {
		text += fmt.Sprintf("%s,totp,0x%040d\n", name, n)
	}
	file = filepath.Join(t.TempDir(), "crowd.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAnImportThatWasKilledIsFinishedByTheSameCommand(t *testing.T) {
	exe, root := underRoot(t)
	file := crowd(t)
	for _, call := range []string{"fsync", "renameat2", "flock"} {
		for n := 1; n <= 16; n += 3 {
			wipe(t, root)
			killed := killedAt(t, exe, call, n, []string{"import", file})
			runs(t, exe, "list") // fails if somebody could not log in
			out := runs(t, exe, "import", file)
			all := strings.Count(out, ": imported: totp") + strings.Count(out, ": already there, unchanged")
			if all != len(accounts) {
				t.Errorf("killed (%v) at %s number %d: of %d users, the second run says\n%s", killed, call, n, len(accounts), out)
			}
			if n == 1 && !killed {
				t.Errorf("%s: the injection does not work", call)
			}
		}
	}
}

func TestAnImportOnAFullDiskSaysSoAndChangesNothing(t *testing.T) {
	exe, root := underRoot(t)
	cmd := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, "-e", "inject=fsync:error=ENOSPC", exe, "import", crowd(t))
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err == nil || strings.Count(out.String(), "no space left on device") != len(accounts) {
		t.Errorf("%v: %s%s", err, out.String(), errs.String())
	}
	for _, dir := range []string{"/etc/latchkey/users", "/var/lib/latchkey/users"} {
		if left, err := os.ReadDir(root + dir); err != nil || len(left) > 0 {
			t.Errorf("left behind in %s: %v, %v", dir, left, err)
		}
	}
	runs(t, exe, "import", crowd(t))
}

// What login uses up between two imports stays used, whatever is replaced.
func TestReplacingSetsNoCounterBackAndMakesNoCodeNew(t *testing.T) {
	const text = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n\" DISALLOW_REUSE 100\n\" TOTP_AUTH\n12345678\n87654321\n23456789\n"
	e, err := migrate.Google(strings.NewReader(text), "f", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	same := e.Devices[0].Device
	for name, c := range map[string]struct {
		counter uint64 // of the same secret, before
		codes   []string
		used    uint64
		want    uint64 // counter
		left    int    // recovery codes
	}{
		"nothing was used":                    {0, []string{"12345678", "87654321", "23456789"}, 0, 100, 3},
		"less than the file says":             {99, nil, 0, 100, 3},
		"more than the file says":             {101, nil, 0, 101, 3},
		"two codes, and they stood elsewhere": {0, []string{"87654321", "99999999", "12345678"}, 0b101, 100, 1},
		"a code that the file no longer has":  {0, []string{"99999999", "12345678"}, 0b01, 100, 3},
		"all codes":                           {0, []string{"12345678", "87654321", "23456789"}, 0b111, 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := makeRoot(root); err != nil {
				t.Fatal(err)
			}
			k := enrollment.Store{Keyring: factor.NewKeyring(root, safefile.Patience{})}
			other := enrollment.NewTOTP("other", enrollment.NewSecret("SHA1"), "SHA1", 6, 30*time.Second, time.Now())
			before := enrollment.Enrollment{Devices: []record.Device{other, same}, Counters: []uint64{0, c.counter}, Used: c.used}
			if c.codes != nil {
				before.Recovery = enrollment.ImportedRecovery(c.codes)
			}
			if err := k.Enroll(enrollment.ByRoot(), record.User{Name: "alice", UID: 1000}, before); err != nil {
				t.Fatal(err)
			}
			i := importing{program: newProgram(setuid.Privilege{}, root), options: options{replace: true}}
			again := *i.candidateOf(e)
			i.saveOne(&again)
			account, err := k.Open(record.User{Name: "alice", UID: 1000})
			if err != nil || again.Result != replaced {
				t.Fatalf("%s, %v", again.line(), err)
			}
			defer account.Close()
			if got := account.State.Devices; len(got) != 1 || got[0].Counter != c.want || account.RecoveryLeft() != c.left {
				t.Errorf("%+v, %d codes left; want counter %d and %d codes", got, account.RecoveryLeft(), c.want, c.left)
			}
		})
	}
}

func TestAnImportThatGetsNoTurnSaysSoOfEverybody(t *testing.T) {
	root := t.TempDir()
	if err := makeRoot(root); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	p := newProgram(setuid.Privilege{}, root)
	p.out, p.keyring = &out, factor.NewKeyring(root, safefile.Patience{})
	i := importing{program: p, all: []*candidate{{outcome: outcome{User: "alice"}}, {outcome: outcome{User: "bob"}}}}
	err := p.store().Exclusive(func() error { return i.report(i.save()) })
	if !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"alice", "bob"} {
		if !strings.Contains(out.String(), name+": not imported: ") {
			t.Errorf("nothing of %s in %q", name, out.String())
		}
	}
}

// candidateOf is alice with what a file says; each time the file is read its devices get other ids.
func (i *importing) candidateOf(e migrate.Entry) *candidate {
	d := e.Devices[0]
	rand.Read(d.ID[:])
	e.Devices = []migrate.Device{d}
	return &candidate{who: identity{User: record.User{Name: "alice", UID: 1000}}, entry: e, outcome: outcome{User: "alice"}}
}

// many is how many users issue 4 wants imported in under a minute.
const many = 10_000

// population writes so many users as files of google-authenticator and as CSV, and a passwd file that knows them.
func population(tb testing.TB, dir string) (passwd string) {
	tb.Helper()
	var users, csv strings.Builder
	users.WriteString("root:x:0:0:root:/root:/bin/sh\n")
	csv.WriteString("user,type,secret\n")
	if err := os.Mkdir(dir+"/google", 0o755); err != nil {
		tb.Fatal(err)
	}
	for n := range many {
		secret := otpauth.Grouped([]byte(fmt.Sprintf("secret number %06d", n)))
		fmt.Fprintf(&users, "many%d:x:%d:%d::/home/many%d:/bin/sh\n", n, 100_000+n, 100_000+n, n)
		fmt.Fprintf(&csv, "many%d,totp,%s\n", n, secret)
		text := fmt.Sprintf("%s\n\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE 12345\n\" TOTP_AUTH\n", secret)
		for c := range 5 {
			text += fmt.Sprintf("%d\n", 10_000_000+5*n+c)
		}
		file := fmt.Sprintf("%s/google/many%d", dir, n)
		if err := os.WriteFile(file, []byte(text), 0o400); err != nil {
			tb.Fatal(err)
		}
		if err := os.Chown(file, 100_000+n, 100_000+n); err != nil {
			tb.Fatal(err)
		}
	}
	for name, text := range map[string]string{"/users.csv": csv.String(), "/passwd": users.String()} {
		if err := os.WriteFile(dir+name, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir + "/passwd"
}

// BenchmarkImportOfTenThousandUsers is one import per operation, by the real program, on the disk of the temporary directory.
func BenchmarkImportOfTenThousandUsers(b *testing.B) {
	if os.Getuid() != 0 {
		b.Skip("skipped: import is for root, and this benchmark does not run as root")
	}
	dir := b.TempDir()
	passwd := population(b, dir)
	for name, files := range map[string]string{"of CSV": dir + "/users.csv", "of google-authenticator": dir + "/google/*"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				importMany(b, passwd, files)
			}
		})
	}
}

// importMany imports into an empty root, where a passwd file of its own says who exists.
func importMany(b *testing.B, passwd, files string) {
	b.StopTimer()
	root := b.TempDir()
	if err := makeRoot(root); err != nil {
		b.Fatal(err)
	}
	exe := built(b, root)
	b.StartTimer()
	began := time.Now()
	line := `mount --bind "$1" /etc/passwd; exec "$0" import ` + files
	out, err := exec.Command("unshare", "--mount", "sh", "-ec", line, exe, passwd).Output()
	b.ReportMetric(time.Since(began).Seconds(), "s/import")
	if lines := strings.Count(string(out), ": imported: totp"); err != nil || lines != many {
		b.Fatalf("%d imported: %v", lines, err)
	}
	if saved, _ := filepath.Glob(root + "/etc/latchkey/users/*"); len(saved) != many {
		b.Fatalf("%d records", len(saved))
	}
}
