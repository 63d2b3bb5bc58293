package doctor

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/enroll/plural"
	"latchkey/pam/safefile"
)

// programs are what make install lays out beside enroll.
var programs = []string{
	"/usr/libexec/latchkey/latchkey-login", "/usr/libexec/latchkey/latchkey-enroll",
	"/usr/libexec/latchkey/latchkey-twilio",
	"/usr/libexec/latchkey/latchkey-notify", "/usr/libexec/latchkey/latchkey-fleet",
}

// private are folders that only root may even list.
var private = []string{"/etc/latchkey/users", "/var/lib/latchkey", "/var/lib/latchkey/users"}

const reinstall = "install latchkey again"

// checkInstallation looks at what was installed: is it there, and can only root change it?
func (d Doctor) checkInstallation() []Finding {
	found := []Finding{d.checkModule()}
	for _, path := range programs {
		found = append(found, d.checkFile(path, unix.S_IXUSR))
	}
	found = append(found, d.checkFile("/usr/bin/enroll", unix.S_ISUID|unix.S_IXOTH))
	for _, path := range private {
		found = append(found, d.checkPrivate(path))
	}
	found = append(found, d.checkLeftovers()...)
	if d.phonesWanted() {
		found = append(found, checkAccount())
	}
	return found
}

// checkModule looks for the module beside libpam's own.
func (d Doctor) checkModule() Finding {
	var dirs []string
	for _, pattern := range pamd.Securities {
		// the patterns have no mistakes
		pams, _ := filepath.Glob(d.Root + pattern + "/pam_deny.so")
		for _, file := range pams {
			dirs = append(dirs, strings.TrimPrefix(filepath.Dir(file), d.Root))
		}
	}
	for _, dir := range dirs {
		if _, err := os.Lstat(d.Root + dir + "/pam_latchkey.so"); err == nil {
			return d.checkFile(dir+"/pam_latchkey.so", 0)
		}
	}
	return fault("pam_latchkey.so", fmt.Errorf("not where PAM's modules are (%s)",
		strings.Join(dirs, ", ")), reinstall)
}

// checkFile: a regular file that only root can write, with the mode bits it needs.
func (d Doctor) checkFile(path string, needs uint32) Finding {
	return verdict(path, checkInstalled(d.Root+path, needs), reinstall)
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

func (d Doctor) checkPrivate(path string) Finding {
	hint := "chown root:root " + path + "; chmod 0700 " + path
	dir, err := safefile.OpenDir(d.Root + path)
	if errors.As(err, new(*safefile.NoDirError)) {
		return fault(path, err, d.Remedy(err))
	}
	if err != nil {
		return fault(path, err, hint)
	}
	dir.Close()
	st, err := os.Stat(d.Root + path)
	if err == nil && st.Mode().Perm()&safefile.Private != 0 {
		err = fmt.Errorf("mode %04o gives others access", st.Mode().Perm())
	}
	return verdict(path, err, hint)
}

// old is the age at which a temporary file is left over: nothing writes one for longer than a
// moment.
const old = time.Minute

// checkLeftovers looks for temporary files of commands that were killed. They do no harm; the
// next command sweeps some.
func (d Doctor) checkLeftovers() []Finding {
	var found []Finding
	for _, dir := range private {
		names, err := filepath.Glob(d.Root + dir + "/.new-*")
		if err != nil {
			continue
		}
		count := 0
		for _, name := range names {
			if st, err := os.Lstat(name); err == nil && d.Clock().Sub(st.ModTime()) > old {
				count++
			}
		}
		if count > 0 {
			left := plural.Of(count, "temporary file") + " of commands that were killed"
			found = append(found, warning(dir, left, "rm "+dir+"/.new-*"))
		}
	}
	return found
}

// checkAccount looks for the account of the program that talks to Twilio. Without one, it runs with
// uid 65534, as other programs may.
func checkAccount() Finding {
	const check = "the account latchkey"
	_, err := user.Lookup("latchkey")
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		return warning(check, "there is none: latchkey-twilio runs with uid 65534",
			"adduser --system --group --no-create-home latchkey")
	}
	return verdict(check, err, "")
}
