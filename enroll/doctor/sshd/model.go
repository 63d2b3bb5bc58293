package sshd

import (
	"maps"
	"slices"

	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/ways"
)

// decisive are the keywords that decide whether the code can be left out, and that may stand
// below a Match line.
var decisive = []string{
	"authenticationmethods", "pubkeyauthentication", "passwordauthentication",
	"kbdinteractiveauthentication",
	"permitrootlogin", "permitemptypasswords", "hostbasedauthentication",
	"gssapiauthentication", "gssapikeyexchange",
	"authorizedkeysfile", "authorizedkeyscommand", "trustedusercakeys",
	"allowusers", "denyusers", "allowgroups", "denygroups", "refuseconnection", "pamservicename",
	"usepam", "usedns",
	"pubkeyauthoptions",
}

// gathered are the keywords whose lines add up; of all others the first line counts.
var gathered = []string{"allowusers", "denyusers", "allowgroups", "denygroups"}

// model is the configuration as it is thought to work.
type model struct {
	config *config.Config
	base   ways.Options // what is in force where no Match line applies
	// the Match lines below which something decisive is set, and those around them
	blocks []*config.Block
	// flags are the keywords that the command line sets, which outweighs all lines that are not
	// below a Match line.
	flags []string
	// release is how sshd names its version, for Match Version.
	release string
	// over, if set, reports whether the time for planning is; cut: something was left out then.
	over func() bool
	cut  bool
}

// late reports whether there is no time to plan more.
func (m *model) late() bool {
	m.cut = m.cut || m.over != nil && m.over()
	return m.cut
}

func newModel(c *config.Config, base ways.Options) *model {
	m := &model{config: c, base: base}
	for _, b := range c.Blocks {
		decides := func(s *config.Setting) bool {
			return s.Under.Within(b) && slices.Contains(decisive, s.Keyword)
		}
		if slices.ContainsFunc(c.Settings, decides) {
			m.blocks = append(m.blocks, b)
		}
	}
	return m
}

// force is what is in force where these blocks apply, and the lines that decided.
func (m *model) force(applies func(*config.Block) bool) (ways.Options,
	map[string]*config.Setting) {
	o, by := ways.Options{}, map[string]*config.Setting{}
	for k, v := range m.base {
		o[k] = v
	}
	for _, b := range m.blocks {
		if !applies(b) {
			continue
		}
		for _, s := range b.Settings {
			switch {
			case !slices.Contains(decisive, s.Keyword):
			case by[s.Keyword] == nil:
				o[s.Keyword], by[s.Keyword] = []string{s.Value()}, s
			case slices.Contains(gathered, s.Keyword):
				o[s.Keyword] = append(slices.Clone(o[s.Keyword]), s.Value())
			}
		}
	}
	return o, by
}

// indirect are the keywords that are the cause only if their base value would not do the same.
var indirect = []string{"authorizedkeysfile", "authorizedkeyscommand", "trustedusercakeys"}

// cause is the line that a problem comes of: one below a Match line if there is one. nil: it
// comes of what no line says.
func (m *model) cause(p ways.Problem, o ways.Options, by map[string]*config.Setting,
	root bool) *config.Setting {
	for _, k := range p.Blame {
		if s := by[k]; s != nil && (!slices.Contains(indirect, k) || !m.persists(p, o, k, root)) {
			return s
		}
	}
	for _, k := range p.Blame {
		if slices.Contains(m.flags, k) {
			return nil
		}
		for _, s := range m.config.Settings {
			if s.Under == nil && s.Keyword == k && !slices.Contains(indirect, k) {
				return s
			}
		}
	}
	return nil
}

// persists reports whether a problem is there also if a keyword has its base value.
func (m *model) persists(p ways.Problem, o ways.Options, keyword string, root bool) bool {
	other := maps.Clone(o)
	other[keyword] = m.base[keyword]
	return slices.ContainsFunc(ways.Problems(other, root, true), func(q ways.Problem) bool {
		return q.Text == p.Text
	})
}
