package sshd

import (
	"fmt"
	"net/netip"
	"slices"

	"latchkey/enroll/doctor/sshd/candidate"
	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/pattern"
)

// axes are the values that connections are made of: one of each kind, the most usual first.
type axes struct {
	values [dimensions][]*value
	more   []*value // that are named, and of which the lines should say the same as of others
	listen []candidate.Listener
	known  map[string]bool // the kinds of which there is one
}

// Machine is what is known about the machine of an sshd.
type Machine struct {
	// Users are all users that the name service names, members of these groups among them.
	Users func(groups []string) []config.User
	// User looks for one by name.
	User func(name string) (config.User, bool)
	// Zones are the network interfaces by which clients on the same link come over IPv6.
	Zones []string
}

func (m *model) axes(machine Machine) *axes {
	x := &axes{listen: candidate.Listeners(m.base), known: map[string]bool{}}
	m.userAxis(machine, x)
	m.addressAxis(machine.Zones, x)
	m.hostAxis(x)
	for _, laddr := range candidate.LocalAddresses(patterns(m.about("localaddress")), x.listen) {
		listens := flags(x.listen, func(l candidate.Listener) bool {
			return l.Addr == "" || l.Addr == laddr
		})
		m.add(x, byLocal, config.Connection{LAddr: laddr}, family(laddr)+listens)
	}
	for _, port := range candidate.LocalPorts(patterns(m.about("localport")), x.listen) {
		m.add(x, byPort, config.Connection{LPort: port}, "")
	}
	all := patterns(m.about("rdomain"))
	m.add(x, byDomain, config.Connection{}, "")
	for _, p := range all {
		for _, domain := range candidate.Instances(p, candidate.Literals(all)) {
			m.add(x, byDomain, config.Connection{RDomain: domain}, "")
		}
	}
	return x
}

// add adds a value unless one is there already of which all lines say the same.
func (m *model) add(x *axes, d dimension, q config.Connection, marks string) {
	if m.late() {
		return
	}
	v := &value{q: q, d: d, marks: marks}
	m.weigh(v)
	kind := fmt.Sprint(d, marks, v.bits)
	if !x.known[kind] {
		x.known[kind] = true
		x.values[d] = append(x.values[d], v)
	} else if q.Named && len(x.more) < mostNamed {
		x.more = append(x.more, v)
	}
}

// mostNamed is how many values are tried beyond one of each kind.
const mostNamed = 300

func family(address string) string {
	a, _ := netip.ParseAddr(address)
	return fmt.Sprint(a.Is4(), " ")
}

// userAxis has users that exist, names that lines speak of, and names that none does.
func (m *model) userAxis(machine Machine, x *axes) {
	allowed, _ := m.admissions("allowusers", "denyusers")
	inGroup, _ := m.admissions("allowgroups", "denygroups")
	byGroup := append(patterns(m.about("group")), inGroup...)
	named := append(patterns(m.about("user")), allowed...)
	for _, u := range m.people(machine, named, byGroup) {
		q := config.Connection{User: u,
			Named: slices.Contains(named, u.Name) || slices.ContainsFunc(byGroup, u.In)}
		m.add(x, byUser, q, fmt.Sprint(q.Root(), u.Made && len(u.Groups) > 0,
			flags(allowed, func(p string) bool { return pattern.Fits(p, u.Name) }),
			flags(inGroup, func(p string) bool { return u.In(p) }), " "))
	}
}

// people are users in the order in which they serve as examples.
func (m *model) people(machine Machine, byName, byGroup []string) []*config.User {
	known := machine.Users(byGroup)
	byNames := map[string]*config.User{}
	for i := range known {
		byNames[known[i].Name] = &known[i]
	}
	var all []*config.User
	for _, name := range candidate.UserNames(byName) {
		u := byNames[name]
		if u == nil {
			u = &config.User{Name: name, Made: name != "root"}
			if slices.Contains(byName, name) && !m.late() { // others are too many to look up
				if found, ok := machine.User(name); ok {
					u = &found
				}
			}
		}
		all = append(all, u)
	}
	for i := range known {
		all = append(all, &known[i])
	}
	for _, p := range byGroup {
		if !slices.ContainsFunc(all, func(u *config.User) bool { return u.In(p) }) {
			all = append(all, &config.User{Name: config.PlainUser, Made: true,
				Groups: candidate.Instances(p, []string{"x"})[:1]})
		}
	}
	return all
}

func (m *model) addressAxis(zones []string, x *axes) {
	criteria := m.about("address")
	if !m.base.On("usedns") {
		criteria = m.about("address", "host")
	}
	_, from := m.admissions("allowusers", "denyusers")
	all := []string{config.PlainAddress}
	if len(criteria)+len(from)+len(m.about("localaddress")) > 0 { // of both families
		all = candidate.ClientAddresses(append(patterns(criteria), from...), zones)
	}
	for _, addr := range all {
		if x.reachable(addr) {
			says := flags(from, func(p string) bool {
				return pattern.Addresses(p, addr) == pattern.Includes
			})
			named := slices.Contains(patterns(criteria), addr)
			m.add(x, byAddr, config.Connection{Addr: addr, Named: named}, family(addr)+says)
		}
	}
}

// reachable reports whether sshd listens in the family of an address. What is not known is
// reachable.
func (x *axes) reachable(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && (len(x.listen) == 0 ||
		slices.ContainsFunc(x.listen, func(l candidate.Listener) bool { return l.V4 == a.Is4() }))
}

// hostAxis: the empty name is that of a client without one.
func (m *model) hostAxis(x *axes) {
	m.add(x, byHost, config.Connection{}, "")
	if !m.base.On("usedns") {
		return
	}
	_, from := m.admissions("allowusers", "denyusers")
	for _, host := range candidate.HostNames(append(patterns(m.about("host")), from...)) {
		says := flags(from, func(p string) bool {
			return pattern.Hosts(p, host) == pattern.Includes
		})
		m.add(x, byHost, config.Connection{Host: host}, "named "+says)
	}
}
