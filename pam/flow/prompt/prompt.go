// Package prompt is what a login shows to the user, and what the user can answer.
package prompt

import (
	"fmt"
	"strings"
)

// Moment is when a prompt is shown.
type Moment int

// The moments.
const (
	NothingSent Moment = iota // no code was sent in this login
	SentEarlier               // one was, earlier
	SentNow                   // one was just now
)

// AsksForCode is how every prompt for a code ends: programs and people's scripts look for it.
const AsksForCode = "Verification code: "

// roomy is the longest text in front of that which fits 80 columns, with a usual "(user@host) "
// before it.
const roomy = 48

// Prompt asks for a code, in the words for the moment. What is said before it stands in the same
// prompt, because older sshd shows separate messages late. Several phones are listed on a line of
// their own.
func (c Choices) Prompt(said string, when Moment) string {
	more := ""
	if strings.HasSuffix(said, "\n") { // lines of their own
		more, said = said, ""
	}
	prompt := c.line(said, when)
	if len(c.Phones) > 1 && when != SentNow {
		prompt = c.listed() + ".\n" + prompt
	}
	return c.below(more + prompt)
}

// below puts a prompt on a line of its own where it does not fit beside what the client writes in
// front of it.
func (c Choices) below(prompt string) string {
	first, _, _ := strings.Cut(prompt, "\n")
	if c.InFront+len(strings.TrimRight(first, " ")) >= 80 {
		return "\n" + prompt
	}
	return prompt
}

// broad is the longest line of the list of phones, with the same room before the first as roomy.
const broad = 66

// listed lists the phones, in lines that fit 80 columns.
func (c Choices) listed() string {
	lines, line := "", "Phones:"
	for i := range c.Phones {
		phone := fmt.Sprintf(" %d is %s", i+1, c.Phones[i].Hint)
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
func (c Choices) line(said string, when Moment) string {
	if when == SentNow {
		return strings.TrimLeft(said+" ", " ") + AsksForCode
	}
	for _, text := range c.texts(said) {
		if said != "" {
			text = said + " " + text
		}
		if len(text) <= roomy {
			return text + " " + AsksForCode
		}
	}
	return strings.TrimLeft(said+" ", " ") + AsksForCode
}

// texts name what can be typed, the longest first: what the user has in hand before what has to be
// sent.
func (c Choices) texts(said string) []string {
	words, own := c.words(), "From your "+c.devices()
	switch {
	case c.Offline:
		return []string{"Type a break-glass code of this host.", "Type a break-glass code."}
	case !c.Own() && words != "" && c.Recovery && saysThatPhonesFail(said):
		return []string{"Use a recovery code."}
	case c.Own() && words != "" && c.Recovery:
		return []string{own + ", " + comma(words) + " or a recovery code.",
			own + ", or " + words + ".", own + "."}
	case c.Own() && words != "" && said == "":
		return []string{own + ", or type " + words + ".", own + ", or " + words + "."}
	case c.Own() && words != "":
		return []string{own + ", or " + words + ".", own + "."}
	case c.Own() && c.Recovery:
		return []string{own + ", or a recovery code.", own + "."}
	case c.Own():
		return []string{own + "."}
	case words != "" && c.Recovery:
		return []string{"Type " + comma(words) + " or a recovery code.", "Type " + words + "."}
	case words != "" && said == NotAccepted:
		return []string{"Type the code, " + words + "."}
	case words != "":
		return []string{"Type " + words + " to get a code.", "Type " + words + "."}
	case c.Recovery:
		return []string{"From your recovery codes."}
	}
	return []string{"From your administrator."}
}

// words are what can be typed instead of a code: sms or call, and with several phones an example
// of how to name one.
func (c Choices) words() string {
	var words []string
	for _, m := range c.Channels {
		words = append(words, string(m))
	}
	if len(c.Phones) > 1 {
		words[0] += " 1"
	}
	return strings.Join(words, " or ")
}

// comma makes "sms or call" the beginning of a longer list.
func comma(words string) string { return strings.Replace(words, " or ", ", ", 1) }
