package settings

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/pam/endpoint"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/wire"
)

// Ticket is what a new host needs to join a fleet, on one line: latchkey-fleetd host invite prints
// it, and enroll fleet join takes it. It works once and until Until.
type Ticket struct {
	Services  []string  `json:"services"`
	FleetKey  string    `json:"fleet_key"`
	VerifyKey []string  `json:"verify_key"`
	CA        string    `json:"ca"`   // certificates in PEM
	Host      string    `json:"name"` // the host's name in the fleet
	Secret    []byte    `json:"secret"`
	Until     time.Time `json:"until"`
}

const (
	maxTicket  = 64 << 10
	secretSize = 16
)

// Encode is the ticket as one line of printable ASCII.
func (t Ticket) Encode() (string, error) {
	if _, err := t.Settings(); err != nil {
		return "", err
	}
	text, err := json.Marshal(t)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// ParseTicket reads a ticket as people paste it. No error shows anything of it.
func ParseTicket(text string) (t Ticket, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) > maxTicket {
		return Ticket{}, errTicket
	}
	if wire.Decode(raw, &t) != nil {
		return Ticket{}, errTicket
	}
	if _, err := t.Settings(); err != nil {
		return Ticket{}, fmt.Errorf("%w: %w", errTicket, err)
	}
	return t, nil
}

var errTicket = errors.New(
	"this is not a ticket of latchkey-fleetd host invite, or not the whole of it")

// Settings are what the host's fleet.toml will say, without the host's key.
func (t Ticket) Settings() (*Settings, error) {
	if len(t.Secret) < secretSize || t.Until.IsZero() {
		return nil, errors.New("the ticket has no secret or no end")
	}
	if !wire.IsHostName(t.Host) {
		return nil, errors.New("the ticket has no name for the host")
	}
	s := &Settings{Services: t.Services, CAFile: CAPath, CA: t.CA, Host: t.Host,
		Unreachable: Deny}
	var err error
	if s.FleetKey, err = fleetkey.ParseSealing(t.FleetKey); err != nil {
		return nil, fmt.Errorf("fleet_key %w", err)
	}
	for _, text := range t.VerifyKey {
		k, err := fleetkey.ParsePublic(text)
		if err != nil {
			return nil, fmt.Errorf("verify_key %w", err)
		}
		s.VerifyKey = append(s.VerifyKey, k)
	}
	if !endpoint.IsCertificates(t.CA, maxCA) {
		return nil, errors.New("the ticket has no certificates")
	}
	return s.reread()
}

// reread passes what a ticket says through the rules of fleet.toml, so that a host never writes
// settings that it could not read.
func (s *Settings) reread() (*Settings, error) {
	if len(s.VerifyKey) == 0 {
		return nil, errors.New("the ticket has no verify_key")
	}
	return Parse(Path, s.Format(), func(string) ([]byte, error) { return []byte(s.CA), nil })
}
