package audit

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Entry is one line of the log: a Line, Change, Ended or Untold.
type Entry interface{ fields() []field }

// field is one name and its value, in the order of the line.
type field struct {
	name, value string
	form        form
}

// form is how a value is written.
type form int

const (
	text   form = iota // from outside: quoted
	word               // one of a closed list
	number             // decimal
)

func count[N int | int64 | uint32](name string, n N) field {
	return field{name, strconv.FormatInt(int64(n), 10), number}
}

// detailed adds the detail if there is one.
func detailed(all []field, detail string) []field {
	if detail == "" {
		return all
	}
	return append(all, field{"detail", detail, text})
}

// prefix is what every line begins with: the name of the program, as syslog has it.
const prefix = "latchkey: "

// usual is more than most lines have, in bytes. What grows to that in steps asks the kernel for
// memory of each size, while a user waits for the login.
const usual = 512

// write appends texts.
func write(b *strings.Builder, texts ...string) {
	for _, t := range texts {
		b.WriteString(t)
	}
}

// plain returns an entry as names and values.
func plain(e Entry) string {
	var b strings.Builder
	b.Grow(usual)
	b.WriteString(strings.TrimSuffix(prefix, " "))
	for _, f := range e.fields() {
		if f.form == text {
			write(&b, " ", f.name, `="`, escape(f.value), `"`)
		} else {
			write(&b, " ", f.name, "=", f.value)
		}
	}
	return b.String()
}

// object returns an entry as one JSON object, in printable ASCII.
func object(e Entry) string {
	var b strings.Builder
	b.Grow(usual)
	b.WriteString(prefix)
	for i, f := range e.fields() {
		b.WriteString([]string{"{", ","}[min(i, 1)] + `"` + f.name + `":`)
		if f.form == number {
			b.WriteString(f.value)
		} else {
			b.WriteString(`"` + escapeJSON(f.value) + `"`)
		}
	}
	return b.String() + "}"
}

// maxValue is how much of a value from outside is shown, in bytes.
const maxValue = 255

// escape writes every byte that is not plain printable ASCII as \xNN, as the gate does.
func escape(s string) string {
	var b strings.Builder
	b.Grow(min(len(s), maxValue))
	for i := 0; i < len(s) && i < maxValue; i++ {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escapeJSON writes every character that is not plain printable ASCII as \uNNNN (RFC 8259
// section 7). Bytes that are not UTF-8 become U+FFFD.
func escapeJSON(s string) string {
	var b strings.Builder
	for _, r := range s[:min(len(s), maxValue)] {
		if r >= 0x20 && r <= 0x7e && r != '"' && r != '\\' {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
