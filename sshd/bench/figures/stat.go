package figures

import (
	"math/rand/v2"
	"slices"
)

// Quantile returns the value below which the share q of all values is; 0 if there are none.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return ranked(slices.Sorted(slices.Values(values)), q)
}

// Median returns the value in the middle.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// ranked is Quantile of values that are sorted. Between two of them it is in proportion.
func ranked(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// Ratio is one median divided by another, with the interval that has it with a probability of 95 %.
type Ratio struct{ Value, Low, High float64 }

// resamples is how many series are drawn to see how much a ratio may vary.
const resamples = 2000

// Compare returns the ratio of the medians of a and b, measured in turns. Its interval is a
// bootstrap's: rounds are drawn, each with what both had in it, so that what slowed a round for
// both does not count. The same values always give the same interval.
func Compare(a, b []float64) (r Ratio, ok bool) {
	n := min(len(a), len(b))
	if n < 2 || Median(b[:n]) == 0 {
		return Ratio{}, false
	}
	draw := rand.New(rand.NewPCG(1, uint64(n)))
	ratios := make([]float64, 0, resamples)
	as, bs := make([]float64, n), make([]float64, n)
	for range resamples {
		for i := range n {
			round := draw.IntN(n)
			as[i], bs[i] = a[round], b[round]
		}
		if below := Median(bs); below > 0 {
			ratios = append(ratios, Median(as)/below)
		}
	}
	slices.Sort(ratios)
	if len(ratios) == 0 {
		return Ratio{}, false
	}
	return Ratio{Median(a[:n]) / Median(b[:n]), ranked(ratios, 0.025), ranked(ratios, 0.975)}, true
}

// Compared is Compare of latchkey with another stack.
func (f *Figure) Compared(with Stack) (Ratio, bool) {
	return Compare(f.Values[Latchkey], f.Values[with])
}
