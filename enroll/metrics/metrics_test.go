package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/metrics"
	"latchkey/pam/method"
)

// some are numbers that are all different.
var some = metrics.Users{
	Enrolled: 9, Missing: 2, Locked: 3, Unusable: 4, Unused: 5,
	Devices:  map[method.Method]int{method.TOTP: 8, method.Phone: 7},
	With:     map[method.Method]int{method.TOTP: 6},
	Recovery: 1, Oldest: time.Unix(1_800_000_000, 0), Read: time.Unix(1_800_000_060, 0),
}

func written(t *testing.T, u metrics.Users) string {
	t.Helper()
	var b strings.Builder
	if err := u.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryNumberIsWritten(t *testing.T) {
	text := written(t, some)
	for _, want := range []string{
		"latchkey_enrolled_users 9", "latchkey_missing_users 2", "latchkey_locked_users 3",
		"latchkey_unusable_users 4", "latchkey_unused_users 5",
		`latchkey_devices{type="totp"} 8`, `latchkey_devices{type="hotp"} 0`,
		`latchkey_devices{type="phone"} 7`, `latchkey_devices{type="key"} 0`,
		`latchkey_users_with_device{type="totp"} 6`, "latchkey_users_with_recovery_codes 1",
		"latchkey_oldest_last_use_timestamp_seconds 1800000000",
		"latchkey_read_timestamp_seconds 1800000060",
	} {
		if strings.Count(text, "\n"+want+"\n") != 1 {
			t.Errorf("got\n%s, want the line %q once", text, want)
		}
	}
}

func TestWithoutALoginThereIsNoOldest(t *testing.T) {
	if text := written(t, metrics.Users{Read: some.Read}); strings.Contains(text, "oldest") {
		t.Errorf("got\n%s, want no last login", text)
	}
}

// Every line is one of the format, and each name has its help and type before it.
func TestTheTextIsInTheFormatOfPrometheus(t *testing.T) {
	known := ""
	for line := range strings.Lines(written(t, some)) {
		m := regexp.MustCompile(`^# (HELP|TYPE) (latchkey_[a-z_]+) (gauge|[A-Z].*\.)\n$`).
			FindStringSubmatch(line)
		if m != nil {
			known = m[2]
			continue
		}
		m = regexp.MustCompile(`^(latchkey_[a-z_]+)(?:\{type="[a-z]+"\})? \d+\n$`).
			FindStringSubmatch(line)
		if m == nil || m[1] != known {
			t.Errorf("the line %q does not belong below %q", line, known)
		}
	}
}

// Every name in the dashboard and in the alerts is one that is written.
func TestTheDashboardKnowsTheNames(t *testing.T) {
	const folder = "../../packaging/examples/prometheus/"
	names := regexp.MustCompile(`latchkey_[a-z_]+`)
	text := written(t, some)
	for _, file := range []string{"dashboard.json", "README.md"} {
		page, err := os.ReadFile(folder + file)
		if err != nil {
			t.Fatal(err)
		}
		if file == "dashboard.json" && !json.Valid(page) {
			t.Errorf("%s is not JSON", file)
		}
		found := names.FindAllString(string(page), -1)
		if len(found) < 4 {
			t.Errorf("%s names only %q", file, found)
		}
		for _, name := range found {
			if name != "latchkey_" && !strings.Contains(text, "# TYPE "+name+" gauge\n") {
				t.Errorf("%s has %s, which is not written", file, name)
			}
		}
	}
}
