package doctor

import (
	"fmt"
	"slices"
	"strings"

	"latchkey/enroll/attestation"
	"latchkey/enroll/doctor/stack"
	"latchkey/pam/method"
	"latchkey/pam/policy"
)

// keyHolders are the users who have enrolled a security key.
func (d Doctor) keyHolders() (all []enrolled) {
	users, _ := d.survey() // that it cannot be made is a finding already
	for _, u := range users {
		if u.keys.any {
			all = append(all, u)
		}
	}
	return all
}

// checkKeys finds what makes a security key weaker than a code, where sshd lets one stand for it
// and someone has enrolled one.
func (d Doctor) checkKeys(s sshdReport) []Finding {
	rules, err := policy.Load(d.Root, policy.DefaultPath)
	if err != nil {
		return nil // that is a finding already
	}
	holders := d.keyHolders()
	found := d.checkAttestation(rules, holders)
	if len(holders) == 0 {
		return found
	}
	for _, service := range s.keyed {
		check := "security keys at PAM service " + service.Name
		if !service.Touch {
			found = append(found, warning(check,
				"a user's authorized_keys, and a certificate, can switch the touch off "+
					"(no-touch-required): then a program on the user's computer needs no one "+
					"to log in",
				"write in sshd_config: PubkeyAuthOptions touch-required"))
		}
		if !service.PIN && d.keyAlone(service.Name) {
			found = append(found, warning(check,
				"a security key alone is enough: no password and no PIN is asked for, so anyone "+
					"who has the key gets in",
				"write in sshd_config: PubkeyAuthOptions touch-required verify-required"))
		}
	}
	return found
}

// keyAlone reports whether a login with a key comes to a service without a password.
func (d Doctor) keyAlone(service string) bool {
	s, err := stack.Read(d.Root, service)
	if err != nil {
		return false // that is a finding already
	}
	_, asks := s.AsksPassword()
	return !asks || slices.ContainsFunc(s.Auth, (*stack.Line).AsksAboutKey)
}

// checkAttestation looks at what the policy wants of makers, and at the keys that have none of it.
func (d Doctor) checkAttestation(rules *policy.Policy, holders []enrolled) []Finding {
	var bare []string
	for _, h := range holders {
		if h.keys.bare {
			bare = append(bare, h.name)
		}
	}
	if !rules.RequireAttestation {
		if len(bare) == 0 {
			return nil
		}
		return []Finding{{policy.DefaultPath, OK,
			"security keys that no maker attests, which may be programs: of " + some(bare), ""}}
	}
	var found []Finding
	if _, err := attestation.Load(d.Root); err != nil {
		found = append(found, fault(attestation.Dir, err,
			"no security key can be enrolled: "+attestation.PutThere))
	}
	if len(bare) > 0 {
		found = append(found, warning(policy.DefaultPath,
			"require_attestation: security keys that no maker attests are not accepted, of "+
				some(bare),
			"they may be enrolled again: enroll add key --attestation FILE --challenge FILE"))
	}
	return found
}

// some names a few.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// checkKeyRules finds a rule that leaves nothing but a security key where no sshd asks.
func (d Doctor) checkKeyRules(others []string) []Finding {
	rules, err := policy.Load(d.Root, policy.DefaultPath)
	if err != nil {
		return nil // that is a finding already
	}
	var found []Finding
	for _, r := range rules.Rules {
		for _, service := range others {
			if slices.Equal(r.Methods, []method.Method{method.Key}) &&
				(r.Services == nil || slices.Contains(r.Services, service)) {
				err := fmt.Errorf("this rule keeps out everyone it matches at PAM service %s: "+
					"only sshd says which key was used", service)
				found = append(found, fault(fmt.Sprintf("%s:%d", policy.DefaultPath, r.Line), err,
					`give it services = ["sshd"], or add a method such as totp`))
				break
			}
		}
	}
	return found
}

// checkKeyFile looks at a line of pam_u2f, which asks for a touch of a security key here.
func (d Doctor) checkKeyFile(l *stack.Line) []Finding {
	if lax := l.Lax(); lax != "" {
		return []Finding{fault(l.Place(),
			fmt.Errorf("pam_u2f with %s lets in users who touch no key", lax),
			"leave "+lax+" out")}
	}
	if file := l.KeyFile(); file != "" {
		if err := checkInstalled(d.Root+file, 0); err != nil {
			return []Finding{fault(file, err,
				"pam_u2f believes the keys in it: it must be root's alone")}
		}
		return []Finding{{l.Place(), OK, "pam_u2f stands for a code for the keys in " + file, ""}}
	}
	return nil
}

// skippedByKey is about a line of pam_u2f that stands for a code and is not as good as one.
func skippedByKey(w stack.Weakness) Finding {
	why := "each user lists their keys in a file of their own, " +
		"so any program of theirs can add one"
	if w.Line.Lax() != "" {
		why = "it also succeeds where no key was touched"
	}
	return fault(w.Line.Place(),
		fmt.Errorf("%s that returns %s leaves out %s: a login succeeds without a code; %s",
			w.Line.Name(), w.Code, w.Factor.Place(), why),
		"name a file of root's (authfile=/etc/latchkey/u2f_keys), and neither nouserok nor "+
			"alwaysok")
}
