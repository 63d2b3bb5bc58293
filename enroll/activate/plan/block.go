package plan

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"latchkey/enroll/doctor/stack"
	"latchkey/enroll/doctor/stack/pamd"
)

// block are the lines of a service's own file by which it asks for the password.
type block struct {
	first, last int    // in the file, from 0
	lines       []line // of auth, with what they include in its place
	// plain reports whether lines mean the same in the service's own file.
	plain bool
}

// passwordBlock finds the lines that ask for the password: one that includes others which do, or
// those from the first that does to the last that denies users whom none of them knows.
func (p *planner) passwordBlock(lines []line) (b block, found bool) {
	auth := slices.DeleteFunc(slices.Clone(lines), func(l line) bool { return !l.isAuth() })
	from := slices.IndexFunc(auth, p.checksPassword)
	if from < 0 {
		return b, false
	}
	to := from
	for i := from + 1; i < len(auth); i++ {
		if p.checksPassword(auth[i]) || ends(auth[i]) {
			to = i
		}
	}
	b = block{first: auth[from].first, last: auth[to].last, plain: true}
	for _, l := range auth[from : to+1] {
		all, same := p.inlined(l, deepest)
		b.lines, b.plain = append(b.lines, all...), b.plain && same
	}
	between := func(l line) bool { return !l.isAuth() && l.first > b.first && l.last < b.last }
	b.plain = b.plain && !slices.ContainsFunc(lines, between)
	return b, true
}

// ends reports whether a line ends a list of those that ask for the password.
func ends(l line) bool {
	return l.Include == "" && slices.Contains([]string{"pam_deny.so", "pam_permit.so"},
		path.Base(l.Module))
}

// texts are the lines of the block for the service's own file, where something follows them: what
// would end the stack goes on behind the block, and a refused password ends the login. strictly
// has also those end it that only remember that they failed.
func (b block) texts(strictly bool) (all []string) {
	last := b.lastPassword()
	for i, l := range b.lines {
		m := module.FindStringSubmatch(l.text)
		if m == nil {
			return nil
		}
		control := onwards(m[2]+m[3], len(b.lines)-1-i)
		denies := path.Base(l.Module) == "pam_deny.so" && i == len(b.lines)-1
		if strings.EqualFold(control, "required") && (denies || strictly && i == last) {
			control = "requisite"
		}
		all = append(all, strings.Join([]string{m[1], control, m[4]}, "\t"))
	}
	return all
}

func (b block) lastPassword() (at int) {
	for i, l := range b.lines {
		if stack.ChecksPassword(l.Module) {
			at = i
		}
	}
	return at
}

var done = regexp.MustCompile(`=\s*done`)

// onwards is a control that jumps over the lines that are left where it would end the stack.
func onwards(control string, left int) string {
	jump := "=ok"
	if left > 0 {
		jump = fmt.Sprintf("=%d", left)
	}
	if strings.EqualFold(control, "sufficient") {
		control = "[success=done new_authtok_reqd=done default=ignore]"
	}
	return done.ReplaceAllString(control, jump)
}

// own are the lines of latchkey.
const (
	ask      = "auth\trequired\t" + pamd.Module
	needsKey = "auth\trequisite\t" + pamd.Module + " if_publickey"
)

// skips are the texts of lines that users who have shown a key do not come to.
func skips(texts []string) []string {
	line := fmt.Sprintf("auth\t[success=%d default=ignore]\t%s if_publickey", len(texts),
		pamd.Module)
	return append([]string{line}, texts...)
}
