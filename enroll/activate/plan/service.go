package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"latchkey/enroll/doctor/stack"
	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/enroll/hint"
)

// service plans the edit of one PAM service.
func (p *planner) service(name string, want Stack) error {
	if err := p.hasAlready(name, want); err != errNotYet {
		return err
	}
	file, text, err := p.find(name)
	if err != nil {
		return refuse("PAM service "+name, "%v", err)
	}
	lines, err := parse(text)
	if err != nil {
		return refuse(file, "line %v", err)
	}
	b, found := p.passwordBlock(lines)
	if !found {
		return refuse(file, "no line asks for a password, so it is not known where the code belongs")
	}
	if other := p.otherCode(lines); other != "" {
		return hint.Error(fmt.Sprintf("%s: %s asks for a code already", file, other),
			"take its line out first; enroll import takes over its users, and administrators.md "+
				"(Moving in) says in which order")
	}
	own := "/etc/pam.d/" + path.Base(file) // what PAM looks for first
	why := ""
	for _, after := range p.edits(text, b, want) {
		if why = p.wrong(name, own, after, want); why == "" {
			c := Change{Path: own, Existed: own == file, After: after}
			if c.Existed {
				c.Before = text
			}
			p.change(c)
			p.plan.Services = append(p.plan.Services, name)
			return nil
		}
	}
	if why == "" {
		why = "what it includes cannot be repeated in it"
	}
	return refuse(file, "no edit asks for %s: %s", want, why)
}

// codes are other modules that ask for a code: users would need two.
var codes = []string{"pam_google_authenticator.so", "pam_oath.so", "pam_duo.so",
	"pam_yubico.so", "pam_otpw.so"}

// otherCode is another module in auth that asks for a code; empty: there is none.
func (p *planner) otherCode(lines []line) string {
	for _, l := range lines {
		if !l.isAuth() {
			continue
		}
		all, _ := p.inlined(l, deepest)
		for _, of := range all {
			if of.Include == "" && slices.Contains(codes, path.Base(of.Module)) {
				return path.Base(of.Module)
			}
		}
	}
	return ""
}

// edits are the texts that a service's file may have, the smallest edit first.
func (p *planner) edits(text string, b block, want Stack) (all []string) {
	behind := edit{text, b.last + 1, b.last}
	whole := edit{text, b.first, b.last}
	switch want {
	case KeyAndCode:
		return []string{whole.with("the code, no password; the first line denies users without "+
			"a key", needsKey, ask)}
	case PasswordAndCode:
		all = append(all, behind.with("the code, below the password", ask))
	}
	if !b.plain {
		return all
	}
	for _, strictly := range []bool{false, true} {
		texts := b.texts(strictly)
		switch {
		case texts == nil:
		case want == PasswordAndCode:
			all = append(all, whole.with("the password, then the code",
				append(texts, ask)...))
		default:
			all = append(all, whole.with("users who have shown a key skip the password; all "+
				"need the code", append(skips(texts), ask)...))
		}
	}
	return all
}

// edit replaces lines first to last of a text; none if first is behind last.
type edit struct {
	text        string
	first, last int
}

// begin and end stand around what latchkey writes into a file of others.
const (
	begin = "# latchkey begin (enroll activate): "
	end   = "# latchkey end"
)

func (e edit) with(says string, lines ...string) string {
	raw := strings.SplitAfter(e.text, "\n")
	before, behind := strings.Join(raw[:e.first], ""), strings.Join(raw[e.last+1:], "")
	if before != "" && !strings.HasSuffix(before, "\n") {
		before += "\n" // the last line of the file
	}
	return before + begin + says + "\n" + strings.Join(lines, "\n") + "\n" + end + "\n" + behind
}

// wrong is what is wrong with a service if its file has this text; empty: nothing is.
func (p *planner) wrong(name, file, text string, want Stack) string {
	over := map[string]string{file: text}
	for path, planned := range p.over {
		if path != file {
			over[path] = planned
		}
	}
	s, err := stack.ReadOver(p.root, name, over)
	if err != nil {
		return err.Error()
	}
	for _, w := range s.Weaknesses() {
		if why := says(w, want == KeyAndCode); why != "" {
			return why
		}
	}
	if l := s.Uncredited(); l != nil && name == p.wish.SSHD {
		return fmt.Sprintf("a jump leads to %s at %s in pam_setcred, and sshd would end each login "+
			"after the code", l.Name(), l.Place())
	}
	return ""
}

// says puts a weakness into words; empty: it is none here. keyed: a key comes first.
func says(w stack.Weakness, keyed bool) string {
	switch w.Kind {
	case stack.Absent:
		return pamd.Module + " is not reached"
	case stack.Skipped:
		if w.Line.SecurityKey() {
			return "" // doctor says whose touch counts
		}
		return fmt.Sprintf("%s at %s would let users in without a code", w.Line.Name(),
			w.Line.Place())
	case stack.Shrug:
		return fmt.Sprintf("a refused code at %s would not end the login", w.Line.Place())
	case stack.Closed:
		return "no one would get in"
	case stack.Twice:
		return fmt.Sprintf("%s asks for a code already", w.Factor.Place())
	case stack.Early:
		if w.Line == nil && keyed {
			return ""
		}
		return "the code would be asked for before the password was right"
	}
	return ""
}
