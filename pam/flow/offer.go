package flow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// offer is what a user can answer a prompt with.
type offer struct {
	methods  []policy.Method // that the rule allows
	app      bool            // a device that makes codes by itself
	recovery bool            // a recovery code that is not used
	bypass   bool            // a code that root gave out
	alone    bool            // the user has one device, whatever the rule allows
	phones   []record.Device // that codes can be sent to
	channels []policy.Method // SMS, Call: how
}

func newOffer(account *factor.Account, methods []policy.Method, now time.Time) offer {
	o := offer{methods: methods, alone: len(account.Record.Devices) == 1, bypass: factor.Live(account.State.Bypass, now)}
	o.recovery = slices.Contains(methods, policy.Recovery) && account.RecoveryLeft() > 0
	for _, m := range []policy.Method{policy.SMS, policy.Call} {
		if slices.Contains(methods, m) {
			o.channels = append(o.channels, m)
		}
	}
	for _, d := range account.Record.Devices {
		switch {
		case d.Type == record.Phone && len(o.channels) > 0:
			o.phones = append(o.phones, d)
		case d.Type != record.Phone && slices.Contains(methods, policy.Method(d.Type)):
			o.app = true
		}
	}
	if len(o.phones) == 0 {
		o.channels = nil
	}
	return o
}

// none tells that there is nothing to ask for.
func (o offer) none() bool { return !o.app && len(o.phones) == 0 && !o.recovery && !o.bypass }

// accepts tells whether codes of a device that makes them by itself, or recovery codes, may be used.
func (o offer) accepts(method record.Type) bool {
	return slices.Contains(o.methods, policy.Method(method))
}

// acceptsSent tells whether a code that was sent, maybe in another login under another rule, may be used.
func (o offer) acceptsSent(p state.Pending) bool { return slices.Contains(o.channels, channelOf(p)) }

// channelOf is how a code was sent.
func channelOf(p state.Pending) policy.Method {
	if p.Voice {
		return policy.Call
	}
	return policy.SMS
}

// moment is when a prompt is shown.
type moment int

const (
	before moment = iota // no code was sent in this login
	after                // one was, earlier
	sent                 // one was just now
)

// prompt asks for a code, in the words for the moment. What is said before it stands in the same prompt, because older sshd
// shows separate messages late.
func (o offer) prompt(said string, when moment) string {
	ask := "Code"
	switch {
	case len(o.phones) == 0 && !o.app && o.recovery:
		ask = "Recovery code"
	case len(o.phones) == 0 && !o.app:
		ask = "Code from your administrator"
	case len(o.phones) == 0:
		ask = "Code from your app"
	case said == "" && o.app:
		ask = "Code from your app, or " + o.words() + " to get one"
	case when == sent:
		ask += ", or " + o.words() + " again"
	case o.app || when == after:
		ask += ", or " + o.words()
	default:
		ask = "Type " + o.words() + " to get a code"
	}
	if said != "" {
		ask = said + " " + ask
	}
	return ask + ": "
}

// words are what can be typed instead of a code: "sms"/"call", and with several phones which numbers stand for which.
func (o offer) words() string {
	var words, numbers []string
	for _, m := range o.channels {
		words = append(words, strconv.Quote(string(m)))
	}
	text := strings.Join(words, "/")
	if len(o.phones) < 2 {
		return text
	}
	for i := range o.phones {
		numbers = append(numbers, fmt.Sprintf("%d for %s", i+1, o.phones[i].Hint()))
	}
	return text + " with " + strings.Join(numbers, ", ")
}

// request is what a user typed instead of a code.
type request struct {
	channel policy.Method
	phone   record.Device
}

// parse understands sms, call, "sms 2" and "call2", in either case and with the prompt's quotation marks. Anything else is
// taken for a code.
func (o offer) parse(answer string) (request, bool) {
	word := strings.ToLower(strings.TrimSpace(strings.NewReplacer(`"`, "", "'", "").Replace(answer)))
	for _, m := range o.channels {
		rest, ok := strings.CutPrefix(word, string(m))
		if !ok {
			continue
		}
		n := 1
		if rest = strings.TrimSpace(rest); rest != "" {
			var err error
			if n, err = strconv.Atoi(rest); err != nil {
				return request{}, false
			}
		}
		if n < 1 || n > len(o.phones) {
			return request{}, false
		}
		return request{m, o.phones[n-1]}, true
	}
	return request{}, false
}
