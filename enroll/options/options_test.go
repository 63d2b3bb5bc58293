package options

import (
	"flag"
	"testing"

	"latchkey/enroll/usage"
)

func TestEveryOptionOfTheTableIsParsedAndNoOther(t *testing.T) {
	told := map[string]bool{usage.Help.Name: true, "h": true, "V": true}
	for _, o := range usage.Options {
		told[o.Name] = true
	}
	flags(&Options{}).VisitAll(func(f *flag.Flag) {
		if !told[f.Name] {
			t.Errorf("--%s is accepted, but not in the table", f.Name)
		}
		delete(told, f.Name)
	})
	for name := range told {
		t.Errorf("--%s is in the table, but not accepted", name)
	}
}
