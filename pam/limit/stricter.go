package limit

// Stricter returns a rate that admits no more than either: where two limits hold, none is a way
// around the other.
func (r Rate) Stricter(other Rate) Rate {
	return Rate{Count: min(r.Count, other.Count), Window: max(r.Window, other.Window)}
}

// Stricter returns bounds under which no more can be guessed than under either.
func (g Guesses) Stricter(other Guesses) Guesses {
	strict := Guesses{
		Failures: g.Failures.Stricter(other.Failures), Lock: max(g.Lock, other.Lock),
		Consecutive: min(g.Consecutive, other.Consecutive),
	}
	if strict.Consecutive <= 0 { // one of them has no such limit
		strict.Consecutive = max(g.Consecutive, other.Consecutive)
	}
	return strict
}

// Stricter returns bounds under which no more can be sent than under either.
func (s Sends) Stricter(other Sends) Sends {
	return Sends{
		User: s.User.Stricter(other.User), Host: s.Host.Stricter(other.Host),
		AtOnce: s.AtOnce && other.AtOnce,
	}
}
