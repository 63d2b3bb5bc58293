package plan

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/config"
)

const (
	sshdConfig = "/etc/ssh/sshd_config"
	dropIn     = "/etc/ssh/sshd_config.d/00-latchkey.conf"
)

// option is a line of sshd_config.
type option struct{ keyword, value string }

// common are the options of every stack.
var common = []option{{"UsePAM", "yes"}, {"KbdInteractiveAuthentication", "yes"},
	{"PasswordAuthentication", "no"}}

// ways are the values of AuthenticationMethods.
var ways = map[Stack]string{
	PasswordAndCode:      "publickey,keyboard-interactive keyboard-interactive",
	KeyAndCode:           "publickey,keyboard-interactive",
	KeyOrPasswordAndCode: "publickey,keyboard-interactive keyboard-interactive",
}

// options are what sshd has to be told for a stack. With password and code, users who have a key
// show it first, and it gets them no further than others: that is how sshd tells latchkey which
// computer, or which security key, it is.
func options(s Stack) []option {
	all := slices.Clone(common)
	if s != PasswordAndCode {
		all = append(all, option{"PubkeyAuthentication", "yes"})
	}
	return append(all, option{"AuthenticationMethods", ways[s]},
		// A user who enrolls inside the first login needs more than two minutes.
		option{"LoginGraceTime", "600"})
}

// sshd plans the edit of sshd's configuration.
func (p *planner) sshd(s Stack) error {
	wanted := options(s)
	c, err := config.Read(p.root, sshdConfig)
	if err != nil {
		return refuse(sshdConfig, "%v", err)
	}
	if inForce(c, wanted) {
		return nil
	}
	if p.namedAsBefore(c) {
		wanted = slices.Insert(wanted, 2, option{"ChallengeResponseAuthentication", "yes"})
	}
	text, err := p.read(sshdConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse(sshdConfig, "there is no such file")
	}
	if err != nil {
		return err
	}
	if pattern := p.included(text); pattern != "" && p.first(pattern) {
		return p.inFolder(wanted)
	}
	top := edit{text, 0, -1}
	p.change(Change{Path: sshdConfig, Existed: true, Before: text,
		After: top.with("sshd uses the first value that it reads for an option", texts(wanted)...)})
	return nil
}

// namedAsBefore reports whether a line has keyboard-interactive by the name that it had before
// OpenSSH 8.7, where that was an option of its own.
func (p *planner) namedAsBefore(c *config.Config) bool {
	return slices.ContainsFunc(c.Settings, func(s *config.Setting) bool {
		if s.Keyword != "kbdinteractiveauthentication" {
			return false
		}
		text, err := p.read(s.File)
		lines := strings.Split(text, "\n")
		if err != nil || s.Number > len(lines) {
			return false
		}
		keyword, _ := config.CutKeyword(lines[s.Number-1])
		return keyword != s.Keyword
	})
}

func texts(all []option) (lines []string) {
	for _, o := range all {
		lines = append(lines, o.keyword+" "+o.value)
	}
	return lines
}

// inForce reports whether the first line of each option says what is wanted, but that of the time
// for a login, which may be any.
func inForce(c *config.Config, wanted []option) bool {
	for _, o := range wanted {
		at := slices.IndexFunc(c.Settings, func(s *config.Setting) bool {
			return s.Under == nil && s.Keyword == strings.ToLower(o.keyword)
		})
		if o.keyword != "LoginGraceTime" && (at < 0 || c.Settings[at].Value() != o.value) {
			return false
		}
	}
	return true
}

// included is the pattern by which sshd_config includes the folder of the drop-in, before it reads
// anything that may set what the drop-in sets; empty: it does not.
func (p *planner) included(text string) (pattern string) {
	for line := range strings.Lines(text) {
		keyword, rest := config.CutKeyword(line)
		switch {
		case keyword == "include":
			patterns := config.Patterns(rest)
			if len(patterns) == 0 || !p.isFolder(filepath.Dir(dropIn)) {
				return ""
			}
			if ok, _ := filepath.Match(patterns[0], dropIn); !ok {
				return "" // it may set anything
			}
			return patterns[0]
		case keyword == "match" || isOurs(keyword):
			return ""
		}
	}
	return ""
}

// isOurs reports whether a keyword is one that some stack sets.
func isOurs(keyword string) bool {
	return slices.ContainsFunc(options(KeyAndCode), func(o option) bool {
		return strings.EqualFold(o.keyword, keyword)
	}) || keyword == "challengeresponseauthentication"
}

// first reports whether no file of the pattern that sshd reads before the drop-in sets what it
// sets.
func (p *planner) first(pattern string) bool {
	files, err := config.Matching(p.root, pattern)
	for _, path := range files {
		if path >= dropIn {
			break
		}
		text, err := p.read(path)
		if err != nil {
			return false
		}
		for line := range strings.Lines(text) {
			keyword, _ := config.CutKeyword(line)
			if keyword == "match" || keyword == "include" || isOurs(keyword) {
				return false
			}
		}
	}
	return err == nil
}

// inFolder plans the drop-in.
func (p *planner) inFolder(wanted []option) error {
	before, err := p.read(dropIn)
	existed := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	after := written + " enroll deactivate removes it. sshd uses the first " +
		"value that it\n# reads for an option.\n" + strings.Join(texts(wanted), "\n") + "\n"
	p.change(Change{Path: dropIn, Existed: existed, Before: before, After: after})
	return nil
}
