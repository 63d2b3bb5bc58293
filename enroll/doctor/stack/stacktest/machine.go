// Package stacktest has machines with PAM's files, for tests.
package stacktest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/enroll/doctor/stack/pamd"
)

// ModuleDir is where the machine has its modules.
const ModuleDir = "/usr/lib/x86_64-linux-gnu/security/"

// Machine is a root with PAM's files: "PATH:" lines begin one.
func Machine(t testing.TB, text string) string {
	t.Helper()
	root := t.TempDir()
	write := func(path, text string) {
		if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(ModuleDir+pamd.Module,
		"ELF pam_sm_authenticate\x00/usr/libexec/latchkey/latchkey-login\x00")
	write(ModuleDir+"pam_unix.so", "ELF pam_sm_authenticate\x00")
	content, path := map[string]string{}, ""
	for line := range strings.Lines(text) {
		if file, ok := strings.CutSuffix(line, ":\n"); ok && strings.HasPrefix(file, "/") {
			path = file
			line = ""
		}
		content[path] += line
	}
	for path, text := range content {
		write(path, text)
	}
	return root
}
