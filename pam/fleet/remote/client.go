// Package remote asks the service of a fleet, as the host that it runs on.
//
// The login program links this package, so it imports nothing of the network: latchkey-fleet
// carries the bytes.
package remote

import (
	"encoding/json"
	"net/netip"
	"time"

	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
)

// Client asks questions. What it says of the login is for the fleet's log and limits.
type Client struct {
	Settings *settings.Settings
	// Open prepares Carry, while the question is sealed.
	Open func(*settings.Settings)
	// Carry brings a request to the services and has good judge each answer, as
	// dispatch.Dispatcher.Carry does.
	Carry   func(s *settings.Settings, request []byte, good func(body []byte) bool) error
	Epoch   Epoch
	Clock   func() time.Time
	Service string     // the PAM service
	From    netip.Addr // of the user; the zero Addr: not known
}

// New is a client of the fleet of the host below root ("" but in tests), whose settings are s.
func New(root string, s *settings.Settings, d *dispatch.Dispatcher) *Client {
	return &Client{Settings: s, Open: d.Open, Carry: d.Carry, Clock: d.Clock,
		Epoch: Epoch{Root: root}}
}

// Ask has the fleet do op for a user, whose name is empty where it is about none. Body is what the
// operation needs, and answer, if not nil, is a pointer to what it returns.
//
// Every error is a *wire.Error. With the fault of an operation, such as "unenrolled", the answer
// has been filled in if the service sent one; with every other fault nothing of it may be used.
func (c *Client) Ask(op string, u record.User, body, answer any) error {
	a, err := c.ask(op, u, body)
	if err != nil {
		return err
	}
	if len(a.Body) > 0 && answer != nil {
		if err := json.Unmarshal(a.Body, answer); err != nil {
			return wire.Errorf(wire.Protocol, "the answer to %q makes no sense", op)
		}
	} else if answer != nil && a.Fault == wire.Done {
		return wire.Errorf(wire.Protocol, "the answer to %q is empty", op)
	}
	if a.Fault != wire.Done {
		return &wire.Error{Fault: a.Fault, Text: a.Text}
	}
	return nil
}

// ask returns the first answer that the fleet has signed, if the host has seen no newer epoch. One
// of a service that refuses for a reason of its own counts only if no other has a better one.
func (c *Client) ask(op string, u record.User, body any) (wire.Answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return wire.Answer{}, wire.Errorf(wire.Internal, "%v", err)
	}
	s := c.Settings
	c.Open(s)
	sealed, err := wire.Seal(wire.Question{
		Version: wire.Version, Host: s.Host, Token: wire.NewToken(), At: c.Clock().UTC(), Op: op,
		User: u.Name, UID: u.UID, Service: c.Service, From: c.From, Body: text,
	}, s.Key, s.FleetKey)
	if err != nil {
		return wire.Answer{}, wire.Errorf(wire.Internal, "%v", err)
	}
	var a wire.Answer
	var refused error
	err = c.Carry(s, sealed.Request, func(answer []byte) bool {
		a, refused = c.judge(sealed, answer)
		return refused == nil
	})
	switch {
	case err == nil:
		return a, nil
	case refused == nil, isOwn(wire.FaultOf(refused)) && wire.FaultOf(err) == wire.Unknown:
		return wire.Answer{}, err // a service that has not answered may have done it
	}
	return wire.Answer{}, refused // says more than that there was no other answer
}

// isOwn reports whether a fault may be one of the machine of the service that says it, such as its
// clock or a full disk: it has done nothing, and the others may. A database that was set back is
// none, because a service that does not know of it yet must not be asked in place of one that does.
func isOwn(f wire.Fault) bool { return f == wire.Clock || f == wire.Internal }

// judge opens an answer and refuses one of an older epoch: it comes from a service, or a database,
// of the past.
func (c *Client) judge(sealed *wire.Sealed, answer []byte) (wire.Answer, error) {
	a, err := sealed.Open(answer, c.Settings.VerifyKey...)
	if err != nil {
		return wire.Answer{}, err
	}
	// A service that answers can be reached: these faults are the host's own to find.
	if a.Fault == wire.Unreachable || a.Fault == wire.Forged {
		return wire.Answer{}, wire.Errorf(wire.Protocol, "a service says that it is %s", a.Fault)
	}
	if err := c.Epoch.Check(a.Epoch); err != nil {
		return wire.Answer{}, err
	}
	if isOwn(a.Fault) {
		return wire.Answer{}, &wire.Error{Fault: a.Fault, Text: a.Text}
	}
	return a, nil
}
