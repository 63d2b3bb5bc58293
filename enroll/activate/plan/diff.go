package plan

import (
	"fmt"
	"strings"
)

// around is how many lines a diff shows on each side of what differs.
const around = 3

// Diff is the change as diff -u shows it.
func (c Change) Diff() string {
	from := c.Path
	if !c.Existed {
		from = "/dev/null"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", from, c.Path)
	steps := compare(linesOf(c.Before), linesOf(c.After))
	for at := 0; at < len(steps); {
		first, last := hunk(steps, at)
		if first == last {
			break
		}
		writeHunk(&b, steps, first, last)
		at = last
	}
	return b.String()
}

func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// step is a line of a diff: ' ' stays, '-' goes, '+' comes.
type step struct {
	what     byte
	text     string
	old, new int // its numbers, from 0
}

// compare finds the longest list of lines that stay.
func compare(old, new []string) (steps []step) {
	length := make([][]int, len(old)+1)
	for i := range length {
		length[i] = make([]int, len(new)+1)
	}
	for i := len(old) - 1; i >= 0; i-- {
		for j := len(new) - 1; j >= 0; j-- {
			if length[i][j] = max(length[i+1][j], length[i][j+1]); old[i] == new[j] {
				length[i][j] = length[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(old) || j < len(new) {
		switch {
		case i < len(old) && j < len(new) && old[i] == new[j]:
			steps = append(steps, step{' ', old[i], i, j})
			i, j = i+1, j+1
		case j == len(new) || i < len(old) && length[i+1][j] >= length[i][j+1]:
			steps = append(steps, step{'-', old[i], i, j})
			i++
		default:
			steps = append(steps, step{'+', new[j], i, j})
			j++
		}
	}
	return steps
}

// hunk is the next part of a diff from a step on: what differs, with lines around it. first is
// last: nothing does.
func hunk(steps []step, from int) (first, last int) {
	at := from
	for at < len(steps) && steps[at].what == ' ' {
		at++
	}
	if at == len(steps) {
		return at, at
	}
	first, last = max(from, at-around), at
	for ; at < len(steps) && at <= last+2*around; at++ {
		if steps[at].what != ' ' {
			last = at
		}
	}
	return first, min(len(steps), last+around+1)
}

func writeHunk(b *strings.Builder, steps []step, first, last int) {
	gone, come := 0, 0
	for _, s := range steps[first:last] {
		if s.what != '+' {
			gone++
		}
		if s.what != '-' {
			come++
		}
	}
	fmt.Fprintf(b, "@@ -%s +%s @@\n", span(steps[first].old, gone), span(steps[first].new, come))
	for _, s := range steps[first:last] {
		fmt.Fprintf(b, "%c%s\n", s.what, s.text)
	}
}

// span is a range of lines as diff writes it; that of none begins before it.
func span(first, n int) string {
	if n > 0 {
		first++
	}
	return fmt.Sprintf("%d,%d", first, n)
}
