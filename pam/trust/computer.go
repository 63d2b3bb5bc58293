// Package trust is about computers that need no code for a while: how one is recognized, when a
// login from it needs no code, and when that ends.
package trust

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"

	"latchkey/pam/policy"
	"latchkey/pam/sshkey"
	"latchkey/pam/state"
)

// Computer is where a login comes from, as far as the client cannot choose it, and what the policy
// says about trusting it. The zero Computer is never trusted.
type Computer struct {
	policy.Trust
	Terms   string       // of the policy's decision
	Service string       // the PAM service
	Host    string       // the host in its fleet, and its key; "": there is no fleet
	Keys    []sshkey.Key // that sshd accepted in this connection
	From    netip.Addr   // the zero Addr: not from a literal address
}

// Known reports whether the computer can be recognized by what the policy says, and may be
// trusted.
func (c Computer) Known() bool {
	return c.Days > 0 && len(c.Bind) > 0 &&
		(!c.By(policy.BindKey) || len(c.Keys) > 0) &&
		(!c.By(policy.BindAddress) || network(c.From).IsValid())
}

// is reports whether t was given to this computer, by all that t binds to.
func (c Computer) is(t state.Trust) bool {
	sameKey := t.Key == [16]byte{} ||
		slices.ContainsFunc(c.Keys, func(k sshkey.Key) bool { return hash(k) == t.Key })
	sameAddress := t.Anywhere || t.From.IsValid() && t.From == network(c.From)
	return sameKey && sameAddress && (t.Key != [16]byte{} || !t.Anywhere)
}

// trusted is a trust in this computer, without a time and a tag.
func (c Computer) trusted() state.Trust {
	t := state.Trust{
		From:     network(c.From),
		Anywhere: !c.By(policy.BindAddress),
		Days:     uint16(c.Days),
		Service:  sha256.Sum256([]byte(c.place()))[0],
	}
	if c.By(policy.BindKey) {
		t.Key = hash(c.Keys[0])
	}
	return t
}

// place is the service whose logins need no code: of this host, where a state is of many.
func (c Computer) place() string {
	if c.Host == "" {
		return c.Service
	}
	return c.Service + "\x00" + c.Host // no service has that in its name
}

// hash is what the state keeps of a key.
func hash(k sshkey.Key) [16]byte {
	sum := k.Hash()
	return [16]byte(sum[:16])
}

// shared are parts of IPv6 where the first 64 bits of an address are not those of one client's
// network: addresses of this host and of IPv4 hosts behind translators, and Teredo.
func shared() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("::/64"), netip.MustParsePrefix("64:ff9b::/64"),
		netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32"),
	}
}

// network is what a client is recognized by of its address: IPv4 as a whole, and of IPv6 the first
// 64 bits, since a client chooses the others. It is the zero Addr for addresses that say nothing
// about a client.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() {
		return netip.Addr{}
	}
	if whole(a) {
		return a
	}
	prefix, _ := a.Prefix(64)
	return prefix.Addr()
}

// whole reports whether an address is looked at as a whole.
func whole(a netip.Addr) bool {
	inside := func(p netip.Prefix) bool { return p.Contains(a) }
	return a.Is4() || slices.ContainsFunc(shared(), inside)
}

// Key is the beginning of the fingerprint of the key that t is bound to, as ssh-keygen -l shows
// it; empty if it is bound to none.
func Key(t state.Trust) string {
	if t.Key == [16]byte{} {
		return ""
	}
	const sure = 16 * 8 / 6 // characters that do not depend on bits that were not kept
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(t.Key[:])[:sure]
}

// Address is where t was given, as people write it: an address, or a network in IPv6; empty if
// that is not known.
func Address(t state.Trust) string {
	switch {
	case !t.From.IsValid():
		return ""
	case whole(t.From):
		return t.From.String()
	}
	return t.From.String() + "/64"
}

// Label names the computer that t is about by what it is recognized by.
func Label(t state.Trust) string {
	switch {
	case t.Anywhere:
		return Key(t)
	case t.Key == [16]byte{}:
		return Address(t)
	}
	return fmt.Sprintf("%s from %s", Key(t), Address(t))
}
