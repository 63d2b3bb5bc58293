package pattern

import "net/netip"

// Addresses is judge for addresses: each pattern is an address, a network, or a text with
// wildcards (addrmatch.c, addr_match_list). An address with a zone is in no network: a client on
// a link has one.
func Addresses(patterns, address string) List {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return Misses
	}
	return judge(patterns, func(p string) bool {
		if n, ok := Network(p); ok {
			return n.Contains(a)
		}
		return Fits(p, address)
	})
}

// Network reads an address or a network.
func Network(p string) (netip.Prefix, bool) {
	if n, err := netip.ParsePrefix(p); err == nil {
		return n.Masked(), true
	}
	if a, err := netip.ParseAddr(p); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// Ends are a network's first address and the first one behind it, which is not valid behind the
// last network.
func Ends(n netip.Prefix) (first, behind netip.Addr) {
	first = n.Masked().Addr()
	last := first.AsSlice()
	for bit := n.Bits(); bit < len(last)*8; bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(last)
	return first, a.Next()
}
