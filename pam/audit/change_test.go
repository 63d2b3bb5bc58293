package audit_test

import (
	"testing"

	"latchkey/pam/audit"
)

func TestChangeIsOneLineWithAnyName(t *testing.T) {
	for want, change := range map[string]audit.Change{
		`latchkey: change=add user="alice" by="alice" device="app"`: {
			What:   "add",
			User:   "alice",
			By:     "alice",
			Device: "app",
		},
		`latchkey: change=bypass user="a\x0ab" by="root" device="\x22" detail="until \x1b[2J"`: {
			What:   "bypass",
			User:   "a\nb",
			By:     "root",
			Device: `"`,
			Detail: "until \x1b[2J",
		},
	} {
		if got := change.String(); got != want {
			t.Errorf("the line is\n%s, not\n%s", got, want)
		}
	}
}
