package sshd

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/ways"
	"latchkey/pam/testroot"
)

// modelOf is the model of a configuration that stands in one file.
func modelOf(t *testing.T, text string) *model {
	t.Helper()
	root := t.TempDir()
	testroot.Must(t, os.Mkdir(root+"/etc", 0o755))
	testroot.Must(t, os.WriteFile(root+"/etc/sshd_config", []byte(text), 0o644))
	c, err := config.Read(root, "/etc/sshd_config")
	testroot.Must(t, err)
	return newModel(c, ways.Options{"usepam": {"yes"}})
}

// wildcards are Match lines whose names are made of pieces of each other.
func wildcards(lines int) string {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "Match User *a%[1]d*,!b%[1]d*,*c%[1]d Address 10.%[1]d.*\n", i)
		b.WriteString(" AuthenticationMethods publickey\n")
	}
	return b.String()
}

// The name service is asked about the names that lines spell, and not about the thousands that
// wildcards could stand for: each question may take it long.
func TestOnlyNamesThatLinesSpellAreLookedUp(t *testing.T) {
	m := modelOf(t, wildcards(40)+"Match User carol,!dave\n AuthenticationMethods publickey\n")
	asked := map[string]int{}
	m.axes(Machine{
		Users: func([]string) []config.User { return nil },
		User: func(name string) (config.User, bool) {
			asked[name]++
			return config.User{}, false
		},
	})
	if got, want := fmt.Sprint(asked), "map[carol:1 dave:1]"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}

// Planning ends when its time is over, and says that it is not complete.
func TestPlanningHasABound(t *testing.T) {
	for _, looks := range []int{0, 1, 100, 2000} {
		m := modelOf(t, wildcards(20))
		left := looks
		m.over = func() bool { left--; return left < 0 }
		empty := Machine{
			Users: func([]string) []config.User { return nil },
			User:  func(string) (config.User, bool) { return config.User{}, false },
		}
		if _, complete := m.plan(m.axes(empty)); complete {
			t.Errorf("after %d looks at the clock: complete", looks)
		}
		if left < -1 {
			t.Errorf("the clock was looked at %d times after the time was over", -left-1)
		}
	}
}
