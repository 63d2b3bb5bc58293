package doctor

import (
	"fmt"
	"path/filepath"
	"strings"

	"latchkey/enroll/doctor/apparmor"
)

const (
	// relax is how an administrator gets profiles that deny nothing, until they are loaded again.
	relax = "apparmor_parser --Complain -r /etc/apparmor.d/usr.bin.enroll " +
		"/etc/apparmor.d/usr.libexec.latchkey.*"
	confinement = "AppArmor"
)

// checkConfinement says what AppArmor's profiles do here, and what they denied.
func (d Doctor) checkConfinement() []Finding {
	p, enabled := apparmor.Loaded(d.system())
	if !enabled {
		return nil
	}
	var modes []string
	for _, m := range []struct{ mode, says string }{{apparmor.Enforce, "enforces the profiles of"},
		{apparmor.Complain, "only logs what it would deny to"}} {
		if names := p.In(m.mode); names != nil {
			modes = append(modes, m.says+" "+strings.Join(names, ", "))
		}
	}
	found := []Finding{{confinement, OK, "it has none of latchkey's profiles loaded", ""}}
	if modes != nil {
		found[0].Detail = "it " + strings.Join(modes, "; ")
	}
	for _, n := range apparmor.Denied(d.system()) {
		verb := "denied"
		if n.Allowed {
			verb = "would have denied"
		}
		found = append(found, warning(confinement, fmt.Sprintf("in the last day it %s %s: %s", verb,
			n.Profile, n.What), "where that is needed, allow it in /etc/apparmor.d/local; until "+
			"then: "+relax))
	}
	return found
}

// checkConfined: a policy that logins may not read denies every one.
func (d Doctor) checkConfined(path string) []Finding {
	p, _ := apparmor.Loaded(d.system())
	file := p.Unreadable(d.system(), path)
	if file == "" {
		return nil
	}
	folder, name := filepath.Split(path) // a login opens the folder first
	return []Finding{fault(path, fmt.Errorf("AppArmor does not let logins read it, so every login "+
		"is denied"), fmt.Sprintf("write into %s: %s{,%s} r, and then: "+
		"apparmor_parser -r /etc/apparmor.d/%s", file, folder, name, filepath.Base(file)))}
}
