// Package migrate takes users over from the files of other second factors.
package migrate

import (
	"errors"
	"slices"

	"latchkey/pam/enrollment"
	"latchkey/pam/enrollment/crowd"
	"latchkey/pam/many"
	"latchkey/pam/takeover"
)

// Run takes users over from files, and returns what became of each in the order of the files. One
// that cannot be taken over stops no one else. The error is one that stopped the run before its
// end.
func Run(files []string, o Options) ([]Outcome, error) {
	m := migration{Options: o}
	for _, path := range files {
		m.all = append(m.all, m.read(path)...)
	}
	m.identify()
	err := m.save()
	return m.outcomes(err), err
}

// batch is how many users are saved under one lock: few enough that others who enroll meanwhile
// get their turn.
const batch = 2000

// save enrolls the candidates. The error is one that stops all.
func (m *migration) save() error {
	if m.Fleet != nil {
		return m.saveInFleet(m.Fleet)
	}
	step, end := m.Told.Begin(len(m.all))
	defer end()
	for some := range slices.Chunk(m.all, batch) {
		err := m.Store.ExclusiveMany(func(s enrollment.Store) error {
			m.saveSome(s, some)
			return nil
		})
		if err != nil {
			return err
		}
		for _, c := range some {
			step()
			if c.Outcome.Changed() {
				m.Changed(c.Outcome)
			}
		}
	}
	return nil
}

// saveSome enrolls candidates: together those who have nothing here, and then the others.
func (m *migration) saveSome(s enrollment.Store, some []*candidate) {
	some = slices.DeleteFunc(slices.Clone(some), func(c *candidate) bool { return c.Result != "" })
	newcomers := make([]*enrollment.Newcomer, len(some))
	for i, c := range some {
		newcomers[i] = &enrollment.Newcomer{User: c.who.User, Has: c.enrollment()}
	}
	s.EnrollMany(m.Proof, newcomers)
	var others []*candidate
	for i, c := range some {
		if err := newcomers[i].Err; errors.Is(err, crowd.ErrAlone) {
			others = append(others, c)
		} else {
			c.became(takeover.Outcome{Result: takeover.Imported}, err)
		}
	}
	many.Each(others, many.Waiting, func(c *candidate) error {
		m.saveOne(s, c)
		return nil
	})
}

// saveOne enrolls one user, if there is something to change.
func (m *migration) saveOne(s enrollment.Store, c *candidate) {
	c.became(takeover.Into(s, m.Proof, c.who.User, c.enrollment(), m.Replace))
}

// outcomes are those of all candidates. stopped is what stopped the run before its end.
func (m *migration) outcomes(stopped error) []Outcome {
	all := []Outcome{}
	for _, c := range m.all {
		if c.Result == "" {
			c.fail(stopped)
		}
		all = append(all, c.listed())
	}
	return all
}
