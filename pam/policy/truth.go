package policy

// truth is what is known of a condition. The zero truth is unknown: silence about a condition is
// not "no".
type truth int

const (
	unknown truth = iota
	no
	yes
)

// finding is what a condition, or several together, came to for one request.
type finding struct {
	is      truth
	held    []string  // the conditions that held
	unknown []Unknown // those that could not be told
}

// Unknown is a condition of a rule that could not be told.
type Unknown struct {
	Rule      int    `json:"rule"` // counted from 1
	Line      int    `json:"line"` // of that rule
	Condition string `json:"condition"`
	Why       string `json:"why"`
	// Decided reports whether the decision might have been a laxer one if the condition had been
	// told.
	Decided bool `json:"decided"`
}

func holds(text string) finding { return finding{is: yes, held: []string{text}} }

func untold(condition, why string) finding {
	return finding{unknown: []Unknown{{Condition: condition, Why: why}}}
}

// and is the finding of both: no if one is no, and yes only if both are.
func (f finding) and(g finding) finding {
	all := finding{
		is: yes, held: append(f.held, g.held...), unknown: append(f.unknown, g.unknown...),
	}
	switch {
	case f.is == no || g.is == no:
		return finding{is: no}
	case f.is == unknown || g.is == unknown:
		all.is = unknown
	}
	return all
}
