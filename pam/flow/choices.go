package flow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// choices are what a user can answer a prompt with.
type choices struct {
	methods  []method.Method // that the rule allows
	own      string          // "app", "token" or both: devices that make codes by themselves; empty: none
	recovery bool            // a recovery code that is not used
	bypass   bool            // a code that root gave out
	alone    bool            // the user has one device, whatever the rule allows
	phones   []record.Device // that codes can be sent to
	channels []method.Method // SMS, Call: how
}

func newChoices(account *factor.Account, methods []method.Method, now time.Time) choices {
	c := choices{methods: methods, alone: len(account.Record.Devices) == 1, bypass: factor.Live(account.State.Bypass, now)}
	c.recovery = slices.Contains(methods, method.Recovery) && account.RecoveryLeft() > 0
	for _, m := range []method.Method{method.SMS, method.Call} {
		if slices.Contains(methods, m) {
			c.channels = append(c.channels, m)
		}
	}
	has := map[method.Method]bool{}
	for _, d := range account.Record.Devices {
		switch {
		case d.Type == method.Phone && len(c.channels) > 0:
			c.phones = append(c.phones, d)
		case d.Type != method.Phone && slices.Contains(methods, d.Type):
			has[d.Type] = true
		}
	}
	c.own = ownDevices(has[method.TOTP], has[method.HOTP])
	if len(c.phones) == 0 {
		c.channels = nil
	}
	return c
}

func ownDevices(app, token bool) string {
	switch {
	case app && token:
		return "app or token"
	case app:
		return "app"
	case token:
		return "token"
	}
	return ""
}

// none reports whether there is nothing to ask for.
func (c choices) none() bool { return c.own == "" && len(c.phones) == 0 && !c.recovery && !c.bypass }

// accepts reports whether codes of a device that makes them by itself, or recovery codes, may be used.
func (c choices) accepts(method method.Method) bool {
	return slices.Contains(c.methods, method)
}

// acceptsSent reports whether a code that was sent, maybe in another login under another rule, may be used.
func (c choices) acceptsSent(p state.Pending) bool { return slices.Contains(c.channels, channelOf(p)) }

// channelOf is how a code was sent.
func channelOf(p state.Pending) method.Method {
	if p.Voice {
		return method.Call
	}
	return method.SMS
}

// moment is when a prompt is shown.
type moment int

const (
	before moment = iota // no code was sent in this login
	after                // one was, earlier
	sent                 // one was just now
)

// How every prompt for a code ends: programs and people's scripts look for it.
const asksForCode = "Verification code: "

// roomy is the longest text in front of that which fits 80 columns, with a usual "(user@host) " before it.
const roomy = 48

// prompt asks for a code, in the words for the moment. What is said before it stands in the same prompt, because older sshd
// shows separate messages late. Several phones are listed on a line of their own.
func (c choices) prompt(said string, when moment) string {
	if len(c.phones) < 2 || when == sent {
		return c.line(said, when)
	}
	return c.listed() + ".\n" + c.line(said, when)
}

// broad is the longest line of the list of phones, with the same room before the first as roomy.
const broad = 66

// listed lists the phones, in lines that fit 80 columns.
func (c choices) listed() string {
	lines, line := "", "Phones:"
	for i := range c.phones {
		phone := fmt.Sprintf(" %d is %s", i+1, c.phones[i].Hint())
		switch {
		case i == 0:
			line += phone
		case len(line+","+phone) <= broad:
			line += "," + phone
		default:
			lines, line = lines+line+",\n", phone[1:]
		}
	}
	return lines + line
}

// line is the last line of a prompt. Of the ways to name the choices it takes the first that fits.
func (c choices) line(said string, when moment) string {
	if when == sent {
		return said + " " + asksForCode
	}
	for _, text := range c.texts(said) {
		if said != "" {
			text = said + " " + text
		}
		if len(text) <= roomy {
			return text + " " + asksForCode
		}
	}
	return strings.TrimLeft(said+" ", " ") + asksForCode
}

// texts name what can be typed, the longest first: what the user has in hand before what has to be sent.
func (c choices) texts(said string) []string {
	words, own := c.words(), "From your "+c.own
	switch {
	case c.own == "" && words != "" && c.recovery && saysThatPhonesFail(said):
		return []string{"Use a recovery code."}
	case c.own != "" && words != "" && c.recovery:
		return []string{own + ", " + comma(words) + " or a recovery code.", own + ", or " + words + ".", own + "."}
	case c.own != "" && words != "" && said == "":
		return []string{own + ", or type " + words + ".", own + ", or " + words + "."}
	case c.own != "" && words != "":
		return []string{own + ", or " + words + ".", own + "."}
	case c.own != "" && c.recovery:
		return []string{own + ", or a recovery code.", own + "."}
	case c.own != "":
		return []string{own + "."}
	case words != "" && c.recovery:
		return []string{"Type " + comma(words) + " or a recovery code.", "Type " + words + "."}
	case words != "" && said == notAccepted:
		return []string{"Type the code, " + words + "."}
	case words != "":
		return []string{"Type " + words + " to get a code.", "Type " + words + "."}
	case c.recovery:
		return []string{"From your recovery codes."}
	}
	return []string{"From your administrator."}
}

// words are what can be typed instead of a code: sms or call, and with several phones an example of how to name one.
func (c choices) words() string {
	var words []string
	for _, m := range c.channels {
		words = append(words, string(m))
	}
	if len(c.phones) > 1 {
		words[0] += " 1"
	}
	return strings.Join(words, " or ")
}

// comma makes "sms or call" the beginning of a longer list.
func comma(words string) string { return strings.Replace(words, " or ", ", ", 1) }

// request is what a user typed instead of a code.
type request struct {
	channel method.Method
	phone   record.Device
}

// parse understands sms, call, "sms 2" and "call2", in either case and with quotation marks. Anything else is taken for a
// code.
func (c choices) parse(answer string) (request, bool) {
	word := strings.ToLower(strings.TrimSpace(strings.NewReplacer(`"`, "", "'", "").Replace(answer)))
	for _, m := range c.channels {
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
		if n < 1 || n > len(c.phones) {
			return request{}, false
		}
		return request{m, c.phones[n-1]}, true
	}
	return request{}, false
}
