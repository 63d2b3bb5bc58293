package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
		secret := grouped([]byte(fmt.Sprintf("secret number %06d", n)))
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
	out, err := exec.Command("unshare", "--mount", "sh", "-ec", `mount --bind "$1" /etc/passwd; exec "$0" import `+files, exe, passwd).Output()
	b.ReportMetric(time.Since(began).Seconds(), "s/import")
	if lines := strings.Count(string(out), ": imported: totp"); err != nil || lines != many {
		b.Fatalf("%d imported: %v", lines, err)
	}
	if saved, _ := filepath.Glob(root + "/etc/latchkey/users/*"); len(saved) != many {
		b.Fatalf("%d records", len(saved))
	}
}
