package plural

import "testing"

func TestOneThingIsSingularAndEveryOtherNumberPlural(t *testing.T) {
	for n, want := range map[int]string{-1: "-1 code", 0: "0 codes", 1: "1 code", 2: "2 codes",
		11: "11 codes"} {
		if got := Of(n, "code"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
