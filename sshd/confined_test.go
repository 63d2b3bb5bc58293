package sshd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// profiles are AppArmor's, as packages install them.
const profiles = "../packaging/apparmor"

// Only a kernel with AppArmor can say whether logins work under the profiles: `make confined`
// starts one. Here, the parser of each Debian reads them.
func TestAppArmorOfEachDebianReadsTheProfiles(t *testing.T) {
	if enabled, _ := os.ReadFile("/sys/module/apparmor/parameters/enabled"); string(enabled) !=
		"Y\n" {
		t.Log("checked by apparmor_parser only: this kernel does not have AppArmor")
	} else {
		t.Log("checked by apparmor_parser only: the profiles are enforced by `make confined`")
	}
	for _, d := range suite.Distributions {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			h, err := shared.With(d, "apparmor")
			must(t, err)
			t.Cleanup(func() { must(t, h.Close()) })
			for _, file := range profileFiles(t) {
				text, err := os.ReadFile(filepath.Join(profiles, file))
				must(t, err)
				_, err = h.Exec(string(text), "/usr/bin/install", "-D", "-m", "644", "/dev/stdin",
					"/etc/apparmor.d/"+file)
				must(t, err)
			}
			for _, file := range profileFiles(t) {
				if strings.HasPrefix(file, "abstractions/") {
					continue
				}
				if out, err := parsed(h, "/etc/apparmor.d/"+file); err != nil {
					t.Errorf("%s: %v: %s", file, err, out)
				}
			}
			_, err = h.Exec("profile x /x {\n  /x pux,\n  /{x,y} Px,\n}\n", "/usr/bin/install",
				"/dev/stdin", "/root/conflict")
			must(t, err)
			if out, err := parsed(h, "/root/conflict"); err == nil {
				t.Errorf("got a profile with a conflict read: %s", out)
			}
			t.Run("they are read as AppArmor reads them", func(t *testing.T) { globsMatch(t, h) })
			t.Run("they allow what logins and commands do", func(t *testing.T) { profilesAllow(t, h) })
		})
	}
}

// parsed has AppArmor's parser read and compile a profile, and not load it.
func parsed(h *suite.Host, file string) (string, error) {
	return h.Exec("", "/usr/sbin/apparmor_parser", "--skip-kernel-load", "--skip-cache", "--quiet",
		file)
}

// profileFiles are their names below /etc/apparmor.d.
func profileFiles(t *testing.T) (names []string) {
	t.Helper()
	must(t, filepath.WalkDir(profiles, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			name, _ := filepath.Rel(profiles, path)
			names = append(names, name)
		}
		return err
	}))
	if len(names) < 8 {
		t.Fatalf("got %q, want at least 8 files", names)
	}
	return names
}
