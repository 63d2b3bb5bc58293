package sshd

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// axes are the values that connections are made of: one of each kind, the most usual first.
type axes struct {
	users                         []*User
	addrs, hosts, laddrs, rdomain []string
	ports                         []int
	listen                        []listener
	dns                           bool // names are looked up, so that a host is not its address
}

// Machine is what is known about the machine of an sshd.
type Machine struct {
	// Users are all users that the name service names, members of these groups among them.
	Users func(groups []string) []User
	// User looks for one by name.
	User func(name string) (User, bool)
	// Zones are the network interfaces by which clients on the same link come over IPv6.
	Zones []string
}

func (m *model) axes(machine Machine) *axes {
	x := &axes{listen: listeners(m.base), dns: m.base.on("usedns")}
	x.users = m.userAxis(machine)
	x.addrs = m.addressAxis(machine.Zones, x)
	x.hosts = m.hostAxis(x.dns)
	x.laddrs = m.localAxis(x.listen)
	x.ports = m.portAxis(x.listen)
	x.rdomain = append([]string{""}, instancesOf(m.about("rdomain"))...)
	return x
}

func instancesOf(criteria []criterion) []string {
	all := patterns(criteria)
	var values []string
	for _, p := range all {
		values = append(values, instances(p, literals(all))...)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	return atoms(values, func(v string) string { return truths(criteria, &connection{rdomain: v}) })
}

// userAxis has users that exist, names that lines speak of, and names that none does.
func (m *model) userAxis(machine Machine) []*User {
	criteria := m.about("user", "group")
	allowed, _ := m.admissions("allowusers", "denyusers")
	inGroup, _ := m.admissions("allowgroups", "denygroups")
	byGroup := append(patterns(m.about("group")), inGroup...)
	all := m.people(machine, append(patterns(m.about("user")), allowed...), byGroup)
	return atoms(all, func(u *User) string {
		q := &connection{user: u}
		root := u.UID == 0 && !u.made
		return fmt.Sprint(truths(criteria, q), root, u.made && len(u.Groups) > 0,
			flags(allowed, func(p string) bool { return fits(p, u.Name) }),
			flags(inGroup, func(p string) bool {
				return slices.ContainsFunc(u.Groups, func(g string) bool { return fits(p, g) })
			}))
	})
}

// people are users in the order in which they serve as examples.
func (m *model) people(machine Machine, byName, byGroup []string) []*User {
	known := machine.Users(byGroup)
	byNames := map[string]*User{}
	for i := range known {
		byNames[known[i].Name] = &known[i]
	}
	var all []*User
	for _, name := range userNames(byName) {
		u := byNames[name]
		if u == nil {
			u = &User{Name: name, made: name != "root"}
			if found, ok := machine.User(name); ok {
				u = &found
			}
		}
		all = append(all, u)
	}
	for i := range known {
		all = append(all, &known[i])
	}
	for _, p := range byGroup {
		inside := func(u *User) bool {
			return slices.ContainsFunc(u.Groups, func(g string) bool { return fits(p, g) })
		}
		if !slices.ContainsFunc(all, inside) {
			all = append(all, &User{Name: plainUser, made: true, Groups: instances(p, []string{"x"})[:1]})
		}
	}
	return all
}

func (m *model) addressAxis(zones []string, x *axes) []string {
	criteria := m.about("address")
	if !x.dns {
		criteria = m.about("address", "host")
	}
	_, from := m.admissions("allowusers", "denyusers")
	if len(criteria)+len(from) == 0 {
		return []string{plainAddress}
	}
	values := clientAddresses(append(patterns(criteria), from...), zones)
	values = slices.DeleteFunc(values, func(v string) bool { return !x.reachable(v) })
	return atoms(values, func(v string) string {
		q := &connection{addr: v, host: v}
		a, _ := netip.ParseAddr(v)
		return fmt.Sprint(truths(criteria, q), a.Is4(), flags(from, func(p string) bool { return addresses(p, v) == includes }))
	})
}

// reachable reports whether sshd listens in the family of an address. What is not known is reachable.
func (x *axes) reachable(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && (len(x.listen) == 0 ||
		slices.ContainsFunc(x.listen, func(l listener) bool { return l.v4 == a.Is4() }))
}

// hostAxis: "" is a client without a name, whose host is its address.
func (m *model) hostAxis(dns bool) []string {
	if !dns {
		return []string{""}
	}
	criteria := m.about("host")
	_, from := m.admissions("allowusers", "denyusers")
	values := append([]string{""}, hostNames(append(patterns(criteria), from...))...)
	return atoms(values, func(v string) string {
		q := &connection{host: v}
		return fmt.Sprint(v == "", truths(criteria, q), flags(from, func(p string) bool { return hosts(p, v) == includes }))
	})
}

func (m *model) localAxis(listen []listener) []string {
	criteria := m.about("localaddress")
	values := localAddresses(patterns(criteria), listen)
	return atoms(values, func(v string) string {
		a, _ := netip.ParseAddr(v)
		return fmt.Sprint(truths(criteria, &connection{laddr: v}), a.Is4())
	})
}

func (m *model) portAxis(listen []listener) []int {
	criteria := m.about("localport")
	var ports []int
	for _, text := range localPorts(patterns(criteria), listen) {
		n, _ := strconv.Atoi(strings.TrimSpace(text))
		ports = append(ports, n)
	}
	return atoms(ports, func(p int) string { return truths(criteria, &connection{lport: p}) })
}
