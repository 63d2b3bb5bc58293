package journal

import (
	"testing"
	"time"
)

func TestTimeIsKeptByTheClockThatCountsSinceTheStart(t *testing.T) {
	began := Moment{Wall: time.Unix(1e9, 0), Boot: "first", Up: time.Hour}
	j := &Journal{Began: began, Within: 5 * time.Minute}
	at := func(boot string, up, wall time.Duration) Moment {
		return Moment{Wall: began.Wall.Add(wall), Boot: boot, Up: up}
	}
	for name, c := range map[string]struct {
		now  Moment
		want time.Duration
	}{
		"at once":                          {at("first", time.Hour, 0), 5 * time.Minute},
		"a minute later":                   {at("first", 61*time.Minute, time.Minute), 4 * time.Minute},
		"in time":                          {at("first", 65*time.Minute, 5*time.Minute), 0},
		"much later":                       {at("first", 90*time.Minute, 30*time.Minute), 0},
		"the wall's clock set ahead":       {at("first", time.Hour, 24*time.Hour), 5 * time.Minute},
		"the wall's clock set back":        {at("first", 65*time.Minute, -24*time.Hour), 0},
		"the other clock went back":        {at("first", time.Minute, time.Minute), 0},
		"started again":                    {at("second", time.Second, 2*time.Minute), 3 * time.Minute},
		"started again, late":              {at("second", time.Second, 6*time.Minute), 0},
		"started again, with another time": {at("second", time.Second, -time.Second), 0},
		"no clock since the start":         {at("", 0, 2*time.Minute), 3 * time.Minute},
	} {
		if got := j.Due(c.now); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if now := Now(); now.Boot == "" || now.Up <= 0 {
		t.Errorf("got %+v for now", now)
	}
}
