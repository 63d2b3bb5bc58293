package figures

import (
	"fmt"
	"strconv"
	"strings"
)

// Markdown returns the run as text: what it ran on, a table of medians and of what latchkey's are to
// the others', and notes.
func (r *Run) Markdown() string {
	head := "| |"
	for _, s := range Stacks() {
		head += " " + string(s) + " |"
	}
	for _, s := range peers() {
		head += " to " + string(s) + " |"
	}
	return wrap(r.about()+" The table has medians, and the ratio of latchkey's to each other one "+
		"with its 95 % interval.") + "\n\n" + r.table(head, median, (*Figure).ratios) + r.notes()
}

// Spread returns a table of medians with their quartiles.
func (r *Run) Spread() string {
	head := "| |"
	for _, s := range Stacks() {
		head += " " + string(s) + " |"
	}
	return wrap(r.about()+" The table has medians, with quartiles in brackets.") + "\n\n" +
		r.table(head, quartiles, func(*Figure) string { return "" }) + r.notes()
}

// peers are the stacks that latchkey is compared with, the nearest first.
func peers() []Stack { return []Stack{Google, Oath, Unix} }

// about names the machine.
func (r *Run) about() string {
	m := r.Machine
	virtual := ""
	if m.Virtual {
		virtual = " (virtual machine)"
	}
	source := ""
	if m.Commit != "" {
		source = " of " + m.Commit
	}
	return fmt.Sprintf("One run of `make bench`%s on %s: %s%s, %d CPUs, %d GiB, Linux %s, %s, "+
		"%s; passwords hashed as Debian does (%s).", source, m.Date.Format("2 January 2006"),
		m.Processor, virtual, m.CPUs, m.Memory, m.Kernel, m.FileSystem, m.Go, r.hashes())
}

// hashes names how passwords are hashed, as crypt(5) does.
func (r *Run) hashes() string {
	names := map[string]string{"$y$": "yescrypt", "$6$": "sha512crypt"}
	for begin, name := range names {
		all := len(r.Hosts) > 0
		for _, h := range r.Hosts {
			all = all && strings.HasPrefix(h.Hash, begin)
		}
		if all {
			return name
		}
	}
	var each []string
	for _, h := range r.Hosts {
		each = append(each, h.Hash)
	}
	return strings.Join(each, ", ")
}

// table writes the medians of all stacks as cell does, and then what more does.
func (r *Run) table(head string, cell func([]float64) string, more func(*Figure) string) string {
	var b strings.Builder
	columns := strings.Count(head, "|") - 2
	fmt.Fprintf(&b, "%s\n|---|%s\n", head, strings.Repeat("--:|", columns))
	for _, h := range r.Hosts {
		fmt.Fprintf(&b, "| **%s**, %s |%s\n", h.Name, h.OpenSSH, strings.Repeat(" |", columns))
		for _, kind := range []Kind{Whole, Code, CPU, Peak, Rate, Crowd} {
			for _, f := range r.Find(kind, h.Name) {
				fmt.Fprintf(&b, "| %s |", f.Label())
				for _, s := range Stacks() {
					fmt.Fprintf(&b, " %s |", cell(f.Values[s]))
				}
				fmt.Fprintf(&b, "%s\n", more(f))
			}
		}
	}
	return b.String()
}

// Label says what was measured.
func (f *Figure) Label() string {
	switch f.Kind {
	case Whole:
		return "whole login, ms"
	case Code:
		return "typed code to success, ms"
	case CPU:
		return "the module alone, CPU, ms"
	case Peak:
		return "its largest process, MiB"
	case Rate:
		if f.At == 1 {
			return "logins a second, one at a time"
		}
		return fmt.Sprintf("logins a second, %d in parallel", f.At)
	}
	return "whole login, " + Thousands(f.At) + " users enrolled, ms"
}

// none is what stands where nothing was measured.
const none = "–"

func median(values []float64) string {
	if len(values) == 0 {
		return none
	}
	return Digits(Median(values))
}

func quartiles(values []float64) string {
	if len(values) == 0 {
		return none
	}
	return fmt.Sprintf("%s (%s–%s)", median(values), Digits(Quantile(values, 0.25)),
		Digits(Quantile(values, 0.75)))
}

// ratios are the cells of latchkey's ratio to each of the others.
func (f *Figure) ratios() (cells string) {
	for _, peer := range peers() {
		r, ok := f.Compared(peer)
		if !ok {
			cells += " " + none + " |"
			continue
		}
		cells += fmt.Sprintf(" **%.3f** (%.3f–%.3f) |", r.Value, r.Low, r.High)
	}
	return cells
}

// notes are the figures' notes, as a list.
func (r *Run) notes() (list string) {
	for _, f := range r.Figures {
		for _, s := range Stacks() {
			text := f.Notes[s]
			if f.Refused[s] > 0 {
				text = fmt.Sprintf("refused %d of %d right codes, which do not count as logins",
					f.Refused[s], f.Attempts[s])
			}
			if text != "" {
				list += wrap(fmt.Sprintf("- %s on %s, %s: %s.", s, f.Host, f.Label(), text)) + "\n"
			}
		}
	}
	if list != "" {
		list = "\n" + list
	}
	return list
}

// Digits writes a number with three digits that count.
func Digits(v float64) string {
	switch {
	case v >= 100:
		return Thousands(int(v + 0.5))
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Thousands writes a number as 1,000,000.
func Thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// width is where lines of Markdown end.
const width = 99

// wrap breaks a paragraph into lines.
func wrap(text string) string {
	var b strings.Builder
	at := 0
	for _, word := range strings.Fields(text) {
		if at > 0 && at+1+len(word) > width {
			b.WriteByte('\n')
			at = 0
		}
		if at > 0 {
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}
