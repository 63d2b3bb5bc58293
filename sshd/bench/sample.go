package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// sample is a series of measurements of one thing, in order.
type sample struct {
	name   string
	values []float64
}

func (s *sample) add(v float64) { s.values = append(s.values, v) }

func (s *sample) median() float64 { return s.quantile(0.5) }

func (s *sample) quantile(q float64) float64 {
	if len(s.values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// table prints medians, quartiles, and the ratio of each median to the first one.
func table(out io.Writer, title, unit string, samples ...*sample) {
	fmt.Fprintf(out, "\n%s (%d rounds, %s)\n", title, len(samples[0].values), unit)
	for _, s := range samples {
		fmt.Fprintf(out, "  %-24s median %8.2f   quartiles %8.2f … %8.2f   ratio %.3f\n",
			s.name, s.median(), s.quantile(0.25), s.quantile(0.75), s.median()/samples[0].median())
	}
}
