package plot

import "math"

// scale turns a value into a coordinate: from is that of low, to that of high.
type scale struct {
	low, high float64
	from, to  float64
	log       bool
	ticks     []float64
}

// linear is a scale from zero to a round number that is not below most.
func linear(most, from, to float64) scale {
	if most <= 0 {
		most = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(most/4)))
	for _, by := range []float64{1, 2, 2.5, 5, 10} {
		if most/(step*by) <= 5 {
			step *= by
			break
		}
	}
	s := scale{from: from, to: to}
	for v := 0.0; ; v += step {
		s.ticks = append(s.ticks, v)
		if v >= most {
			s.high = v
			return s
		}
	}
}

// logarithmic is a scale by powers of ten, from the one at or below least to the first that is not
// below most.
func logarithmic(least, most, from, to float64) scale {
	s := scale{from: from, to: to, log: true}
	for v := math.Pow(10, math.Floor(math.Log10(least))); ; v *= 10 {
		s.ticks = append(s.ticks, v)
		if v >= most*0.999 {
			s.low, s.high = s.ticks[0], v
			return s
		}
	}
}

func (s scale) place(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	if high == low {
		return s.from
	}
	return s.from + (v-low)/(high-low)*(s.to-s.from)
}
