// Package removable finds out whether the package can be removed.
package removable

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"latchkey/enroll/hint"
)

// profileFiles are what pam-auth-update writes.
var profileFiles = []string{"/etc/pam.d/common-auth", "/etc/pam.d/common-account",
	"/etc/pam.d/common-password",
	"/etc/pam.d/common-session", "/etc/pam.d/common-session-noninteractive"}

// Check fails if the package cannot be removed without locking people out: a PAM module that is
// named and not there denies everyone, root on the console included. butProfile leaves out what
// pam-auth-update takes out itself.
func Check(root string, butProfile bool) error {
	needs := needsBelow(root)
	if butProfile {
		needs = slices.DeleteFunc(needs, func(n need) bool {
			return n.err == nil && slices.Contains(profileFiles, n.file)
		})
	}
	if err := unread(needs); err != nil || len(needs) == 0 {
		return err
	}
	cuts := cutsOf(needs)
	var files []string
	for _, c := range cuts {
		files = append(files, quoted(c.file))
	}
	what := "without pam_latchkey.so these let no one in: " + strings.Join(files, " ")
	if counting := countOn(root, needs); len(counting) > 0 {
		return hint.Error(what, fmt.Sprintf("put back what was there before latchkey's lines. "+
			"Other lines of %s jump over them or to them, so do not just take them out",
			strings.Join(counting, " and ")))
	}
	return hint.Error(what, "remove its lines, then remove latchkey again: "+commands(cuts))
}

// unread fails if files cannot be read that may need the module.
func unread(needs []need) error {
	var files []string
	for _, n := range needs {
		if n.err != nil {
			files = append(files, n.file+": "+n.err.Error())
		}
	}
	if len(files) == 0 {
		return nil
	}
	return hint.Error("cannot find out whether pam_latchkey.so is still needed: "+
		strings.Join(files, "; "), "repair or remove what cannot be read")
}

// cut is what to take out of a file, as sed has it.
type cut struct {
	file  string
	lines []string
}

func cutsOf(needs []need) (cuts []cut) {
	for _, n := range needs {
		i := slices.IndexFunc(cuts, func(c cut) bool { return c.file == n.file })
		if i < 0 {
			i, cuts = len(cuts), append(cuts, cut{file: n.file})
		}
		lines := fmt.Sprintf("%dd", n.from)
		if n.to > n.from {
			lines = fmt.Sprintf("%d,%dd", n.from, n.to)
		}
		cuts[i].lines = append(cuts[i].lines, lines)
	}
	return cuts
}

func commands(cuts []cut) string {
	var all []string
	for _, c := range cuts {
		all = append(all, fmt.Sprintf("sed -i '%s' %s", strings.Join(c.lines, ";"),
			quoted(c.file)))
	}
	return strings.Join(all, " && ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9/._+@,-]+$`)

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
