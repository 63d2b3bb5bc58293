package standin

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"

	"latchkey/pam/twilio/access"
)

// What Verify allows.
const (
	Lifetime  = 10 * time.Minute
	MaxSends  = 5
	MaxChecks = 5
)

// verification is one of Verify's.
type verification struct {
	sid, to, channel, code string
	status                 string // pending, approved, canceled
	created                time.Time
	sends                  []send
	checks                 int
}

type send struct {
	sid, channel string
	at           time.Time
}

// book has an account's verifications. Server.mu guards it.
type book struct {
	settings  access.Settings
	token     string // the account's
	all       []*verification
	landlines map[string]bool
	length    int // digits of a code
}

// newBook is an empty book of a service whose codes have so many digits, or Verify's usual 6 if
// that is 0.
func newBook(s access.Settings, length int) *book {
	if length == 0 {
		length = 6
	}
	return &book{settings: s, token: newSID(""), landlines: map[string]bool{}, length: length}
}

// pending is the verification that is pending for a number, or nil.
func (b *book) pending(to string, now time.Time) *verification {
	return b.find(now, func(v *verification) bool { return v.to == to })
}

// bySID is a verification that is pending, or nil.
func (b *book) bySID(sid string, now time.Time) *verification {
	return b.find(now, func(v *verification) bool { return v.sid == sid })
}

// find is a verification that is neither used nor canceled nor expired: Verify forgets the others.
func (b *book) find(now time.Time, match func(*verification) bool) *verification {
	for _, v := range b.all {
		if v.status == "pending" && now.Sub(v.created) < Lifetime && match(v) {
			return v
		}
	}
	return nil
}

// send sends a code, as one more attempt of the verification that is pending for the number or as
// the first of a new one.
func (b *book) send(to, channel string, now time.Time) reply {
	if channel == "sms" && b.landlines[to] {
		return refuse(403, 60205, "SMS is not supported by landline phone number")
	}
	v := b.pending(to, now)
	if v == nil {
		v = &verification{sid: newSID("VE"), to: to, code: newCode(b.length), status: "pending",
			created: now}
		b.all = append(b.all, v)
	}
	if len(v.sends) == MaxSends {
		return refuse(429, 60203, "Max send attempts reached")
	}
	v.channel = channel
	v.sends = append(v.sends, send{newSID("VL"), channel, now})
	return reply{status: 201, body: b.verification(v, now)}
}

// check compares a code. Every comparison counts, and none is made after the fifth.
func (b *book) check(v *verification, code string, now time.Time) reply {
	if v == nil {
		return b.gone("/VerificationCheck")
	}
	if v.checks == MaxChecks {
		return refuse(429, 60202, "Max check attempts reached")
	}
	v.checks++
	if code == v.code {
		v.status = "approved"
	}
	return reply{status: 200, body: b.checked(v, now)}
}

// fetch shows a verification.
func (b *book) fetch(sid string, now time.Time) reply {
	v := b.bySID(sid, now)
	if v == nil {
		return b.gone("/Verifications/" + sid)
	}
	return reply{status: 200, body: b.verification(v, now)}
}

// update ends a verification.
func (b *book) update(sid, status string, now time.Time) reply {
	v := b.bySID(sid, now)
	switch {
	case v == nil:
		return b.gone("/Verifications/" + sid)
	case status != "canceled" && status != "approved":
		return refuse(400, 60200, "Invalid parameter `Status`: "+status)
	}
	v.status = status
	return reply{status: 200, body: b.verification(v, now)}
}

// gone is Verify's answer for what is used, expired or unknown.
func (b *book) gone(what string) reply {
	return refuse(404, 20404, fmt.Sprintf("The requested resource /Services/%s%s was not found",
		b.settings.ServiceSID, what))
}

// newSID makes an identifier: kind and 32 hexadecimal digits.
func newSID(kind string) string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return kind + hex.EncodeToString(b[:])
}

// newCode makes so many digits.
func newCode(length int) string {
	code := ""
	for range length {
		digit, err := rand.Int(rand.Reader, big.NewInt(10))
		if err != nil {
			panic(err) // crypto/rand never fails
		}
		code += digit.String()
	}
	return code
}
