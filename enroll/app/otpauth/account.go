package otpauth

import (
	"os"
	"strings"
)

// Account is what an authenticator app shows beside a code, by which people tell their accounts
// apart.
type Account struct {
	Issuer string // latchkey.toml's; "": the host's name
	Host   string
	User   string
}

// Host is the name of this machine.
func Host() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return "latchkey"
	}
	return host
}

// issuer is what the app shows above the code.
func (a Account) issuer() string {
	if a.Issuer == "" {
		return a.Host
	}
	return a.Issuer
}

// name is what the app shows below it. Where the issuer is not the host's name, the host is a
// part of this, or people could not tell two hosts of one issuer apart.
func (a Account) name() string {
	if a.Issuer == "" || a.Issuer == a.Host {
		return a.User
	}
	return a.User + "@" + a.Host
}

// label is issuer and name. Apps split it at the first colon, so an issuer that has one stands in
// the parameter alone.
func (a Account) label() string {
	if a.issuer() == "" || strings.Contains(a.issuer(), ":") {
		return escape(a.name())
	}
	return escape(a.issuer()) + ":" + escape(a.name())
}

// short are accounts that tell one person's apart in fewer bytes, the most telling first. Only
// the last, for names that leave no room, has no host.
func (a Account) short() []Account {
	first, _, _ := strings.Cut(a.Host, ".")
	end := first[max(0, len(first)-12):] // numbers stand at the end
	return []Account{
		a, {Issuer: a.Issuer, Host: first, User: a.User}, {Host: first, User: a.User},
		{Host: end, User: a.User}, {User: a.User},
	}
}

// escape writes text so that every app reads it back: apps disagree about "+", and about what
// else need not be escaped, but all undo %XX (RFC 3986, section 2.1). "@" stands for itself in a
// path.
func escape(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("-._~@", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}
