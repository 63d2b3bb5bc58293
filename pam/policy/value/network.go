package value

import (
	"net/netip"

	"latchkey/pam/strict"
)

// Network reads an address or a network in CIDR notation. What could never match is refused with
// what was meant: host bits, IPv4 inside IPv6 and zones.
func Network(v strict.Value, into *netip.Prefix) error {
	if text, ok := v.String(); ok {
		*into = parseNetwork(text)
	}
	if !into.IsValid() {
		return v.Refuse(`be an address or a network such as "10.0.0.0/8", never a host name`)
	}
	if plain := plainNetwork(*into); plain != *into {
		return v.Refuse("be the network as such (" + networkText(plain) + "?) or one address")
	}
	return nil
}

// parseNetwork returns the zero Prefix for what is neither an address nor a network, and for an
// address with a zone.
func parseNetwork(s string) netip.Prefix {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, a.BitLen())
}

// plainNetwork returns p without host bits, and as IPv4 if it lies in ::ffff:0:0/96, as clients'
// addresses are compared.
func plainNetwork(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// networkText is the shortest notation of p: a single address without its length.
func networkText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// LiteralAddress returns the address that a PAM_RHOST is, without zone and as IPv4 if it is that
// inside IPv6. It returns the zero Addr for everything else.
func LiteralAddress(rhost string) netip.Addr {
	a, err := netip.ParseAddr(rhost)
	if err != nil {
		return netip.Addr{}
	}
	return a.WithZone("").Unmap()
}
