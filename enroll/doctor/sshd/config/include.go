package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// folder is where relative names in Include are looked for.
const folder = "/etc/ssh"

// Patterns are what an Include line names, by what follows its keyword: absolute, in the order in
// which sshd looks for them.
func Patterns(rest string) []string {
	all, _ := words(rest) // what has open quotes sshd refuses
	for i, pattern := range all {
		if !filepath.IsAbs(pattern) {
			all[i] = folder + "/" + pattern
		}
	}
	return all
}

// Matching are the files below root that a pattern of an Include line leads to, in the order in
// which sshd reads them, with their paths as sshd knows them.
func Matching(root, pattern string) ([]string, error) {
	files, err := filepath.Glob(root + pattern)
	for i, file := range files {
		files[i] = strings.TrimPrefix(file, root)
	}
	return slices.DeleteFunc(files, func(file string) bool { return hides(pattern, file) }), err
}

// hides reports whether a pattern passes over a file because its name begins with a dot (glob(3)).
func hides(pattern, file string) bool {
	return strings.HasPrefix(filepath.Base(file), ".") &&
		!strings.HasPrefix(filepath.Base(pattern), ".")
}
