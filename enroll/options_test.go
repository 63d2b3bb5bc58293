package main

import (
	"flag"
	"testing"

	"latchkey/enroll/usage"
)

func TestWhatTheTableOfCommandsSaysIsWhatEnrollDoes(t *testing.T) {
	if len(does) != len(usage.Commands) {
		t.Errorf("enroll does %d commands, and %d are told of", len(does), len(usage.Commands))
	}
	for _, c := range usage.Commands {
		if does[c.Name] == nil {
			t.Errorf("nothing does %q", c.Name)
		}
	}
	told := map[string]bool{usage.Help.Name: true, "h": true}
	for _, o := range usage.Options {
		told[o.Name] = true
	}
	flags(&options{}).VisitAll(func(f *flag.Flag) {
		if !told[f.Name] {
			t.Errorf("--%s is accepted, and nobody is told", f.Name)
		}
		delete(told, f.Name)
	})
	for name := range told {
		t.Errorf("--%s is told of, and not accepted", name)
	}
}
