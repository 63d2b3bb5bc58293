package pamd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Module is the file name of latchkey's own module.
const Module = "pam_latchkey.so"

// Securities are where libpam looks for modules, by distribution.
var Securities = []string{
	"/usr/lib/*/security", "/usr/lib64/security", "/usr/lib/security", "/lib/*/security",
	"/lib64/security", "/lib/security",
}

// Modules tells latchkey's module from others, below one root.
type Modules struct {
	root  string
	known map[string]bool // those that were looked at
}

// ModulesBelow are the modules below root, which is empty but in tests.
func ModulesBelow(root string) *Modules { return &Modules{root, map[string]bool{}} }

// Ours reports whether a word names the module: by its name, in any folder, or by what the
// file is.
func (m *Modules) Ours(word string) bool {
	if filepath.Base(word) == Module {
		return true
	}
	if strings.Contains(word, "=") {
		return false
	}
	if known, ok := m.known[word]; ok {
		return known
	}
	path := strings.ReplaceAll(word, "$ISA", ".")
	files := []string{m.root + path}
	if !filepath.IsAbs(word) {
		files = nil
		for _, dir := range Securities {
			found, _ := filepath.Glob(m.root + dir) // the patterns have no mistakes
			for _, dir := range found {
				files = append(files, dir+"/"+path)
			}
		}
	}
	m.known[word] = slices.ContainsFunc(files, isCopy)
	return m.known[word]
}

// isCopy reports whether a file is pam_latchkey, or a link that leads to it: without the login
// program a copy denies everyone as well.
func isCopy(path string) bool {
	if target, err := os.Readlink(path); err == nil && filepath.Base(target) == Module {
		return true
	}
	text, err := Read(path, Largest)
	return err == nil && strings.Contains(text, "pam_sm_authenticate") && strings.Contains(text,
		"/latchkey-login")
}
