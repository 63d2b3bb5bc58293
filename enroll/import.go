package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"latchkey/enroll/migrate"
	"latchkey/pam/audit"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/gate/names"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// importing is one run of enroll import.
type importing struct {
	*program
	options
	all    []*candidate
	shared bool // the host key is there
	// rules are those of the policy; they are read when the first phone is met.
	rules func() (*policy.Policy, error)
}

// candidate is a user who may be taken over.
type candidate struct {
	outcome
	who   identity
	entry migrate.Entry
}

// importFiles takes users over from the files of other second factors. One that cannot be taken over stops nobody else.
func (p *program) importFiles(o options) error {
	if err := importable(o); err != nil {
		return err
	}
	i := importing{program: p, options: o, rules: loadOnce(p.root)}
	for _, path := range o.files {
		i.all = append(i.all, i.read(path)...)
	}
	i.identify()
	return i.report(i.save())
}

// importable refuses options that do not go together.
func importable(o options) error {
	if len(o.files) == 0 {
		return misused("enroll import needs FILE")
	}
	if o.user != "" && len(o.files) > 1 {
		return misused("--user works with only one FILE")
	}
	switch migrate.Format(o.format) {
	case "", migrate.GoogleFormat, migrate.OathFormat, migrate.CSVFormat:
		return nil
	}
	return misused("--format must be google, oath or csv")
}

// identify finds out who the candidates are. A user who stands in two places is taken over from neither: nobody said which is
// right.
func (i *importing) identify() {
	first := map[string]*candidate{}
	for _, c := range i.all {
		name := c.entry.User
		if c.Result == "" {
			if err := i.lookUp(c); err != nil {
				c.fail(err)
			} else {
				name = c.who.Name
			}
		}
		if name == "" {
			continue
		}
		if other := first[name]; other != nil {
			c.standsToo(other)
			other.standsToo(c)
		}
		first[name] = c
	}
}

// standsToo fails a candidate, if nothing has yet, who stands in another place too.
func (c *candidate) standsToo(other *candidate) {
	if c.Result == "" {
		c.fail(fmt.Errorf("is also in %s", shown(other.File)))
	}
}

func (i *importing) lookUp(c *candidate) (err error) {
	if c.who == (identity{}) {
		if c.who, err = lookUp(c.entry.User); err != nil {
			switch {
			case errors.Is(err, names.ErrUnknown):
				c.Result, err = unknown, names.ErrUnknown
			case errors.Is(err, record.ErrName):
				err = record.ErrName // without the name, which the line has already
			}
			return err
		}
	}
	c.User = c.who.Name
	return i.checkPhones(c.entry)
}

func (c *candidate) hasPhone() bool {
	return slices.ContainsFunc(c.entry.Devices, func(d migrate.Device) bool { return d.Type == method.Phone })
}

// checkPhones refuses what enroll add phone refuses.
func (i *importing) checkPhones(e migrate.Entry) error {
	for _, d := range e.Devices {
		if d.Type != method.Phone {
			continue
		}
		rules, err := i.rules()
		switch {
		case err != nil:
			return err
		case len(rules.Phone.Methods) == 0:
			return errors.New("phones are switched off in latchkey.toml")
		case !rules.Phone.Allows(string(d.Secret)):
			return errors.New("no codes are sent to numbers of this country: see prefixes in latchkey.toml")
		case likeNumber(d.Label):
			return errors.New("the label of a phone must not be a phone number")
		}
	}
	return nil
}

// together is how many users are saved under one lock: few enough that others who enroll meanwhile get their turn.
const together = 200

// atOnce is how many are saved at the same time: they wait for the disk together.
const atOnce = 8

// save enrolls the candidates. The error is one that stops all.
func (i *importing) save() error {
	for some := range slices.Chunk(i.all, together) {
		err := i.store().Exclusive(func() error {
			i.saveSome(some)
			return nil
		})
		if err != nil {
			return err
		}
		for _, c := range some {
			if c.Result == taken || c.Result == replaced || c.Result == updated {
				i.logged(audit.Change{What: "import", User: c.User, Detail: c.Result})
			}
		}
	}
	return nil
}

// saveSome enrolls candidates side by side, once one by itself has made what all share.
func (i *importing) saveSome(some []*candidate) {
	queue := make(chan *candidate)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for c := range queue {
				i.saveOne(c)
			}
		})
	}
	for _, c := range some {
		switch {
		case c.Result != "":
		case !i.shared || c.hasPhone():
			i.saveOne(c)
			i.shared = i.shared || !c.bad()
		default:
			queue <- c
		}
	}
	close(queue)
	workers.Wait()
}

// saveOne enrolls one user, if there is something to change.
func (i *importing) saveOne(c *candidate) {
	c.Result = taken
	err := i.store().Import(i.asRoot(), c.who.User, c.enrollment(nil), func(old *factor.Account) (enrollment.Enrollment, error) {
		c.Result = replaced
		return i.over(c, old)
	})
	switch {
	case made(err):
		c.tell()
		if err != nil {
			c.Problem = err.Error()
		}
	case errors.Is(err, errUnchanged):
		c.Result = unchanged
	case errors.Is(err, errUpdated):
		c.Result = updated
	case errors.Is(err, enrollment.ErrEnrolled):
		c.Result = kept
	default:
		c.fail(err)
	}
}

// shown is a text that comes from outside, fit for a line of its own.
func shown(text string) string {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%q", text)
	}
	return text
}
