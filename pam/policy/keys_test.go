package policy

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documented are the keys that latchkey.toml(5) explains, by table.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("../../packaging/man/latchkey.toml.5.md")
	if err != nil {
		t.Fatal(err)
	}
	all, table := map[string][]string{}, ""
	_, text, _ := strings.Cut(string(page), "\n# KEYS\n")
	text, _, _ = strings.Cut(text, "\n# ")
	for line := range strings.Lines(text) {
		if header := regexp.MustCompile(`^## \[+(\w+)\]+`).FindStringSubmatch(
			line); header != nil {
			table = header[1]
		}
		if key := regexp.MustCompile(`^\*\*(\w+)\*\* = `).FindStringSubmatch(line); key != nil {
			all[table] = append(all[table], key[1])
		}
	}
	return all
}

func TestEveryKeyIsKnownDocumentedAndGuessed(t *testing.T) {
	page := documented(t)
	for table := range page {
		got, want := slices.Sorted(slices.Values(keys()[table])), slices.Sorted(
			slices.Values(page[table]))
		if !slices.Equal(got, want) {
			t.Errorf("[%s]: the keys to guess from are %q, those of the page %q", table, got, want)
		}
	}
	for table, names := range keys() {
		if page[table] == nil {
			t.Errorf("[%s] is not on the page", table)
		}
		header := map[string]string{"": "", "rule": "[[rule]]"}[table]
		if header == "" && table != "" {
			header = "[" + table + "]"
		}
		for _, key := range names {
			_, err := Parse("f", fmt.Appendf(nil, "%s\n%s = 1.5\n", header, key))
			if err == nil || strings.Contains(err.Error(), "unknown") {
				t.Errorf("[%s] %s: got %v, want that its value is refused", table, key, err)
			}
		}
	}
}
