package accounts

import (
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/takeover"
	"latchkey/pam/twilio/protocol"
)

// question is the body of every question of enroll's to a fleet: an operation leaves out what it
// does not need. Secrets go only in this direction.
type question struct {
	Right      right                  `json:"right,omitzero"`
	Ago        time.Duration          `json:"ago,omitempty"` // since the password was given
	Code       string                 `json:"code,omitempty"`
	Name       string                 `json:"name,omitempty"`  // of a device, or a list's last
	Label      string                 `json:"label,omitempty"` // that the device gets
	Device     *record.Device         `json:"device,omitempty"`
	Counter    uint64                 `json:"counter,omitempty"`
	Enrollment *enrollment.Enrollment `json:"enrollment,omitempty"`
	Replace    bool                   `json:"replace,omitempty"` // all of a user by Enrollment
	Exchange   *enrollment.Exchange   `json:"exchange,omitempty"`
	Recovery   *record.Recovery       `json:"recovery,omitempty"`
	OneTime    *state.OneTimeCode     `json:"one_time,omitempty"`
	Computers  *Computers             `json:"computers,omitempty"`
	Phone      *state.DeviceID        `json:"phone,omitempty"` // or else Number
	Number     string                 `json:"number,omitempty"`
	Channel    method.Method          `json:"channel,omitempty"`
	AtOnce     bool                   `json:"at_once,omitempty"`
	SID        string                 `json:"sid,omitempty"`
}

// right is enrollment.Right, with times that do not depend on whose clock is right.
type right struct {
	Root     bool          `json:"root,omitempty"`
	Password bool          `json:"password,omitempty"`
	Ago      time.Duration `json:"ago,omitempty"`
	Sealed   []byte        `json:"sealed,omitempty"`
}

// Reply is the body of every answer. An operation that failed has made at most those changes that
// the same error means on a single host.
type Reply struct {
	Failed  *failure       `json:"failed,omitempty"`
	Record  *record.Record `json:"record,omitempty"` // redacted
	State   *state.State   `json:"state,omitempty"`  // redacted
	Names   []string       `json:"names,omitempty"`
	More    bool           `json:"more,omitempty"` // names follow
	Match   match          `json:"match,omitzero"`
	Sealed  []byte         `json:"sealed,omitempty"` // the proof that the code is right
	Changed bool           `json:"changed,omitempty"`
	Ticket  bool           `json:"ticket,omitempty"` // a first enrollment needs one
	Trusts  []state.Trust  `json:"trusts,omitempty"`
	Sent    Sent           `json:"sent,omitzero"`
	Judged  judged         `json:"judged,omitzero"` // of Match
	// TookOver is what became of a user of another second factor's file.
	TookOver takeover.Outcome `json:"took_over,omitzero"`

	wanted bool // a change that the host had the right to ask for
}

// WantedChange reports whether the question asked for a change that the host had the right to ask
// for. If the change was refused, it must not be made later.
func (a Reply) WantedChange() bool { return a.wanted }

// judged is what a host may know of Judged, beside its match.
type judged struct {
	Answer   protocol.Answer `json:"answer,omitzero"`
	Free     bool            `json:"free,omitempty"`
	Standing factor.Standing `json:"standing,omitempty"`
	Enough   bool            `json:"enough,omitempty"`
}

// match is what a host may know of a factor.Match.
type match struct {
	Result  factor.Result  `json:"result"`
	Method  method.Method  `json:"method,omitempty"`
	Device  *record.Device `json:"device,omitempty"` // redacted
	Lockout limit.Lockout  `json:"lockout,omitzero"`
}

func matchOf(m factor.Match) match {
	out := match{Result: m.Result, Method: m.Method, Lockout: m.Lockout}
	if m.Device != nil {
		d := redactedDevice(*m.Device)
		out.Device = &d
	}
	return out
}

func (m match) match() factor.Match {
	return factor.Match{
		Result: m.Result, Method: m.Method, Device: m.Device, Lockout: m.Lockout,
	}
}
