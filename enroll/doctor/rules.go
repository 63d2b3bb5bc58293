package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"

	"latchkey/enroll/doctor/getent"
	"latchkey/enroll/doctor/shadow"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/twilio/settings"
)

// forEveryone reports whether a rule's conditions hold for every login over the network: it has
// none, or networks that are all of IPv4 or of IPv6, or the services of sshd itself.
func (d Doctor) forEveryone(r policy.Rule) bool {
	whole := func(n netip.Prefix) bool { return n.Bits() == 0 }
	return r.Users == nil && r.Groups == nil &&
		(r.From == nil || slices.ContainsFunc(shadow.Merged(r.From), whole)) &&
		(r.Services == nil || slices.Contains(r.Services, "sshd") || d.allOfSSHD(r.Services))
}

// allOfSSHD reports whether every login by sshd is to one of these services: PAMServiceName gives
// it others.
func (d Doctor) allOfSSHD(services []string) bool {
	if d.Service != "sshd" {
		return false
	}
	missing := func(service string) bool { return !slices.Contains(services, service) }
	used := d.server().services
	return len(used) > 0 && !slices.ContainsFunc(used, missing)
}

// checkMethods finds a rule that asks for what cannot be given.
func (d Doctor) checkMethods(place string, rules *policy.Policy, r policy.Rule) []Finding {
	if r.Methods == nil {
		return nil
	}
	why, usable := "", false
	for _, m := range r.Methods {
		switch sent := m == method.SMS || m == method.Call; {
		case sent && !slices.Contains(rules.Phone.Methods, m):
			why = "methods of [phone] switches it off"
		case sent && !d.phonesWanted():
			why = settings.DefaultPath + " is missing"
		default:
			usable = true
		}
	}
	if !usable {
		err := fmt.Errorf("this rule keeps out everyone it matches: none of %s works (%s)",
			listed(r.Methods), why)
		return []Finding{fault(place, err, "add a method that works, such as totp")}
	}
	if !d.someoneHas(r.Methods, r.Users) {
		err := fmt.Errorf("this rule keeps out everyone it matches: no enrolled user has %s",
			listed(r.Methods))
		return []Finding{fault(place, err, "add a method that they have; see: enroll list")}
	}
	return nil
}

func listed(methods []method.Method) string {
	var all []string
	for _, m := range methods {
		all = append(all, string(m))
	}
	return strings.Join(all, ", ")
}

// someoneHas reports whether any of these users, or any at all, has a device for a method. Where
// none has enrolled, or a record cannot be read, it is not known, and so it may be.
func (d Doctor) someoneHas(methods []method.Method, users []string) bool {
	names, err := d.Keyring.Records.Names()
	if err != nil {
		return true
	}
	enrolled := false
	for _, name := range names {
		if users != nil && !slices.Contains(users, name) {
			continue
		}
		u, err := d.LookUp(name)
		if err != nil {
			return true
		}
		rec, _, err := d.Keyring.View(record.User{Name: name, UID: u.UID})
		can := func(m method.Method) bool { return has(rec, m) }
		if err != nil || slices.ContainsFunc(methods, can) {
			return true
		}
		enrolled = true
	}
	return !enrolled
}

func has(r *record.Record, m method.Method) bool {
	of := map[method.Method]method.Method{method.TOTP: method.TOTP, method.HOTP: method.HOTP,
		method.SMS: method.Phone, method.Call: method.Phone, method.Key: method.Key}
	return m == method.Recovery && r.Recovery.Len() > 0 ||
		slices.ContainsFunc(r.Devices, func(d record.Device) bool { return d.Type == of[m] })
}

// checkNames finds users, groups and netgroups that the name service does not know: a rule for
// them may be for no one, or, with a group, for everyone as far as it is the stricter one. A user
// whom it spells in another way is known and still not matched: one that ignores case, or adds a
// domain, has a single name for each user.
func (d Doctor) checkNames(place string, r policy.Rule) []Finding {
	var found []Finding
	for _, name := range r.Users {
		switch u, err := d.LookUp(name); {
		case err != nil:
			text := fmt.Sprintf("the user %q: %v", name, err)
			found = append(found, warning(place, text, "is the name spelled right?"))
		case u.Name != name:
			err := fmt.Errorf("the user %q is %q to the name service, so this rule never matches "+
				"them", name, u.Name)
			found = append(found, fault(place, err, fmt.Sprintf("write %q", u.Name)))
		}
	}
	for _, group := range r.Groups {
		if err := d.group(group); err != nil {
			err = fmt.Errorf("the group %q: %v; every login gets the stricter of this rule "+
				"and those below", group, err)
			found = append(found, fault(place, err, "is the name spelled right? a netgroup "+
				"begins with @"))
		}
	}
	return found
}

// group is why it is unknown who is in a group; nil if it is known.
func (d Doctor) group(name string) error {
	if d.Group != nil {
		return d.Group(name)
	}
	if strings.HasPrefix(name, "@") {
		return nil
	}
	n := getent.Below(d.system())
	if _, err := os.Stat(d.Root + "/etc/group"); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	is := func(row []string) bool { return row[0] == name }
	if !slices.ContainsFunc(n.Lines("group", name), is) {
		return errors.New("there is no such group")
	}
	return nil
}

// checkNamesOfClients: with UseDNS, sshd gives PAM a name in place of an address, and no rule
// can tell which network that is in.
func (d Doctor) checkNamesOfClients(s sshdReport) []Finding {
	rules, err := policy.Load(d.Root, policy.DefaultPath)
	from := func(r policy.Rule) bool { return r.From != nil }
	if err != nil || s.dns == "" || !slices.ContainsFunc(rules.Rules, from) {
		return nil
	}
	err = errors.New("UseDNS yes: sshd gives names instead of addresses, so that no from in " +
		policy.DefaultPath + " can be checked")
	return []Finding{fault(s.dns, err, "write in sshd_config: UseDNS no")}
}
