// Package hosts is what a fleet knows of its hosts: who they are, what they may do, and how many
// wrong codes came from them.
package hosts

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"time"

	"latchkey/pam/fleet/fleetkey"
)

// Role is what a host may ask. The zero Role is none.
type Role string

// The roles. None of them includes another.
const (
	Verify Role = "verify" // whether codes are right
	Enroll Role = "enroll" // changes that users make to what they have themselves
	Admin  Role = "admin"  // changes that administrators make to what others have
)

// Roles are all roles.
var Roles = []Role{Verify, Enroll, Admin}

// Status is whether a host's key counts. The zero Status is of a host that is not known.
type Status string

// The standings of a host.
const (
	Invited Status = "invited" // a ticket was made for it
	Active  Status = "active"
	Revoked Status = "revoked"
)

// Host is a host as the fleet keeps it.
type Host struct {
	Name   string    `json:"name"`
	Status Status    `json:"status"`
	Roles  []Role    `json:"roles"`
	Groups []string  `json:"groups,omitempty"`
	Key    string    `json:"key,omitempty"` // fleetkey.Public
	Since  time.Time `json:"since"`         // in this standing
	By     string    `json:"by"`            // who put it there
	Ticket *Ticket   `json:"ticket,omitempty"`
}

// Ticket is the fleet's half of a ticket.
type Ticket struct {
	Hash  []byte    `json:"hash,omitempty"` // SHA-256 of its secret, which is random
	Until time.Time `json:"until"`
}

// Invite makes a host that may join until a time, and the secret with which it does.
func Invite(h Host, by string, now, until time.Time) (Host, []byte) {
	random := make([]byte, 32)
	rand.Read(random)
	hash := sha256.Sum256(random)
	h.Status, h.Key, h.By, h.Since = Invited, "", by, now
	h.Ticket = &Ticket{Hash: hash[:], Until: until}
	return h, random
}

// Join gives the host its key, if the secret is that of its ticket. The same key may join again
// while the ticket lasts: its answer may have been lost.
func (h *Host) Join(secret []byte, key fleetkey.Public, now time.Time) bool {
	hash := sha256.Sum256(secret)
	switch {
	case h.Ticket == nil, !now.Before(h.Ticket.Until),
		subtle.ConstantTimeCompare(hash[:], h.Ticket.Hash) != 1:
		return false
	case h.Status == Active:
		return h.Key == key.String()
	case h.Status != Invited:
		return false
	}
	h.Status, h.Key, h.By, h.Since = Active, key.String(), "ticket", now
	return true
}

// Revoke ends what a host may do, for good.
func (h *Host) Revoke(by string, now time.Time) {
	h.Status, h.By, h.Since, h.Ticket = Revoked, by, now, nil
}

// PublicKey returns the key that signs the host's questions; of a host that is not active, one
// that no signature matches.
func (h *Host) PublicKey() fleetkey.Public {
	if h.Status != Active {
		return fleetkey.Public{}
	}
	key, err := fleetkey.ParsePublic(h.Key)
	if err != nil {
		return fleetkey.Public{}
	}
	return key
}

// May reports whether the host has a role: by itself, or, to enroll, because it or one of its
// groups ("@NAME") is among enrolling.
func (h *Host) May(r Role, enrolling []string) bool {
	if h.Status != Active {
		return false
	}
	if slices.Contains(h.Roles, r) {
		return true
	}
	listed := func(g string) bool { return slices.Contains(enrolling, "@"+g) }
	return r == Enroll && (slices.Contains(enrolling, h.Name) ||
		slices.ContainsFunc(h.Groups, listed))
}
