package policy

import (
	"strings"
	"testing"
)

func TestIssuerAndHelpAreOneLineOfPrintableText(t *testing.T) {
	for _, text := range []string{
		"a&b", "a+b", "two words", "ü", "%", ":", "/", "#", "Example: Ltd", "例",
		strings.Repeat("ü", maxIssuer),
	} {
		if p := parse(t, "issuer = '"+text+"'\nhelp = '"+text+"'"); p.Issuer != text ||
			p.Help != text {
			t.Errorf("got %q and %q, want %q", p.Issuer, p.Help, text)
		}
	}
	for what, value := range map[string]string{
		"empty": `""`, "a line break": `"a\nb"`, "an escape sequence": `"\u001b[2J"`,
		"a tabulator":      `"a\tb"`,
		"a blank in front": `" a"`, "a blank at the end": `"a "`, "a direction mark": `"a\u202eb"`,
		"no string": `3`,
		"too long":  `"` + strings.Repeat("x", maxHelp+1) + `"`, "a NUL": `"a\u0000"`,
	} {
		for _, key := range []string{"issuer", "help"} {
			_, err := Parse("latchkey.toml", []byte("\n"+key+" = "+value+"\n"))
			if err == nil || !strings.HasPrefix(err.Error(),
				"latchkey.toml:2: "+key+" must be 1 to ") {
				t.Errorf("%s, %s: got %v, want an error in line 2", key, what, err)
			}
		}
	}
}
