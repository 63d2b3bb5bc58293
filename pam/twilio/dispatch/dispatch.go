// Package dispatch reaches Twilio Verify by running latchkey-twilio, which has the network and no
// rights.
//
// It is linked into programs that run as root, so it knows processes and pipes, and nothing of any
// network.
package dispatch

import (
	"errors"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/settings"
	"latchkey/pam/unprivileged"
)

// Program is where make install puts latchkey-twilio; -ldflags -X
// latchkey/pam/twilio/dispatch.Program=PATH sets it.
var Program = "/usr/libexec/latchkey/latchkey-twilio"

// requestTime bounds one request. It is a second less than a host waits for the service of its
// fleet, which may be what makes this one.
const requestTime = 7 * time.Second

// Dispatcher runs latchkey-twilio for one login or one enrollment.
type Dispatcher struct {
	Root  string // prefix of every path; "" but in tests
	Clock func() time.Time
	// Watched is a socket whose end of file ends a request that is under way; -1 is none.
	Watched int
	budget  unprivileged.Budget
}

// Ready returns what is wrong with the settings.
func (d *Dispatcher) Ready() error {
	_, err := settings.Load(d.Root, settings.DefaultPath)
	return err
}

// Send has a code sent to a number in E.164. Locale is a language, or empty.
func (d *Dispatcher) Send(number string, channel method.Method, locale string) protocol.Answer {
	return d.ask(protocol.Request{Action: protocol.Send, To: number, Channel: channel,
		Locale: locale})
}

// Check compares a code with the verification sid, which was sent to number.
func (d *Dispatcher) Check(number, sid, code string) protocol.Answer {
	return d.ask(protocol.Request{Action: protocol.Check, To: number, SID: sid, Code: code})
}

// Probe tries the credentials without sending anything.
func (d *Dispatcher) Probe() protocol.Answer {
	return d.ask(protocol.Request{Action: protocol.Probe})
}

// ask runs latchkey-twilio for one request. Any failure is an answer that accepts nothing.
func (d *Dispatcher) ask(r protocol.Request) protocol.Answer {
	left, ok := d.budget.Next(requestTime)
	if !ok {
		return failed(protocol.Timeout, "this login has used up its time for requests")
	}
	service, err := settings.Load(d.Root, settings.DefaultPath)
	if err != nil {
		return failed(protocol.Refused, err.Error())
	}
	r.Version, r.Service, r.TimeoutMS = protocol.Version, service, int(left/time.Millisecond)
	text, err := protocol.EncodeRequest(r)
	if err != nil {
		return failed(protocol.Refused, err.Error())
	}
	began := d.Clock()
	answer, err := d.run(text, left+unprivileged.Spare)
	d.budget.Spend(d.Clock().Sub(began))
	if err == nil && !answer.Answers(r) {
		err = errors.New("answered another request")
	}
	if err != nil {
		return failed(protocol.Failed, "latchkey-twilio: "+err.Error())
	}
	return answer
}

func failed(r protocol.Result, detail string) protocol.Answer {
	return protocol.Answer{Version: protocol.Version, Result: r, Detail: detail}
}

// run starts latchkey-twilio, gives it the request and takes the answer.
func (d *Dispatcher) run(request []byte, limit time.Duration) (protocol.Answer, error) {
	program := unprivileged.Program{Root: d.Root, Path: Program, Clock: d.Clock,
		Watched: d.Watched, Most: protocol.MaxMessage}
	text, err := program.Run(request, limit)
	switch {
	case err != nil:
		return protocol.Answer{}, err
	case len(text) == 0:
		return protocol.Answer{}, unprivileged.ErrEnded
	}
	return protocol.DecodeAnswer(text)
}
