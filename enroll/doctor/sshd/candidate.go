package sshd

import (
	"net/netip"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/pattern"
	"latchkey/enroll/doctor/sshd/ways"
)

// What a connection is where no line speaks of it. The addresses are those of RFC 5737 and RFC
// 3849.
const (
	plainUser    = "somebody"
	plainAddress = "192.0.2.1"
	plainLocal   = "192.0.2.2"
	plainHost    = "host.example"
	plainPort    = 22
)

// instances are texts that a pattern with wildcards describes, with each of the fillers for *.
func instances(text string, fillers []string) []string {
	if !pattern.Wild(text) {
		return []string{text}
	}
	var all []string
	for _, f := range fillers {
		one := strings.ReplaceAll(text, "*", f)
		all = append(all, strings.ReplaceAll(one, "?", "x"), strings.ReplaceAll(one, "?", "1"))
	}
	return all
}

// literals are the pieces of patterns between wildcards: what is put in for the * of one may
// make it fit another, too.
func literals(patterns []string) []string {
	pieces := []string{"x", "1", ""}
	for _, p := range patterns {
		for _, piece := range strings.FieldsFunc(p, func(r rune) bool { return r == '*' || r == '?' }) {
			if !slices.Contains(pieces, piece) && len(pieces) < mostPieces {
				pieces = append(pieces, piece)
			}
		}
	}
	return pieces
}

const mostPieces = 64

// userNames are names that patterns speak of, and names that hardly any does. Those of which there
// are many come last, since there may be no time for all.
func userNames(patterns []string) []string {
	all := []string{plainUser, "root"}
	for _, p := range patterns {
		all = append(all, instances(p, []string{"x"})...)
	}
	for c := 'a'; c <= 'z'; c++ {
		all = append(all, strings.Repeat(string(c), 9), string(c))
	}
	wild := slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return !pattern.Wild(p) })
	for _, piece := range literals(wild) {
		for _, p := range wild {
			all = append(all, instances(p, []string{piece})...)
		}
	}
	return all
}

// clientAddresses are one address in each part that the networks among the patterns cut out, and
// texts for the wildcards.
func clientAddresses(patterns []string, zones []string) []string {
	all := []string{plainAddress, "2001:db8::1"}
	for _, p := range patterns {
		if n, ok := pattern.Network(p); ok {
			first, behind := pattern.Ends(n)
			all = append(all, first.String())
			if behind.IsValid() {
				all = append(all, behind.String())
			}
			continue
		}
		all = append(all, wildAddresses(p)...)
	}
	all = append(all, "0.0.0.0", "203.0.113.1", "::", "fe80::1", "ffff::1")
	for _, z := range zones {
		all = append(all, "fe80::1%"+z)
	}
	return slices.DeleteFunc(all, func(a string) bool { _, err := netip.ParseAddr(a); return err != nil })
}

// octets stand for a wildcard in an IPv4 address, groups in an IPv6 address.
var (
	octets = []string{"0", "1", "2", "9", "10", "99", "100", "200", "255",
		"0.0", "1.1", "0.0.1", "1.0.1", "0.0.0.1", ""}
	groups = []string{"1", ":1", "::1", "0:0:1", "fe80::1", "2001:db8::1", ""}
)

func wildAddresses(text string) []string {
	fillers := octets
	if strings.Contains(text, ":") {
		fillers = groups
	}
	var all []string
	for _, f := range fillers {
		for _, digit := range []string{"1", "9", "5"} {
			all = append(all, strings.NewReplacer("*", f, "?", digit).Replace(text))
		}
	}
	return all
}

// hostNames are names of clients, where UseDNS is yes.
func hostNames(patterns []string) []string {
	all := []string{plainHost}
	pieces := literals(patterns)
	for _, p := range patterns {
		all = append(all, instances(p, pieces)...)
	}
	return slices.DeleteFunc(all, func(h string) bool { return h == "" || strings.HasPrefix(h, "[") })
}

// listener is where sshd listens.
type listener struct {
	addr string // "" for every address of its family
	v4   bool
	port int
}

func listeners(base ways.Options) []listener {
	var all []listener
	for _, text := range base["listenaddress"] {
		text, _, _ = strings.Cut(text, " ") // rdomain
		at, err := netip.ParseAddrPort(text)
		if err != nil {
			continue
		}
		l := listener{at.Addr().String(), at.Addr().Is4(), int(at.Port())}
		if at.Addr().IsUnspecified() {
			l.addr = ""
		}
		all = append(all, l)
	}
	return all
}

// localPorts are a port that sshd listens on and no line names, and the ports that lines name.
func localPorts(patterns []string, listen []listener) []int {
	var named, all []int
	for _, p := range patterns {
		named = append(named, port(p))
	}
	for _, l := range listen {
		if !slices.Contains(named, l.port) {
			all = append(all, l.port)
			break
		}
	}
	all = append(all, named...)
	if len(all) == 0 {
		all = []int{plainPort}
	}
	return all
}

// localAddresses are clientAddresses for this side: where sshd listens on certain addresses
// only, no others.
func localAddresses(patterns []string, listen []listener) []string {
	var certain []string
	for _, l := range listen {
		if l.addr == "" {
			certain = nil
			break
		}
		certain = append(certain, l.addr)
	}
	if certain == nil {
		return append([]string{plainLocal, "2001:db8::2"}, clientAddresses(patterns, nil)...)
	}
	return certain
}
