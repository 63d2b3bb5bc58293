package main

import (
	"fmt"
	"io"
	"math/rand/v2"

	"latchkey/sshd/suite"
)

// contender is one way to log in, with its measurements.
type contender struct {
	server           *suite.Server
	whole, afterCode sample
}

// logins measures whole logins, from the connection to the end of authentication, and their part
// after the typed code.
func logins(h *suite.Host, rounds int, out io.Writer) error {
	contenders, err := contend(h, suite.PlainUnix, suite.WithGoogle, suite.PasswordAndCode)
	if err != nil {
		return err
	}
	for round := range rounds + 1 {
		u, err := member(h)
		if err != nil {
			return err
		}
		for _, i := range rand.Perm(len(contenders)) {
			if err := contenders[i].login(u, round > 0); err != nil {
				return err
			}
		}
	}
	unix, google, latchkey := contenders[0], contenders[1], contenders[2]
	table(out, h.Name+": whole login", "ms", &unix.whole, &google.whole, &latchkey.whole)
	fmt.Fprintf(out, "  latchkey to google-authenticator: %.3f; added: %.2f ms against %.2f ms\n",
		latchkey.whole.median()/google.whole.median(),
		latchkey.whole.median()-unix.whole.median(), google.whole.median()-unix.whole.median())
	table(out, h.Name+": from the typed code to success", "ms", &google.afterCode,
		&latchkey.afterCode)
	return nil
}

func contend(h *suite.Host, configs ...suite.Config) ([]*contender, error) {
	var all []*contender
	for _, c := range configs {
		server, err := h.Server(c)
		if err != nil {
			return nil, err
		}
		all = append(all, &contender{
			server:    server,
			whole:     sample{name: c.Name},
			afterCode: sample{name: c.Name},
		})
	}
	return all, nil
}

// member returns a new user with the same secret in both modules, so that every code is fresh for
// each.
func member(h *suite.Host) (*suite.User, error) {
	u, err := h.User()
	if err != nil {
		return nil, err
	}
	if err := u.Enroll(); err != nil {
		return nil, err
	}
	return u, u.EnrollGoogle()
}

// login logs in once. The first round only warms up.
func (c *contender) login(u *suite.User, counts bool) error {
	o := c.server.Login(suite.Attempt{
		User:     u.Name,
		Password: suite.Password,
		Codes:    []string{u.Code()},
	})
	defer o.Close()
	if !o.In() {
		return fmt.Errorf("%s on %s: %w", c.server.Config.Name, c.server.Name, o.Err)
	}
	if counts {
		c.whole.add(ms(o.Whole))
		c.afterCode.add(ms(o.AfterCode))
	}
	return nil
}
