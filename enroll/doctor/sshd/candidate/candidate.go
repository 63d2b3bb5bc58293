// Package candidate has values to try that are likely to meet, or just to miss, the patterns of
// Match lines.
package candidate

import (
	"net/netip"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/pattern"
	"latchkey/enroll/doctor/sshd/ways"
)

// Instances are texts that a pattern with wildcards describes, with each of the fillers for *.
func Instances(text string, fillers []string) []string {
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

// Literals are the pieces of patterns between wildcards: what is put in for the * of one may
// make it fit another, too.
func Literals(patterns []string) []string {
	pieces := []string{"x", "1", ""}
	for _, p := range patterns {
		for _, piece := range strings.FieldsFunc(p, func(r rune) bool {
			return r == '*' || r == '?'
		}) {
			if !slices.Contains(pieces, piece) && len(pieces) < mostPieces {
				pieces = append(pieces, piece)
			}
		}
	}
	return pieces
}

const mostPieces = 64

// UserNames are names that patterns speak of, and names that hardly any does. Those of which there
// are many come last, since there may be no time for all.
func UserNames(patterns []string) []string {
	all := []string{config.PlainUser, "root"}
	for _, p := range patterns {
		all = append(all, Instances(p, []string{"x"})...)
	}
	for c := 'a'; c <= 'z'; c++ {
		all = append(all, strings.Repeat(string(c), 9), string(c))
	}
	wild := slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		return !pattern.Wild(p)
	})
	for _, piece := range Literals(wild) {
		for _, p := range wild {
			all = append(all, Instances(p, []string{piece})...)
		}
	}
	return all
}

// ClientAddresses are one address in each part that the networks among the patterns cut out, and
// texts for the wildcards.
func ClientAddresses(patterns []string, zones []string) []string {
	all := []string{config.PlainAddress, "2001:db8::1"}
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
	return slices.DeleteFunc(all, func(a string) bool {
		_, err := netip.ParseAddr(a)
		return err != nil
	})
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

// HostNames are names of clients, where UseDNS is yes.
func HostNames(patterns []string) []string {
	all := []string{config.PlainHost}
	pieces := Literals(patterns)
	for _, p := range patterns {
		all = append(all, Instances(p, pieces)...)
	}
	return slices.DeleteFunc(all, func(h string) bool {
		return h == "" || strings.HasPrefix(h, "[")
	})
}

// Listener is where sshd listens.
type Listener struct {
	Addr string // "" for every address of its family
	V4   bool
	Port int
}

func Listeners(base ways.Options) []Listener {
	var all []Listener
	for _, text := range base["listenaddress"] {
		text, _, _ = strings.Cut(text, " ") // rdomain
		at, err := netip.ParseAddrPort(text)
		if err != nil {
			continue
		}
		l := Listener{at.Addr().String(), at.Addr().Is4(), int(at.Port())}
		if at.Addr().IsUnspecified() {
			l.Addr = ""
		}
		all = append(all, l)
	}
	return all
}

// LocalPorts are a port that sshd listens on and no line names, and the ports that lines name.
func LocalPorts(patterns []string, listen []Listener) []int {
	var named, all []int
	for _, p := range patterns {
		named = append(named, config.Port(p))
	}
	for _, l := range listen {
		if !slices.Contains(named, l.Port) {
			all = append(all, l.Port)
			break
		}
	}
	all = append(all, named...)
	if len(all) == 0 {
		all = []int{config.PlainPort}
	}
	return all
}

// LocalAddresses are ClientAddresses for this side: where sshd listens on certain addresses
// only, no others.
func LocalAddresses(patterns []string, listen []Listener) []string {
	var certain []string
	for _, l := range listen {
		if l.Addr == "" {
			certain = nil
			break
		}
		certain = append(certain, l.Addr)
	}
	if certain == nil {
		return append([]string{config.PlainLocal, "2001:db8::2"},
			ClientAddresses(patterns, nil)...)
	}
	return certain
}
