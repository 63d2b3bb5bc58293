package doctor

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"latchkey/enroll/doctor/server"
	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/stack"
	"latchkey/pam/flow"
	"latchkey/pam/policy"
)

// enough is how many seconds a first login should have: an app has to be found and installed, a
// secret typed in, and ten recovery codes written down.
const enough = 600

// grace is an sshd that ends logins too early for that.
type grace struct {
	place   string
	seconds int
}

// tooShort is what one sshd says of its LoginGraceTime; false if that is enough. 0 is no limit.
func (d Doctor) tooShort(s server.Server, answer string) (grace, bool) {
	seconds, err := strconv.Atoi(answer)
	if err != nil || seconds == 0 || seconds >= enough {
		return grace{}, false
	}
	g := grace{s.Label(), seconds}
	if file, err := config.Read(d.Root, s.File); err == nil {
		is := func(c *config.Setting) bool { return c.Keyword == "logingracetime" }
		if at := slices.IndexFunc(file.Settings, is); at >= 0 {
			g.place = file.Settings[at].Place()
		}
	}
	return g, true
}

// checkGrace finds an sshd, and a login(1), that end a login while its user enrolls in it. sshd
// then closes the connection without a word, and nothing is saved.
func (d Doctor) checkGrace(s sshdReport) []Finding {
	var found []Finding
	if d.enrollsInside(s.services...) {
		for _, g := range s.graces {
			text := fmt.Sprintf("users enroll inside their first login, and sshd ends it "+
				"after %d seconds", g.seconds)
			found = append(found, warning(g.place, text,
				"write in sshd_config: LoginGraceTime "+strconv.Itoa(enough)))
		}
	}
	if seconds := d.loginTimeout(); seconds > 0 && seconds < enough && d.enrollsInside("login") {
		text := fmt.Sprintf("users enroll inside their first login, and login ends it after "+
			"%d seconds", seconds)
		found = append(found, warning("PAM service login", text,
			"write in /etc/login.defs: LOGIN_TIMEOUT "+strconv.Itoa(enough)))
	}
	return found
}

// enrollsInside reports whether users without a second factor set one up inside a login of these
// PAM services.
func (d Doctor) enrollsInside(services ...string) bool {
	for _, name := range services {
		s, err := stack.Read(d.Root, name)
		if err != nil {
			continue // which is a finding of its own
		}
		for _, l := range s.Auth {
			if l.Ours() && d.lineEnrolls(l) {
				return true
			}
		}
	}
	return false
}

func (d Doctor) lineEnrolls(l *stack.Line) bool {
	var a flow.Arguments
	for _, arg := range l.Args {
		if a.Take(arg) != nil || a.IfPublicKey {
			return false
		}
	}
	rules, err := policy.Load(d.Root, a.Policy())
	is := func(r policy.Rule) bool { return r.Unenrolled == policy.UnenrolledEnroll }
	return err == nil &&
		(rules.Unenrolled == policy.UnenrolledEnroll || slices.ContainsFunc(rules.Rules, is))
}

// loginTimeout is how many seconds login(1) gives; 0: no limit.
func (d Doctor) loginTimeout() int {
	const standard = 60 // login.defs(5)
	text, err := os.ReadFile(d.Root + "/etc/login.defs")
	if err != nil {
		return standard
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "LOGIN_TIMEOUT" {
			if seconds, err := strconv.Atoi(words[1]); err == nil {
				return seconds
			}
		}
	}
	return standard
}
