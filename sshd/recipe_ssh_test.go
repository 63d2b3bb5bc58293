package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// login is one attempt of a new, enrolled user to run a command by OpenSSH's client.
type login struct {
	name   string
	client suite.OpenSSH // without user and codes
	codes  func(u *suite.User) []string
	in     bool
	asked  bool // for a code
}

// What is typed where a code is asked for.
var (
	noCode    = func(*suite.User) []string { return nil }
	rightCode = func(u *suite.User) []string { return []string{u.Code()} }
	wrongCode = func(u *suite.User) []string { return u.WrongCodes()[:3] }
)

// What a client has.
var (
	withKey      = suite.OpenSSH{Key: true}
	withPassword = suite.OpenSSH{Password: suite.Password}
	withWrong    = suite.OpenSSH{Password: "not it"}
	withNothing  = suite.OpenSSH{}
	keyAlone     = suite.OpenSSH{Key: true, Methods: "publickey"}
	oldPassword  = suite.OpenSSH{Password: suite.Password, Methods: "password"}
)

// from returns the client at another address of this machine.
func from(address string, c suite.OpenSSH) suite.OpenSSH {
	c.Options = append([]string{"BindAddress=" + address}, c.Options...)
	return c
}

// own starts Debian's own sshd, with options as for its -o.
func (h *recipeHost) own(t *testing.T, options ...string) *suite.Server {
	t.Helper()
	if len(options) == 0 {
		h.healthy(t, "")
	}
	s, err := h.Own(options...)
	must(t, err)
	t.Cleanup(s.Stop)
	return s
}

// try makes the logins in parallel.
func (h *recipeHost) try(t *testing.T, s *suite.Server, logins ...login) {
	for _, l := range logins {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			l.try(t, s, enrolled(t, h.Host))
		})
	}
}

// try makes the login.
func (l login) try(t *testing.T, s *suite.Server, u *suite.User) {
	t.Helper()
	l.client.User, l.client.Codes = u.Name, l.codes(u)
	run := client(t, s, "ssh", l.client, "host", "id", "-un")
	if in := run.Exit == 0 && run.Stdout == u.Name+"\n"; in != l.in || in != (run.Exit == 0) {
		t.Errorf("in: %v, not %v: %+v\n%s", in, l.in, run, logOf(s.Host, u.Name))
	}
	if asked := run.CodePrompts(); (asked > 0) != l.asked || l.in && asked > 1 {
		t.Errorf("asked for a code %d times: %q", asked, run.Prompts)
	}
}

// every checks that commands, scp and sftp each ask for a code, and for a different one each time.
func (h *recipeHost) every(t *testing.T, s *suite.Server, c suite.OpenSSH) {
	for i, use := range uses[:3] {
		t.Run(use.name, func(t *testing.T) {
			t.Parallel()
			u, c := enrolled(t, h.Host), c
			c.User, c.Codes = u.Name, nil
			if run, done := use.run(t, s, c); done || run.Exit == 0 || run.CodePrompts() == 0 {
				t.Errorf("without a code: done=%v %+v", done, run)
			}
			c.Codes = []string{u.Code()}
			if run, done := use.run(t, s, c); !done || run.CodePrompts() != 1 {
				t.Errorf("with the right code: done=%v %+v\n%s", done, run, logOf(h.Host, u.Name))
			}
			if i > 0 {
				return
			}
			if run, done := use.run(t, s, c); done || run.Exit == 0 {
				t.Errorf("with the same code again: done=%v %+v", done, run)
			}
		})
	}
}

// rootIsOut checks that Debian lets root in by a key alone or not at all, and that this has not
// changed.
func (h *recipeHost) rootIsOut(t *testing.T, s *suite.Server, c suite.OpenSSH) {
	t.Run("root", func(t *testing.T) {
		t.Parallel()
		c.User, c.Codes = "root", rightCode(h.root)
		if run := client(t, s, "ssh", c, "host", "id", "-un"); run.Exit == 0 {
			t.Errorf("root is in: %+v", run)
		}
	})
}

func passwordAndCode(t *testing.T, h *recipeHost) {
	script(t, h.Host,
		"echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/50-cloud-init.conf")
	s := h.own(t)
	h.try(t, s,
		login{"password and code", withPassword, rightCode, true, true},
		login{"password and a wrong code", withPassword, wrongCode, false, true},
		login{"password without a code", withPassword, noCode, false, true},
		login{"a wrong password", withWrong, rightCode, false, false},
		login{"key alone", keyAlone, rightCode, false, false},
		login{"key and code", withKey, rightCode, false, false},
		login{"sshd's older method for passwords", oldPassword, rightCode, false, false},
	)
	h.every(t, s, withPassword)
	h.rootIsOut(t, s, withPassword)
}

func keyAndCode(t *testing.T, h *recipeHost) {
	s := h.own(t)
	h.try(t, s,
		login{"key and code", withKey, rightCode, true, true},
		login{"key and a wrong code", withKey, wrongCode, false, true},
		login{"key without a code", withKey, noCode, false, true},
		login{"key alone", keyAlone, rightCode, false, false},
		login{"code without a key", withNothing, rightCode, false, false},
		login{"password and code", withPassword, rightCode, false, false},
		login{"sshd's older method for passwords", oldPassword, rightCode, false, false},
	)
	h.every(t, s, withKey)
	h.rootIsOut(t, s, withKey)
	codeAloneIsNothing(t, h)
}

// codeAloneIsNothing checks that where sshd, by some mistake in its files, asks PAM first, PAM's
// file still asks for a key.
func codeAloneIsNothing(t *testing.T, h *recipeHost) {
	careless := h.own(t, "AuthenticationMethods=any")
	h.try(t, careless,
		login{"code alone where sshd wants no key", withPassword, rightCode, false, false})
}

func keyOrPasswordAndCode(t *testing.T, h *recipeHost) {
	s := h.own(t)
	h.try(t, s,
		login{"key and code", suite.OpenSSH{Key: true, Password: "not it"}, rightCode, true, true},
		login{"password and code", withPassword, rightCode, true, true},
		login{"key and a wrong code", withKey, wrongCode, false, true},
		login{"key without a code", withKey, noCode, false, true},
		login{"key alone", keyAlone, rightCode, false, false},
		login{"password and a wrong code", withPassword, wrongCode, false, true},
		login{"password without a code", withPassword, noCode, false, true},
		login{"a wrong password", withWrong, rightCode, false, false},
		login{"sshd's older method for passwords", oldPassword, rightCode, false, false},
	)
	t.Run("a stranger's key and a wrong password", func(t *testing.T) {
		t.Parallel()
		u := enrolled(t, h.Host)
		o := denied(t, s, suite.Attempt{
			User:     u.Name,
			Key:      shared.Stranger,
			Password: "not it",
			Codes:    rightCode(u),
		})
		if o.CodePrompts() != 0 {
			t.Errorf("asked for a code: %q", o.Prompts)
		}
	})
	h.every(t, s, withKey)
	h.rootIsOut(t, s, withKey)
}

// Addresses of this machine, which stand for those in the recipes' policies.
const (
	network = "127.0.0.0/28"
	office  = "127.0.0.10"
	jump    = "127.0.0.9"
	named   = "127.0.0.1" // the name service has a name for it: localhost
	outside = "127.0.0.33"
)

func keyFromOneNetwork(t *testing.T, h *recipeHost) {
	h.replace(t, "192.0.2.0/24", network)
	h.replace(t, "192.0.2.1", jump)
	s := h.own(t)
	h.try(t, s,
		login{"key from the network", from(office, withKey), noCode, true, false}, login{
			"password and code from the network", from(office, withPassword), rightCode, false,
			false,
		},
		login{"key from the jump host", from(jump, withKey), noCode, false, true},
		login{"key and code from the jump host", from(jump, withKey), rightCode, true, true},
		login{"key and code from elsewhere", from(outside, withKey), rightCode, true, true}, login{
			"key and a wrong code from elsewhere", from(outside, withKey), wrongCode, false, true,
		},
		login{"key without a code from elsewhere", from(outside, withKey), noCode, false, true},
		login{"key alone from elsewhere", from(outside, keyAlone), rightCode, false, false}, login{
			"password and code from elsewhere", from(outside, withPassword), rightCode, false,
			false,
		},
	)
	h.every(t, s, from(outside, withKey))
	codeAloneIsNothing(t, h)
	h.try(t, s, login{
		"key from an address that has a name", from(named, withKey), noCode, true, false,
	})
	h.try(t, h.own(t, "UseDNS=yes"),
		login{"key from a name", from(named, withKey), noCode, false, true})
	t.Run("it is in the log", func(t *testing.T) {
		t.Parallel()
		u := enrolled(t, h.Host)
		login{"", from(office, withKey), noCode, true, false}.try(t, s, u)
		audited(t, h.Host, u.Name, 1, "verdict=allow", "reason=exempt", "method=none",
			`from="`+office+`"`)
	})
}

// replace puts another address into latchkey.toml, as the pages say, in place of the one that
// occurs there once.
func (h *recipeHost) replace(t *testing.T, old, address string) {
	t.Helper()
	const file = "/etc/latchkey/latchkey.toml"
	text, err := h.Exec("", "/bin/cat", file)
	must(t, err)
	if n := strings.Count(text, `"`+old+`"`); n != 1 {
		t.Fatalf("%s is there %d times: %s", old, n, text)
	}
	script(t, h.Host, `sed -i 's|"`+old+`"|"`+address+`"|' `+file)
}
