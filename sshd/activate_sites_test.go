package sshd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"latchkey/sshd/suite"
)

// sites are hosts' configurations that were not written here: distributions' own, and those of
// public guides. The plans for them are compared with diffs where they are.
const sites = "../enroll/activate/plan/testdata/*.txtar"

// unwilling are the configurations that activate refuses, by what it says.
var unwilling = map[string]string{
	"no-password":   "no line asks for a password",
	"debian-google": "asks for a code already",
}

// byHand are those in which sshd asks for the password and a code already.
var byHand = map[string]bool{"debian-recipe": true, "debian-profile": true}

// FAULTS 10: each configuration is activated, logged in with, and deactivated, byte for byte as it
// was before. Every other one is tried on each distribution.
func TestConfigurationsOfOthersAreActivatedLoggedInWithAndDeactivated(t *testing.T) {
	files, err := filepath.Glob(sites)
	must(t, err)
	if len(files) < 20 {
		t.Fatalf("%d configurations, want at least 20", len(files))
	}
	t.Parallel()
	for half, d := range suite.Distributions {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.done("cp -a /etc/pam.d /etc/ssh /root/; groupadd -f ssh; usermod -aG ssh alice\n" +
				"mkdir -m 700 ~alice/.ssh; cp /suite/user_key.pub ~alice/.ssh/authorized_keys")
			for i, file := range files {
				if i%len(suite.Distributions) != half {
					continue
				}
				name := strings.TrimSuffix(filepath.Base(file), ".txtar")
				t.Run(name, func(t *testing.T) {
					archive, err := txtar.ParseFile(file)
					must(t, err)
					one := &site{t: t, Host: s.Host, alice: s.alice}
					one.lay(archive)
					one.try(name, i)
				})
			}
		})
	}
}

// lay puts a configuration in place of the distribution's. What is not in it stays away, but for
// enroll's own service, which asks as the others do.
func (s *site) lay(a *txtar.Archive) {
	s.t.Helper()
	s.types("enroll deactivate") // of a configuration that failed
	s.done("enroll reset alice; rm -rf /run/faillock")
	must(s.t, s.alice.Enroll())
	s.done(`rm -rf /etc/pam.d /etc/ssh/sshd_config /etc/ssh/sshd_config.d /usr/lib/pam.d
mkdir -p /etc/pam.d /etc/ssh/sshd_config.d /usr/lib/pam.d`)
	asks := "auth required pam_unix.so\naccount required pam_unix.so\n"
	for _, f := range a.Files {
		s.put("/"+f.Name, here.Replace(hostKeys.ReplaceAllString(string(f.Data), "")))
		switch filepath.Base(f.Name) {
		case "common-auth":
			asks = "auth include common-auth\naccount include common-account\n"
		case "system-auth":
			asks = "auth include system-auth\naccount include system-auth\n"
		}
	}
	s.put("/etc/pam.d/enroll", asks)
	s.before = s.configuration()
	s.start()
}

// hostKeys are lines of sshd_config that are left out: clients know the key of the suite alone.
var hostKeys = regexp.MustCompile(`(?m)^HostKey .*\n`)

// here saves time: PAM's modules wait two seconds after a wrong password, and so after a wrong
// code.
var here = strings.NewReplacer("pam_unix.so", "pam_unix.so nodelay", "delay=2000000", "delay=0")

func (s *site) put(path, text string) {
	s.t.Helper()
	to := s.Path(path)
	must(s.t, os.MkdirAll(filepath.Dir(to), 0o755))
	must(s.t, os.WriteFile(to, []byte(text), 0o644))
}

// try activates what the configuration allows: password and code always, and one of the others.
func (s *site) try(name string, i int) {
	s.t.Helper()
	if says := unwilling[name]; says != "" {
		s.refused("enroll activate --yes", says, "hint: ")
		s.unchanged()
		return
	}
	if byHand[name] {
		s.done("enroll activate --stack password+code --yes")
		s.withPassword()
		s.refused("enroll deactivate; enroll activate --stack key+code --yes",
			"asks for codes already")
		s.unchanged()
		return
	}
	s.done("enroll activate --yes" + s.others())
	s.withPassword()
	denied(s.t, s.sshd, suite.Attempt{User: "alice", Key: shared.Key})
	s.done("enroll deactivate")
	s.unchanged()
	if i%2 == 0 {
		s.done("enroll activate --yes --stack key+code")
		s.withKey()
		denied(s.t, s.sshd, withCode(s.code()))
	} else {
		s.done("enroll activate --yes --stack key-or-password+code")
		s.withKey()
		s.withPassword()
	}
	s.done("enroll deactivate")
	s.unchanged()
}

// others are the services beside sshd that the configuration has.
func (s *site) others() string {
	var names []string
	for _, name := range []string{"sudo", "su", "login"} {
		if _, err := s.Script("ls /etc/pam.d/" + name + " || ls /usr/lib/pam.d/" + name); err == nil {
			names = append(names, name)
		}
	}
	if names == nil {
		return ""
	}
	return " --service " + strings.Join(names, ",")
}

// code is one that root gives out: an app has only one each half minute.
func (s *site) code() string {
	s.t.Helper()
	out, err := s.Exec("", "/usr/bin/enroll", "bypass", "alice", "--for", "1h", "--json")
	must(s.t, err)
	var given struct{ Code string }
	must(s.t, json.Unmarshal([]byte(out), &given))
	return given.Code
}

// withPassword checks that the password alone is not enough, and that no code is asked for, nor
// does one help, without it.
func (s *site) withPassword() {
	s.t.Helper()
	allowed(s.t, s.sshd, withCode(s.code())).Close()
	denied(s.t, s.sshd, withCode(s.alice.WrongCode()))
	wrong := withCode(s.code())
	wrong.Password = "not it"
	if o := denied(s.t, s.sshd, wrong); o.CodePrompts() != 0 {
		s.t.Errorf("a code was asked for after a wrong password: %q", o.Prompts)
	}
	s.done("rm -rf /run/faillock")
}

// withKey checks that a key and a code are enough, and a key alone is not.
func (s *site) withKey() {
	s.t.Helper()
	key := suite.Attempt{User: "alice", Key: shared.Key, Codes: []string{s.code()}}
	o := allowed(s.t, s.sshd, key)
	if o.Close(); len(o.Prompts) != 1 {
		s.t.Errorf("it asks %q, want a code alone", o.Prompts)
	}
	key.Codes = []string{s.alice.WrongCode()}
	denied(s.t, s.sshd, key)
}

func (s *site) unchanged() {
	s.t.Helper()
	if got := s.configuration(); got != s.before {
		s.t.Errorf("got\n%s\nwant\n%s", got, s.before)
	}
}
