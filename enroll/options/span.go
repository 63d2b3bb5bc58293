package options

import (
	"regexp"
	"strconv"
	"time"
)

// span is a time such as 90s, 30m, 1h30m, 1d or 2w.
type span time.Duration

func (s *span) String() string { return time.Duration(*s).String() }

// units are those of a span: a day has 24 hours.
var units = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	"w": 7 * 24 * time.Hour,
}

var spanPart = regexp.MustCompile(`^([0-9]{1,6})([smhdw])`)

// longest is more than any command allows.
const longest = 100 * 365 * 24 * time.Hour

// Set reads one or more numbers, each with its unit.
func (s *span) Set(text string) error {
	var sum time.Duration
	for rest := text; rest != "" || text == ""; {
		part := spanPart.FindStringSubmatch(rest)
		if part == nil {
			return &mustBe{"a time such as 30m, 1h, 1d or 2w"}
		}
		n, _ := strconv.Atoi(part[1]) // at most six digits
		unit := units[part[2]]
		if time.Duration(n) > (longest-sum)/unit {
			return &mustBe{"at most 100 years"}
		}
		sum += time.Duration(n) * unit
		rest = rest[len(part[0]):]
	}
	*s = span(sum)
	return nil
}
