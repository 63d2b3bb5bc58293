package prompt

import (
	"strings"
	"testing"

	"latchkey/pam/fleet/wire"
)

func TestEveryFaultOfAFleetHasItsSentence(t *testing.T) {
	for fault, want := range map[wire.Fault]string{
		wire.Unreachable: Unreachable, wire.Rollback: Unreachable, wire.Clock: Unreachable,
		wire.Quota: Unreachable, wire.Revoked: NotAllowed, wire.Quarantine: NotAllowed,
		wire.Role: NotAllowed, wire.Unknown: MaybeUsed, wire.Protocol: MaybeUsed,
		wire.Epoch: MaybeUsed, wire.Forged: MaybeUsed, wire.Internal: MaybeUsed, "": MaybeUsed,
		"moon": MaybeUsed,
	} {
		if got := Fault(fault); got != want {
			t.Errorf("%q: got %q, want %q", fault, got, want)
		}
	}
}

func TestPromptForABreakGlassCodeSaysSoAndFits(t *testing.T) {
	c := Choices{Offline: true, InFront: 13}
	c.Recovery = true
	for _, said := range []string{BreakGlass, "", NotAccepted, UsedBreakGlass, NotACode} {
		got := c.Prompt(said, NothingSent)
		for line := range strings.SplitSeq(got, "\n") {
			if len(strings.TrimRight(line, " "))+c.InFront >= 80 {
				t.Errorf("got %q, which does not fit", line)
			}
		}
		if !strings.HasSuffix(got, AsksForCode) ||
			!strings.Contains(got, "break-glass code") {
			t.Errorf("got %q", got)
		}
	}
	if help := c.Help(); !strings.Contains(help, "a break-glass code of this host") ||
		strings.Contains(help, "recovery") {
		t.Errorf("got %q", help)
	}
	for n, want := range map[int]string{1: "1 is left", 0: "0 are left", 5: "5 are left"} {
		if got := BreakGlassUsed(n); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
