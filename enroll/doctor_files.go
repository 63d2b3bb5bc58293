package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// programs are what make install lays out beside enroll.
var programs = []string{
	"/usr/libexec/latchkey/latchkey-login", "/usr/libexec/latchkey/latchkey-enroll", "/usr/libexec/latchkey/latchkey-twilio",
}

// private are folders that nobody but root may even list.
var private = []string{"/etc/latchkey/users", "/var/lib/latchkey", "/var/lib/latchkey/users"}

// securities are where libpam may look for modules, by distribution.
var securities = []string{
	"/usr/lib/*/security", "/usr/lib64/security", "/usr/lib/security", "/lib/*/security", "/lib64/security", "/lib/security",
}

const reinstall = "install latchkey anew"

// checkInstallation looks at what was installed: is it there, and can only root change it?
func (p *program) checkInstallation() []finding {
	found := []finding{p.checkModule()}
	for _, path := range programs {
		found = append(found, p.checkFile(path, unix.S_IXUSR))
	}
	found = append(found, p.checkFile("/usr/bin/enroll", unix.S_ISUID|unix.S_IXOTH))
	for _, path := range private {
		found = append(found, p.checkPrivate(path))
	}
	found = append(found, p.checkLeftovers()...)
	if p.phonesWanted() {
		found = append(found, checkAccount())
	}
	return found
}

// checkModule looks for the module beside libpam's own.
func (p *program) checkModule() finding {
	var dirs []string
	for _, pattern := range securities {
		own, _ := filepath.Glob(p.root + pattern + "/pam_deny.so") // the patterns have no mistakes
		for _, file := range own {
			dirs = append(dirs, strings.TrimPrefix(filepath.Dir(file), p.root))
		}
	}
	for _, dir := range dirs {
		if _, err := os.Lstat(p.root + dir + "/pam_latchkey.so"); err == nil {
			return p.checkFile(dir+"/pam_latchkey.so", 0)
		}
	}
	return fault("pam_latchkey.so", fmt.Errorf("not where PAM's modules are (%s)", strings.Join(dirs, ", ")), reinstall)
}

// checkFile: a regular file that only root can write, with the mode bits it needs.
func (p *program) checkFile(path string, needs uint32) finding {
	return verdict(path, checkInstalled(p.root+path, needs), reinstall)
}

func checkInstalled(path string, needs uint32) error {
	dir, err := safefile.OpenDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	f, err := dir.Open(filepath.Base(path), unix.O_RDONLY, safefile.NotWritable)
	if err != nil {
		return err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if st.Mode&needs != needs {
		return fmt.Errorf("mode %04o lacks %04o", st.Mode&0o7777, needs&^st.Mode)
	}
	return nil
}

func (p *program) checkPrivate(path string) finding {
	hint := "chown root:root " + path + "; chmod 0700 " + path
	dir, err := safefile.OpenDir(p.root + path)
	if err != nil {
		return fault(path, err, hint)
	}
	dir.Close()
	st, err := os.Stat(p.root + path)
	if err == nil && st.Mode().Perm()&safefile.Private != 0 {
		err = fmt.Errorf("mode %04o gives others access", st.Mode().Perm())
	}
	return verdict(path, err, hint)
}

// old is the age at which a temporary file is left over: nothing writes one for longer than a moment.
const old = time.Minute

// checkLeftovers looks for temporary files of commands that were killed. They harm nobody; the next command sweeps some.
func (p *program) checkLeftovers() []finding {
	var found []finding
	for _, dir := range private {
		names, err := filepath.Glob(p.root + dir + "/.new-*")
		if err != nil {
			continue
		}
		count := 0
		for _, name := range names {
			if st, err := os.Lstat(name); err == nil && p.clock().Sub(st.ModTime()) > old {
				count++
			}
		}
		if count > 0 {
			left := fmt.Sprintf("%d temporary files of commands that were killed", count)
			found = append(found, warning(dir, left, "rm "+dir+"/.new-*"))
		}
	}
	return found
}

// checkAccount: without an account of its own what talks to Twilio runs as nobody, as other programs may.
func checkAccount() finding {
	const check = "the account latchkey"
	_, err := user.Lookup("latchkey")
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		return warning(check, "there is none: what talks to Twilio runs as nobody",
			"adduser --system --group --no-create-home latchkey")
	}
	return verdict(check, err, "")
}

// mostProblems is how many records are named; more would hide the other checks.
const mostProblems = 10

// checkRecords reads every record and its state, as a login does, and the host key.
func (p *program) checkRecords() []finding {
	const records = "/etc/latchkey/users"
	names, err := p.keyring.Records.Names()
	if err != nil {
		return []finding{fault(records, err, "")}
	}
	if len(names) == 0 {
		return []finding{{records, fine, "nobody is enrolled yet", ""}, p.checkUnusedKey()}
	}
	var found []finding
	bad := 0
	for _, name := range names {
		err := p.checkRecord(name)
		if err == nil {
			continue
		}
		if bad++; bad <= mostProblems {
			found = append(found, fault(records+"/"+name, err, remedy(name, err)))
		}
	}
	if bad > mostProblems {
		found = append(found, fault(records, fmt.Errorf("%d more records cannot be used", bad-mostProblems), "enroll list"))
	}
	if bad == 0 {
		found = append(found, finding{records, fine, fmt.Sprintf("%d records and their states can be used", len(names)), ""})
	}
	return found
}

func remedy(name string, err error) string {
	if f := (*failure)(nil); errors.As(hinted(err, options{}), &f) && f.hint != "" {
		return f.hint
	}
	return "their logins are denied; root can start anew with: enroll reset " + name
}

func (p *program) checkRecord(name string) error {
	who, err := lookUp(name)
	if err == nil {
		_, _, err = p.keyring.View(who.name, who.uid)
	}
	if errors.Is(err, factor.ErrUnenrolled) {
		return nil // removed since its name was read
	}
	return err
}

// checkUnusedKey: without a record the key is not needed yet, but one that is damaged would seal none.
func (p *program) checkUnusedKey() finding {
	const key = "/var/lib/latchkey/key"
	err := p.keyring.Records.CheckKey()
	if errors.Is(err, record.ErrNoKey) {
		return finding{key, fine, "made with the first record", ""}
	}
	return verdict(key, err, "restore it from a backup; while nobody is enrolled it may also be removed")
}
