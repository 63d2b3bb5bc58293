package limit_test

import (
	"testing"
	"time"

	"latchkey/pam/limit"
)

func TestRatesPrintAsInTheFile(t *testing.T) {
	for got, want := range map[string]string{
		limit.Rate{Count: 10, Window: 10 * time.Minute}.String():   "10/10m",
		limit.Rate{Count: 1, Window: 10 * time.Second}.String():    "1/10s",
		limit.Rate{Count: 1, Window: 30*time.Hour + 1e9}.String():  "1/30h0m1s",
		limit.Rate{Count: 5, Window: time.Hour}.String():           "5/1h",
		limit.Rate{Count: 5, Window: 90 * time.Minute}.String():    "5/1h30m",
		limit.Rate{Count: 5, Window: 24 * time.Hour}.String():      "5/24h",
		limit.Rate{Count: 5, Window: 100 * time.Minute}.String():   "5/1h40m",
		limit.Rate{Count: 5, Window: 20*time.Hour + 1e10}.String(): "5/20h0m10s",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
