package policy

import (
	"path/filepath"

	"latchkey/pam/strict"
)

// Notify is the table [notify].
type Notify struct {
	Program string // is told of events; empty: none is
}

func (n *Notify) set(v strict.Value) error {
	if v.Name == "program" {
		return v.Text(&n.Program, `be the absolute path of a program, or ""`, isProgram)
	}
	return v.Unknown()
}

// isProgram reports whether a path can be a program's: absolute, and without anything in it that
// would be read as another path.
func isProgram(path string) bool {
	return path == "" || filepath.IsAbs(path) && filepath.Clean(path) == path && path != "/" &&
		len(path) < 4096
}
