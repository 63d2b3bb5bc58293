//go:build cgo

package main_test

import (
	"strings"
	"testing"
)

func TestTheLogIsJSONWhereThePolicySaysSo(t *testing.T) {
	h := newHost(t, "[log]\nformat = \"json\"\n")
	h.signIn(h.code())
	line := h.line()
	want := `<85>latchkey: {"verdict":"allow","user":"alice",`
	if !strings.HasPrefix(line, want) || !strings.Contains(line, `"reason":"ok","tries":1,`) {
		t.Errorf("got %s; want JSON that begins with %s", line, want)
	}
	h.root.Policy(t, "[log]\nformat = \"xml\"\n")
	h.signIn()
	h.logged(`verdict=deny .* reason=config .*`)
}
