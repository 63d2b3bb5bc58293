package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/app/otpauth"
)

func TestImportKilledAtAnySystemCallLeavesTheOldOrTheNewEnrollment(t *testing.T) {
	const file = "migrate/source/testdata/google/totp"
	fresh := regexp.MustCompile(`^google +totp .*\nRecovery codes left: 4\n$`)
	for name, c := range map[string]struct {
		setUp [][]string
		args  []string
		old   *regexp.Regexp
	}{
		"of a user who has nothing": {nil, []string{"import", "--user", "root", file},
			regexp.MustCompile(`^root has no second factor`)},
		"that replaces": {[][]string{{"add", "totp", "--label", "phone", "--yes"},
			{"codes", "--yes"}},
			[]string{"import", "--replace", "--user", "root", file},
			regexp.MustCompile(`^phone +totp .*\nRecovery codes left: 10\n$`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exe, root := underRoot(t)
			kills := 0
			for _, call := range changing {
				for n := 1; ; n++ {
					wipe(t, root)
					for _, args := range c.setUp {
						runs(t, exe, args...)
					}
					killed := killedAt(t, exe, call, n, c.args)
					if after := runs(t, exe, "status"); !c.old.MatchString(after) &&
						!fresh.MatchString(after) {
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

// usual are users whom every Debian has.
var usual = []string{"root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail",
	"news", "uucp", "proxy", "www-data",
	"backup", "list"}

// crowd writes a CSV file with a device for each of usual.
func crowd(t *testing.T) (file string) {
	t.Helper()
	text := "user,type,secret\n"
	for n, name := range usual {
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
			runs(t, exe, "list") // fails if a user could not log in
			out := runs(t, exe, "import", file)
			all := strings.Count(out, ": imported: totp") +
				strings.Count(out, ": already there, unchanged")
			if all != len(usual) {
				t.Errorf("killed (%v) at %s number %d: of %d users, the second run says\n%s",
					killed, call, n, len(usual), out)
			}
			if n == 1 && !killed {
				t.Errorf("%s: the injection does not work", call)
			}
		}
	}
}

func TestAnImportOnAFullDiskSaysSoAndChangesNothing(t *testing.T) {
	exe, root := underRoot(t)
	cmd := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, "-e",
		"inject=fsync:error=ENOSPC", exe, "import", crowd(t))
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err == nil ||
		strings.Count(out.String(), "no space left on device") != len(usual) {
		t.Errorf("%v: %s%s", err, out.String(), errs.String())
	}
	for _, dir := range []string{"/etc/latchkey/users", "/var/lib/latchkey/users"} {
		if left, err := os.ReadDir(root + dir); err != nil || len(left) > 0 {
			t.Errorf("left behind in %s: %v, %v", dir, left, err)
		}
	}
	runs(t, exe, "import", crowd(t))
}

// inhabitants is how many users issue 4 wants imported in under a minute.
const inhabitants = 10_000

// population writes so many users as files of google-authenticator and as CSV, and a passwd file
// that knows them.
func population(tb testing.TB, dir string) (passwd string) {
	tb.Helper()
	var users, csv strings.Builder
	users.WriteString("root:x:0:0:root:/root:/bin/sh\n")
	csv.WriteString("user,type,secret\n")
	if err := os.Mkdir(dir+"/google", 0o755); err != nil {
		tb.Fatal(err)
	}
	for n := range inhabitants {
		secret := otpauth.Grouped([]byte(fmt.Sprintf("secret number %06d", n)))
		fmt.Fprintf(&users, "many%d:x:%d:%d::/home/many%d:/bin/sh\n", n, 100_000+n, 100_000+n, n)
		fmt.Fprintf(&csv, "many%d,totp,%s\n", n, secret)
		text := fmt.Sprintf("%s\n\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n"+
			"\" DISALLOW_REUSE 12345\n\" TOTP_AUTH\n", secret)
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
	for name, text := range map[string]string{"/users.csv": csv.String(),
		"/passwd": users.String()} {
		if err := os.WriteFile(dir+name, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir + "/passwd"
}

// BenchmarkImportOfTenThousandUsers is one import per operation, by the real program, on the disk
// of the temporary directory.
func BenchmarkImportOfTenThousandUsers(b *testing.B) {
	if os.Getuid() != 0 {
		b.Skip("skipped: import is for root, and this benchmark does not run as root")
	}
	dir := b.TempDir()
	passwd := population(b, dir)
	for name, files := range map[string]string{"of CSV": dir + "/users.csv",
		"of google-authenticator": dir + "/google/*"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				importMany(b, passwd, files)
			}
		})
	}
}

// importMany imports into an empty root, where a passwd file of its own says which users exist.
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
	if lines := strings.Count(string(out), ": imported: totp"); err != nil || lines != inhabitants {
		b.Fatalf("%d imported: %v", lines, err)
	}
	if saved, _ := filepath.Glob(root + "/etc/latchkey/users/*"); len(saved) != inhabitants {
		b.Fatalf("%d records", len(saved))
	}
}
