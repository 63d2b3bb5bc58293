package journal

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Moment is a point in time by two clocks: one that people and the network may set, and one that
// counts since the machine was started.
type Moment struct {
	Wall time.Time     `json:"wall"`
	Boot string        `json:"boot"` // names the start that Up counts from; "": it is not known
	Up   time.Duration `json:"up"`
}

// Now is this moment.
func Now() Moment {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without it only the wall's clock counts
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
		id = nil
	}
	return Moment{time.Now(), strings.TrimSpace(string(id)), time.Duration(up.Nano())}
}

// Since is how long ago a moment was. known is false if no clock says it: the machine was started
// since, and the clock on the wall is behind.
func (m Moment) Since(before Moment) (passed time.Duration, known bool) {
	if m.Boot != "" && m.Boot == before.Boot {
		return m.Up - before.Up, m.Up >= before.Up
	}
	return m.Wall.Sub(before.Wall), !m.Wall.Before(before.Wall)
}
