// Size measures what enroll takes on a host with many users: time, processor time and memory of each
// command that looks at all of them, and of one that adds a device for one. Several programs, such as
// one before a change and one after it, are measured in turns in one run. It needs root, a C
// compiler and a folder on a real disk, and changes nothing elsewhere: the folders of latchkey and
// the name service are those of a mount namespace.
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, progress io.Writer) int {
	flags := flag.NewFlagSet("size", flag.ContinueOnError)
	flags.SetOutput(progress)
	dir := flags.String("dir", "", "an empty folder on the disk that is measured")
	sizes := flags.String("users", "100,10000,100000", "how many users there are")
	files := flags.Bool("files", false, "the users are in /etc/passwd, which is read for each")
	if flags.Parse(args) != nil || *dir == "" || flags.NArg() == 0 {
		fmt.Fprintln(progress, "usage: size --dir DIR [--users N,...] [--files] ENROLL...")
		return 2
	}
	b := bench{dir: *dir, files: *files, programs: flags.Args(), out: out}
	if err := b.all(strings.Split(*sizes, ",")); err != nil {
		fmt.Fprintln(progress, "size: error:", err)
		return 1
	}
	return 0
}

// bench is one run.
type bench struct {
	dir      string
	files    bool
	programs []string
	out      io.Writer
	users    int
}

// recipient is one of age's, whose identity no one has.
const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

// commands are measured in this order.
func (b *bench) commands(home string) [][]string {
	return [][]string{
		{"import", home + "/users.csv"}, {"list"}, {"list", "--metrics"}, {"list", "--orphans"},
		{"doctor"}, {"add", "totp", "--user", "u0000001", "--label", "second", "--yes"},
		{"backup", "--recipient", recipient, home + "/backup.age"}, {"rekey"},
	}
}

func (b *bench) all(sizes []string) error {
	fmt.Fprintln(b.out, "| users | command | program | time, s | processor, s | memory, MiB |")
	fmt.Fprintln(b.out, "|---|---|---|---|---|---|")
	for _, dir := range []string{"/etc/latchkey", "/var/lib/latchkey"} {
		if os.Mkdir(dir, 0o755) == nil { // to mount others there
			defer os.Remove(dir)
		}
	}
	for _, size := range sizes {
		var err error
		if b.users, err = strconv.Atoi(size); err != nil {
			return err
		}
		if err := b.size(); err != nil {
			return err
		}
	}
	return nil
}

// size measures the programs with one number of users, each in folders of its own.
func (b *bench) size() error {
	var homes []string
	for i := range b.programs {
		home := filepath.Join(b.dir, fmt.Sprintf("%d-%d", b.users, i))
		if err := b.host(home); err != nil {
			return err
		}
		defer os.RemoveAll(home)
		homes = append(homes, home)
	}
	for n := range b.commands("") {
		for i, program := range b.programs {
			if err := b.measure(homes[i], program, b.commands(homes[i])[n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure runs one command, and writes its line of the table.
func (b *bench) measure(home, program string, args []string) error {
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-ec", mounts, home, program},
		args...)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) ||
		args[0] != "doctor") { // which finds no sshd that asks for codes
		return fmt.Errorf("%s %s: %v: %s", program, strings.Join(args, " "), err, errs.String())
	}
	use := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	_, err = fmt.Fprintf(b.out, "| %d | %s | %s | %.2f | %.2f | %d |\n", b.users,
		strings.Join(args[:min(2, len(args))], " "), filepath.Base(program), took.Seconds(),
		(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), use.Maxrss>>10)
	return err
}

// mounts has a program see the folders of a host in place of the machine's.
const mounts = `mount --make-rprivate /
for pair in etc:/etc/latchkey var:/var/lib/latchkey passwd:/etc/passwd group:/etc/group \
	nsswitch.conf:/etc/nsswitch.conf; do mount --bind "$0/${pair%%:*}" "${pair#*:}"; done
mount --bind "$0/crowd.so" "$(ls /lib/*/libnss_compat.so.2 /lib64/libnss_compat.so.2 2>/dev/null |
	head -n 1)"
exec "$@"`

//go:embed testdata/crowd.c
var crowd string

// host makes the folders and the name service of a host on which no one is enrolled.
func (b *bench) host(home string) error {
	var passwd, group, csv strings.Builder
	passwd.WriteString("root:x:0:0:root:/root:/bin/sh\n")
	group.WriteString("root:x:0:\n")
	csv.WriteString("user,type,secret\n")
	for n := range b.users {
		fmt.Fprintf(&csv, "u%07d,totp,JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n", n)
		if b.files {
			fmt.Fprintf(&passwd, "u%07d:x:%d:%[2]d::/:/bin/sh\n", n, 1_000_000+n)
			fmt.Fprintf(&group, "u%07d:x:%d:\n", n, 1_000_000+n)
		}
	}
	source := "files compat"
	if b.files {
		source = "files"
	}
	for _, dir := range []string{"/etc/users", "/var/users"} {
		if err := os.MkdirAll(home+dir, 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"passwd": passwd.String(), "group": group.String(),
		"users.csv": csv.String(), "crowd.c": crowd, "etc/latchkey.toml": "unenrolled = \"deny\"\n",
		"nsswitch.conf": "passwd: " + source + "\ngroup: files\n",
		"etc/crowd":     strconv.Itoa(b.users)} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	out, err := exec.Command("cc", "-shared", "-fPIC", "-O2", "-o", home+"/crowd.so",
		home+"/crowd.c").CombinedOutput()
	if err != nil {
		return fmt.Errorf("cc: %v: %s", err, out)
	}
	return nil
}
