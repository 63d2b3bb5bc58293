// Package field finds where the code begins in a field that holds password and code.
//
// Clients that ask once (OpenVPN, mail, FTP) send "passwordCODE". The gate keeps the text and
// shows only its shape: a 9 for each digit, an a for each letter, a dot for anything else; commas,
// dashes and blanks stay as they are. So nothing here ever sees a password.
package field

import (
	"slices"
	"strings"

	"latchkey/pam/method"
	"latchkey/pam/record"
)

// Cut is the number of bytes at the end that are the code, and of those before it that separate
// it. The zero value takes nothing off.
type Cut struct{ Code, Comma int }

// Codes are the codes that a user can type. The zero value is a user without any.
type Codes struct {
	Digits  []int // how many digits need no comma before them, the most first
	Spelled bool  // recovery codes and codes that root gave out
	Behind  []int // how many digits may stand behind a comma
}

// The lengths of codes that are sent to phones: what Twilio Verify sends unless told otherwise,
// and what it can be told to send.
const (
	usuallySent  = 6
	shortestSent = 4
	longestSent  = 10
)

// Unknown returns the codes of a user whose record cannot be read: the usual ones. Whether such a
// user gets in is decided elsewhere.
func Unknown() Codes { return Codes{Digits: []int{6}, Spelled: true, Behind: []int{6}} }

// Of returns the codes of a record's user.
func Of(r *record.Record) Codes {
	c := Codes{Spelled: true}
	for _, d := range r.Devices {
		if d.Type != method.Phone {
			c.own(d.Digits)
			continue
		}
		c.own(usuallySent)
		for n := shortestSent; n <= longestSent; n++ {
			c.Behind = append(c.Behind, n)
		}
	}
	for _, code := range r.Recovery.Codes {
		c.Behind = append(c.Behind, len(code))
	}
	slices.SortFunc(c.Digits, func(a, b int) int { return b - a })
	return c
}

// own notes codes of so many digits, which need no comma.
func (c *Codes) own(digits int) {
	if digits > 0 {
		c.Digits, c.Behind = append(c.Digits, digits), append(c.Behind, digits)
	}
}

// Cut finds the code at the end of a shape. The text after the last comma is the code if all of it
// can be one; otherwise the digits at the end are, as many as the user's codes have.
func (c Codes) Cut(shape string) Cut {
	if at := strings.LastIndexByte(shape, ','); at >= 0 && c.isCode(shape[at+1:]) {
		return Cut{Code: len(shape) - at - 1, Comma: 1}
	}
	return Cut{Code: c.atTheEnd(shape)}
}

// atTheEnd returns how many digits at the end are a code.
func (c Codes) atTheEnd(shape string) int {
	digits := len(shape) - len(strings.TrimRight(shape, "9"))
	for _, n := range c.Digits {
		if n <= digits {
			return n
		}
	}
	return 0
}

// isCode reports whether all of a shape can be a code.
func (c Codes) isCode(shape string) bool {
	plain := strings.NewReplacer(" ", "", "-", "").Replace(shape)
	if c.Spelled && c.isSpelled(shape, plain) {
		return true
	}
	return strings.Trim(plain, "9") == "" && slices.Contains(c.Behind, len(plain))
}

// Recovery codes have ten letters and digits, and are printed with a dash in the middle.
const (
	spelledLength = 10
	middle        = 5
)

// isSpelled reports whether a shape is such a code: as it is printed, also between blanks; or
// without its dash directly behind the comma, unless it ends like a device's code, as the end of a
// password before such a code does.
func (c Codes) isSpelled(shape, plain string) bool {
	if len(plain) != spelledLength || strings.Trim(plain, "9a") != "" {
		return false
	}
	if len(shape) == spelledLength {
		return c.atTheEnd(shape) == 0
	}
	if printed := strings.Trim(shape, " "); len(printed) == spelledLength+1 &&
		printed[middle] == '-' {
		return true
	}
	return len(shape) == spelledLength+1 && shape[middle] == ' '
}
