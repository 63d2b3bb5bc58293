package sshd_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// queries are those of the example's dashboard and alerts.
func queries(t *testing.T) (all []string) {
	t.Helper()
	const folder = examples + "/prometheus/"
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	text, err := os.ReadFile(folder + "dashboard.json")
	must(t, err)
	must(t, json.Unmarshal(text, &dashboard))
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			all = append(all, strings.ReplaceAll(target.Expr, "$host", "a|b"))
		}
	}
	page, err := os.ReadFile(folder + "README.md")
	must(t, err)
	for _, m := range regexp.MustCompile("(?m)^\\| [^|]* \\| `([^`]+)` \\|$").FindAllStringSubmatch(
		string(page), -1) {
		all = append(all, m[1])
	}
	if len(all) < 12 {
		t.Fatalf("found only the queries %q", all)
	}
	return all
}

// Prometheus' own tool reads the numbers of a real host, and every query of the example.
func TestPrometheusReadsTheNumbers(t *testing.T) {
	t.Parallel()
	h, err := shared.With(suite.Debian13, "prometheus")
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	s := server(t, h, suite.PasswordAndCode)
	user(t, h) // without a second factor
	locked, active := enrolled(t, h), enrolled(t, h)
	for range 4 {
		denied(t, s, suite.Attempt{User: locked.Name, Password: suite.Password,
			Codes: locked.WrongCodes()})
	}
	allowed(t, s, suite.Attempt{User: active.Name, Password: suite.Password,
		Codes: []string{active.Code()}})

	out := script(t, h, "enroll list --metrics")
	for _, want := range []string{
		"latchkey_enrolled_users 2", "latchkey_locked_users 1", "latchkey_unused_users 1",
		"latchkey_unusable_users 0", `latchkey_devices{type="totp"} 2`,
	} {
		if !strings.Contains(out, "\n"+want+"\n") {
			t.Errorf("got\n%s, want the line %q", out, want)
		}
	}
	missing := script(t, h, "enroll list --missing | wc -l")
	if want := "\nlatchkey_missing_users " + strings.TrimSpace(missing) + "\n"; missing == "0\n" ||
		!strings.Contains(out, want) {
		t.Errorf("got\n%s, want %q", out, want)
	}
	var rules strings.Builder
	rules.WriteString("groups:\n- name: all\n  rules:\n")
	for i, q := range queries(t) {
		fmt.Fprintf(&rules, "  - record: query%d\n    expr: %q\n", i, q)
	}
	script(t, h, "enroll list --metrics | promtool check metrics\ncat >/tmp/rules.yml <<'END'\n"+
		rules.String()+"END\npromtool check rules /tmp/rules.yml")
}
