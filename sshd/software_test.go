package sshd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// software is a program that logs in by SSH.
type software struct {
	name string // as packaging/doc/clients.md has it
	// run has it do something with a right or wrong code, and returns what it said and whether it
	// did it.
	run func(t *testing.T, s *suite.Server, u *suite.User, code string) (said string, done bool)
}

// throughSSH are programs that run OpenSSH's ssh, which here is the program at the path ssh.
var throughSSH = []struct {
	name string
	run  func(t *testing.T, u *suite.User, ssh string) (said string, done bool)
}{
	{"ssh", func(t *testing.T, u *suite.User, ssh string) (string, bool) {
		said, err := ran(t, nil, "", ssh, "host", "id", "-un")
		return said, err == nil && said == u.Name+"\n"
	}},
	{"scp", func(t *testing.T, _ *suite.User, ssh string) (string, bool) {
		copied := filepath.Join(t.TempDir(), "copy")
		said, err := ran(t, nil, "", "scp", "-q", "-S", ssh, "host:/etc/passwd", copied)
		return said, err == nil && exists(copied)
	}},
	{"sftp", func(t *testing.T, u *suite.User, ssh string) (string, bool) {
		said, err := ran(t, nil, "pwd\n", "sftp", "-q", "-S", ssh, "host")
		return said, err == nil && strings.Contains(said, "/home/"+u.Name)
	}},
	{"rsync", func(t *testing.T, _ *suite.User, ssh string) (string, bool) {
		copied := filepath.Join(t.TempDir(), "copy")
		said, err := ran(t, nil, "", "rsync", "-e", ssh, "host:/etc/passwd", copied)
		return said, err == nil && exists(copied)
	}},
	{"git", func(t *testing.T, u *suite.User, ssh string) (string, bool) {
		to := filepath.Join(t.TempDir(), "clone")
		env := []string{"GIT_SSH=" + ssh, "GIT_SSH_VARIANT=ssh"}
		said, err := ran(t, env, "", "git", "clone", "-q", "ssh://host/home/"+u.Name+"/repo", to)
		return said, err == nil && exists(to+"/.git/HEAD")
	}},
	{"sshfs", func(t *testing.T, u *suite.User, ssh string) (string, bool) {
		at := t.TempDir()
		said, err := ran(t, nil, "", "sshfs", "-o", "ssh_command="+ssh, "host:/home/"+u.Name, at)
		if err != nil {
			return said, false
		}
		defer ran(t, nil, "", "fusermount", "-u", at)
		return said, exists(at + "/repo/HEAD")
	}},
	{"mosh", func(t *testing.T, _ *suite.User, ssh string) (string, bool) {
		term, err := terminal.NewSized(80, 24, []string{
			"env", "LC_ALL=C.UTF-8", "mosh", "--ssh=" + ssh, "--experimental-remote-ip=remote",
			"--server=env LC_ALL=C.UTF-8 mosh-server", "host", "--", "/bin/sh", "-c",
			"echo in; read x",
		})
		must(t, err)
		defer term.Close()
		err = term.Expect(`in\s|Did not find|closed`)
		said := term.Seen()
		_ = term.Type("")
		return said, err == nil && regexp.MustCompile(`(?m)in\s`).MatchString(said) &&
			!strings.Contains(said, "Did not find")
	}},
}

// ran runs a program of this machine, bounded, and returns what it said.
func ran(t *testing.T, env []string, stdin string, argv ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("timeout", append([]string{"180"}, argv...)...)
	cmd.Env = append(append(os.Environ(), "HOME="+t.TempDir()), env...)
	cmd.Stdin = strings.NewReader(stdin)
	said, err := cmd.CombinedOutput()
	return string(said), err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// withRepository is a new account with an app and a repository that can be cloned.
func withRepository(t *testing.T, h *suite.Host) *suite.User {
	t.Helper()
	u := enrolled(t, h)
	script(t, h, "runuser -u "+u.Name+" -- git init -q --bare /home/"+u.Name+"/repo")
	return u
}

// fuse skips what mounts where that cannot be done.
func fuse(t *testing.T, name string) {
	t.Helper()
	if name == "sshfs" && !exists("/dev/fuse") {
		t.Skip("this machine has no /dev/fuse")
	}
}

// connection opens a connection that programs with the options it returns use.
func connection(t *testing.T, s *suite.Server, c suite.OpenSSH) (options []string) {
	t.Helper()
	short, err := os.MkdirTemp("", "m") // the path of a socket has at most 108 bytes
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(short) })
	c.Options = []string{
		"ControlMaster=auto", "ControlPath=" + short + "/%C", "ControlPersist=300",
	}
	master, err := s.Wrap(c, t.TempDir())
	must(t, err)
	if said, err := ran(t, nil, "", master.Path, "host", "true"); err != nil {
		t.Fatalf("the connection that others are to use: %v: %s\n%s", err, said,
			logOf(s.Host, c.User))
	}
	t.Cleanup(func() { _, _ = ran(t, nil, "", master.Path, "-O", "exit", "host") })
	return c.Options
}

func TestProgramsThatRunSSHAskForTheCodeOrUseAnOpenConnection(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := server(t, h, suite.PasswordAndCode)
		u := withRepository(t, h)
		silent := suite.OpenSSH{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}}
		silent.Options = connection(t, s, silent)
		silent.Password, silent.Codes = "", nil
		for _, p := range throughSSH {
			t.Run(p.name, func(t *testing.T) {
				fuse(t, p.name)
				over, err := s.Wrap(silent, t.TempDir())
				must(t, err)
				if said, done := p.run(t, u, over.Path); !done {
					t.Errorf("over the open connection: %q", said)
				}
				if n, err := over.CodePrompts(); err != nil || n != 0 {
					t.Errorf("over the open connection it asked %d times, %v", n, err)
				}
				v := withRepository(t, h)
				alone := suite.OpenSSH{
					User:     v.Name,
					Password: suite.Password,
					Codes:    v.WrongCodes()[:3],
				}
				wrong, err := s.Wrap(alone, t.TempDir())
				must(t, err)
				if said, done := p.run(t, v, wrong.Path); done {
					t.Errorf("with wrong codes it did its work: %q", said)
				}
				alone.Codes = []string{v.Code()}
				right, err := s.Wrap(alone, t.TempDir())
				must(t, err)
				if said, done := p.run(t, v, right.Path); !done {
					t.Errorf("with the right code: %q\n%s", said, logOf(h, v.Name))
				}
				if n, err := right.CodePrompts(); err != nil || n != 1 {
					t.Errorf("it asked %d times for a code, %v", n, err)
				}
			})
		}
	})
}

// ansible forbids its ssh to ask, so it needs a connection that is open.
func TestAnsibleUsesAnOpenConnectionAndIsDeniedWithoutOne(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		open := suite.OpenSSH{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}}
		ansible := func(ssh *suite.Wrapped) (string, error) {
			env := []string{
				"ANSIBLE_SSH_EXECUTABLE=" + ssh.Path, "ANSIBLE_SSH_ARGS=", "LC_ALL=C.UTF-8",
			}
			return ran(t, env, "", "ansible", "-i", "host,", "-u", u.Name, "-m", "raw", "-a",
				"id -un", "host")
		}
		denied, err := s.Wrap(open, t.TempDir())
		must(t, err)
		if said, err := ansible(denied); err == nil {
			t.Errorf("without a connection it was let in: %q", said)
		}
		open.Options = connection(t, s, open)
		open.Password, open.Codes = "", nil
		shared, err := s.Wrap(open, t.TempDir())
		must(t, err)
		if said, err := ansible(shared); err != nil ||
			!regexp.MustCompile(`(?m)^`+u.Name+`\r?$`).MatchString(said) {
			t.Errorf("over an open connection: %q, %v", said, err)
		}
	})
}

// alone are programs with SSH of their own.
var alone = []software{
	{"paramiko", python("with_paramiko.py")},
	{"asyncssh", python("with_asyncssh.py")},
	{"expect", func(t *testing.T, s *suite.Server, u *suite.User, code string) (string, bool) {
		argv := append([]string{
			"expect", "-f", "testdata/clients/expect.exp", code, suite.Password,
		},
			s.Command(suite.OpenSSH{User: u.Name}, "host", "id", "-un")...)
		said, _ := ran(t, nil, "", argv...)
		return said, regexp.MustCompile(`(?m)^` + u.Name + `\r?$`).MatchString(said)
	}},
	{"PuTTY's plink",
		func(t *testing.T, s *suite.Server, u *suite.User, code string) (string, bool) {
			return conversation(t, code, u.Name, "plink", "-ssh", "-no-antispoof", "-hostkey",
				s.Fingerprint(),
				"-P", fmt.Sprint(s.Port), "-l", u.Name, "127.0.0.1", "id -un")
		}},
	{"dropbear's dbclient",
		func(t *testing.T, s *suite.Server, u *suite.User, code string) (string, bool) {
			return conversation(t, code, u.Name, "dbclient", "-y", "-p", fmt.Sprint(s.Port),
				"-l", u.Name,
				"127.0.0.1", "id -un")
		}},
}

// conversation types password and code into a program on a terminal that prints the user's name.
func conversation(t *testing.T, code, name string, argv ...string) (string, bool) {
	t.Helper()
	term, err := terminal.New(append([]string{"env", "HOME=" + t.TempDir()}, argv...))
	must(t, err)
	defer term.Close()
	typed(t, term, `Password: `, suite.Password)
	typed(t, term, `Verification code: `, code)
	err = term.Expect(`\n` + name + `\r?\n|Not accepted`)
	return term.Seen(), err == nil && !strings.Contains(term.Seen(), "Not accepted")
}

func python(file string) func(*testing.T, *suite.Server, *suite.User, string) (string, bool) {
	return func(t *testing.T, s *suite.Server, u *suite.User, code string) (string, bool) {
		said, err := ran(t, nil, suite.Password+"\n"+code+"\n", "/usr/bin/python3", "-W", "ignore",
			"testdata/clients/"+file,
			"127.0.0.1", fmt.Sprint(s.Port), u.Name)
		return said, err == nil && said == u.Name+"\n"
	}
}

func TestProgramsWithSSHOfTheirOwnGiveTheCode(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := server(t, h, suite.PasswordAndCode)
		for _, p := range alone {
			t.Run(p.name, func(t *testing.T) {
				u := enrolled(t, h)
				if said, done := p.run(t, s, u, u.WrongCodes()[0]); done {
					t.Errorf("with a wrong code it was let in: %q", said)
				}
				if said, done := p.run(t, s, u, u.Code()); !done {
					t.Errorf("with the right code: %q\n%s", said, logOf(h, u.Name))
				}
			})
		}
	})
}

// cannot are programs that send one saved password for every question.
var cannot = []software{
	{"paramiko's SSHClient", python("with_sshclient.py")},
	{"curl", func(t *testing.T, s *suite.Server, u *suite.User, _ string) (string, bool) {
		said, err := ran(t, nil, "", "curl", "-sS", "--insecure", "-u", u.Name+":"+suite.Password,
			"sftp://"+s.Addr()+"/etc/passwd")
		return said, err == nil
	}},
	{"rclone", func(t *testing.T, s *suite.Server, u *suite.User, _ string) (string, bool) {
		hidden, err := ran(t, nil, "", "rclone", "obscure", suite.Password)
		must(t, err)
		said, err := ran(t, []string{"RCLONE_CONFIG=/dev/null"}, "", "rclone", "lsf",
			"--low-level-retries=1",
			"--retries=1", "--contimeout=20s", "--sftp-host=127.0.0.1",
			"--sftp-port="+fmt.Sprint(s.Port),
			"--sftp-user="+u.Name, "--sftp-pass="+strings.TrimSpace(hidden), ":sftp:/")
		return said, err == nil
	}},
}

// FAULTS 38: they are denied, and what they send counts as no guess.
func TestProgramsWithOneSavedPasswordAreDeniedAndLockNoOneOut(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := server(t, h, suite.PasswordAndCode)
		for _, p := range cannot {
			t.Run(p.name, func(t *testing.T) {
				u := enrolled(t, h)
				for range 12 { // failures = "10/10m"
					if said, done := p.run(t, s, u, ""); done {
						t.Fatalf("it was let in: %q", said)
					}
				}
				allowed(t, s,
					suite.Attempt{
						User:     u.Name,
						Password: suite.Password,
						Codes:    []string{u.Code()},
					})
			})
		}
	})
}

// The page says which programs were run: these, and no others.
func TestThePageForClientsSaysWhichOnesAreRun(t *testing.T) {
	page, err := os.ReadFile("../packaging/doc/clients.md")
	must(t, err)
	var said, run []string
	for _, m := range regexp.MustCompile(
		`(?m)^\| ([^|]+) \|.*\| yes \|$`).FindAllStringSubmatch(string(page), -1) {
		said = append(said, m[1])
	}
	for _, p := range throughSSH {
		run = append(run, p.name)
	}
	for _, p := range slices.Concat(alone, cannot) {
		run = append(run, p.name)
	}
	run = append(run, "ansible")
	slices.Sort(said)
	slices.Sort(run)
	if !slices.Equal(said, run) {
		t.Errorf("the page says that these are run: %q; they are %q", said, run)
	}
}
