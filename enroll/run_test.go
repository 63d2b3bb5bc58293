package main

import (
	"testing"

	"latchkey/enroll/usage"
)

func TestEveryCommandOfTheTableIsDoneAndNoOther(t *testing.T) {
	if len(does) != len(usage.Commands) {
		t.Errorf("enroll does %d commands, and %d are in the table", len(does),
			len(usage.Commands))
	}
	for _, c := range usage.Commands {
		if does[c.Name] == nil {
			t.Errorf("no function does %q", c.Name)
		}
	}
}
