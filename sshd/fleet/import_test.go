package fleet_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/sshd/fleet"
	"latchkey/sshd/fleet/cluster"
	"latchkey/sshd/suite"
	"latchkey/sshd/suite/app"
)

// newcomers are users of other modules on the first of two hosts of a fleet.
type newcomers struct {
	*testing.T
	*fleet.Fleet
	a, b *fleet.Host
}

// imports imports files on the first host, and demands what is said of a user.
func (n newcomers) imports(files, user, want string) {
	n.Helper()
	said, err := n.a.Script("enroll import " + files + " || :")
	must(n.T, err)
	if line := user + ": " + want; !strings.Contains(said, line) {
		n.Errorf("import %s: got %q, want %q", files, said, line)
	}
}

// google writes a user's file of google-authenticator, with more lines than the secret's.
func (n newcomers) google(u *suite.User, lines ...string) (file string) {
	n.Helper()
	file = "/home/" + u.Name + "/.google_authenticator"
	_, err := n.a.Script(fmt.Sprintf("set -e\numask 077\ncat >%s <<'END'\n%s\n%s\nEND\n"+
		"chown %d:%d %s\n", file, u.Secret, strings.Join(lines, "\n"), u.UID, u.UID, file))
	must(n.T, err)
	return file
}

// lets demands that a code lets a user in, or what the user sees instead.
func (n newcomers) lets(h *fleet.Host, user, code, sees string) {
	n.Helper()
	shown, in := see(n.T, h, user, code)
	shown = strings.Join(strings.Fields(shown), " ")
	if in != (sees == "") || !strings.Contains(shown, sees) {
		n.Errorf("%s on %s: got in %v, %q; want %q", user, h.Name, in, shown, sees)
	}
}

// refused is what users see of a code that is not accepted, whatever is said of it: that depends on
// how much time has passed.
const refused = "Verification code:"

// Users of google-authenticator and pam_oath on one host, imported there, log in on the other. What
// the other module has accepted, or a host of the fleet has, is accepted nowhere again.
func TestUsersOfOtherModulesImportedOnOneHostLogInOnAnother(t *testing.T) {
	t.Parallel()
	f := start(t, fleet.Options{Services: 1, Etcd: cluster.Options{Nodes: 1}})
	n := newcomers{t, f, f.Hosts[0], f.Hosts[1]}
	t.Run("google-authenticator", n.fromGoogle)
	t.Run("pam_oath", n.fromOath)
	t.Run("enrolled already", n.enrolledAlready)
	t.Run("without the role", n.withoutTheRole)
}

func (n newcomers) user(t *testing.T, name string) (newcomers, *suite.User) {
	t.Helper()
	u, err := n.User(name)
	must(t, err)
	u.Secret, n.T = app.NewSecret(), t
	return n, u
}

func (n newcomers) fromGoogle(t *testing.T) {
	n, u := n.user(t, "gina")
	file := n.google(u, `" DISALLOW_REUSE`, `" TOTP_AUTH`, "12345678", "23456789")
	n.imports(file, "gina", `imported: totp "google", 2 recovery codes`)
	code := u.Code()
	n.lets(n.b, u.Name, code, "")
	n.lets(n.a, u.Name, code, prompt.UsedBefore)
	n.lets(n.b, u.Name, "12345678", "")
	n.imports(file, "gina", "already there, unchanged")
	n.imports("--replace "+file, "gina", "already there, unchanged")
	n.lets(n.b, u.Name, code, refused)
	n.lets(n.a, u.Name, "12345678", prompt.UsedRecovery)
	// The other module, which still asks on another host, has used up all codes of some minutes.
	step := time.Now().Unix()/30 + 10
	n.google(u, fmt.Sprintf(`" DISALLOW_REUSE %d`, step), `" TOTP_AUTH`, "23456789")
	n.imports(file, "gina", "already there; codes that were used elsewhere")
	n.lets(n.b, u.Name, u.Code(), prompt.UsedBefore)
	n.lets(n.b, u.Name, "23456789", "")
}

func (n newcomers) fromOath(t *testing.T) {
	n, u := n.user(t, "olaf")
	n, otto := n.user(t, "otto")
	secret, err := app.Bytes(u.Secret)
	must(t, err)
	token := record.Device{Type: method.HOTP, Secret: secret, Algorithm: "SHA1", Digits: 6}
	pressed := func(counter uint64) string {
		code, err := oath.Code(&token, counter)
		must(t, err)
		return code
	}
	now := time.Now()
	other, err := app.Bytes(otto.Secret)
	must(t, err)
	write := func(counter int) {
		_, err := n.a.Script(fmt.Sprintf("umask 077\ncat >/etc/users.oath <<'END'\n"+
			"HOTP\t%s\t-\t%x\t%d\nHOTP/T30/6\t%s\t-\t%x\t0\t%s\t%s\nEND\n", u.Name, secret, counter,
			otto.Name, other, app.Code(otto.Secret, now), now.Format("2006-01-02T15:04:05L")))
		must(t, err)
	}
	write(3)
	n.imports("/etc/users.oath", "olaf", `imported: hotp "oath"`)
	n.imports("/etc/users.oath", "otto", "already there, unchanged")
	n.lets(n.b, otto.Name, app.Code(otto.Secret, now), refused)
	n.lets(n.b, u.Name, pressed(3), "")
	n.lets(n.a, u.Name, pressed(3), prompt.UsedBefore)
	write(6)
	n.imports("/etc/users.oath", "olaf", "already there; codes that were used elsewhere")
	n.lets(n.b, u.Name, pressed(5), prompt.UsedBefore)
	n.lets(n.a, u.Name, pressed(6), "")
}

func (n newcomers) enrolledAlready(t *testing.T) {
	n, u := n.user(t, "ella")
	must(t, n.Seed(u))
	has := u.Secret
	u.Secret = app.NewSecret()
	file := n.google(u, `" DISALLOW_REUSE`, `" TOTP_AUTH`)
	n.imports(file, "ella", "has a second factor already; not touched")
	n.lets(n.b, u.Name, u.Code(), prompt.NotAccepted)
	n.lets(n.b, u.Name, app.Code(has, time.Now()), "")
	n.imports("--replace "+file, "ella", "replaced: totp")
	n.lets(n.b, u.Name, app.Code(has, time.Now().Add(app.Step)), prompt.NotAccepted)
	n.lets(n.b, u.Name, u.Code(), "")
}

func (n newcomers) withoutTheRole(t *testing.T) {
	n, u := n.user(t, "vera")
	file := n.google(u, `" DISALLOW_REUSE`, `" TOTP_AUTH`)
	_, err := n.Services[0].Command("", "host", "role", n.a.Name, "verify,enroll")
	must(t, err)
	n.imports(file, "vera", "not imported: role: ")
	n.lets(n.b, u.Name, u.Code(), prompt.NotSetUp)
}
