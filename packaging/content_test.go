package packaging_test

import (
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// debModes are mode, owner and path of what a deb must have, as tar shows them.
var debModes = []string{
	"drwxr-xr-x root/root ./etc/latchkey/",
	"-rw-r--r-- root/root ./etc/apparmor.d/abstractions/latchkey",
	"-rw-r--r-- root/root ./etc/apparmor.d/usr.bin.enroll",
	"-rw-r--r-- root/root ./etc/apparmor.d/usr.libexec.latchkey.latchkey-login",
	"-rw-r--r-- root/root ./etc/latchkey/latchkey.toml",
	"drwx------ root/root ./etc/latchkey/users/",
	"-rw-r--r-- root/root ./etc/pam.d/enroll",
	"-rwxr-xr-x root/root ./etc/shadow-maint/userdel-post.d/latchkey",
	"-rwsr-xr-x root/root ./usr/bin/enroll",
	"-rw-r--r-- root/root ./usr/lib/sysusers.d/latchkey.conf",
	"-rw-r--r-- root/root ./usr/lib/MULTIARCH/security/pam_latchkey.so",
	"-rwxr-xr-x root/root ./usr/libexec/latchkey/latchkey-enroll",
	"-rwxr-xr-x root/root ./usr/libexec/latchkey/latchkey-fleet",
	"-rwxr-xr-x root/root ./usr/libexec/latchkey/latchkey-login",
	"-rwxr-xr-x root/root ./usr/libexec/latchkey/latchkey-notify",
	"-rwx--x--x root/root ./usr/libexec/latchkey/latchkey-twilio",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/changelog.Debian.gz",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/changelog.gz",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/README.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/SECURITY.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/administrators.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/bench.svg",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/benchmark.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/clients.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/contributors.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/first-login.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/fleet.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/moving.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/refused.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/decisions.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/users.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey/copyright",
	"-rw-r--r-- root/root ./usr/share/latchkey/sshd.conf",
	"-rw-r--r-- root/root ./usr/share/man/man8/enroll.8.gz",
	"-rw-r--r-- root/root ./usr/share/pam-configs/latchkey",
	"drwx------ root/root ./var/lib/latchkey/",
	"drwx------ root/root ./var/lib/latchkey/users/",
}

// multiarch maps architectures to the names of their folders.
var multiarch = map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}

func TestDebHasTheRightModesAndConffiles(t *testing.T) {
	for arch, triplet := range multiarch {
		listing := map[string]bool{}
		for _, line := range strings.Split(strings.TrimSpace(run(t, "dpkg-deb", "-c", deb(arch))),
			"\n") {
			f := strings.Fields(line)
			listing[f[0]+" "+f[1]+" "+f[5]] = true
			if mode := f[0]; mode[5] == 'w' || mode[8] == 'w' || f[1] != "root/root" {
				t.Errorf("%s: not root's alone to write: %s", arch, line)
			}
			if f[0][3] == 's' && f[5] != "./usr/bin/enroll" || f[0][6] == 's' {
				t.Errorf("%s: more than enroll runs with others' rights: %s", arch, line)
			}
		}
		for _, want := range debModes {
			if want = strings.Replace(want, "MULTIARCH", triplet, 1); !listing[want] {
				t.Errorf("%s has no %s", arch, want)
			}
		}
		got := strings.Fields(run(t, "dpkg-deb", "-I", deb(arch), "conffiles"))
		if !slices.Equal(got, conffiles()) {
			t.Errorf("%s: conffiles are %q", arch, got)
		}
	}
}

// conffiles are those of the host's deb. AppArmor's profiles are among them.
func conffiles() []string {
	all := []string{"/etc/latchkey/latchkey.toml", "/etc/pam.d/enroll",
		"/etc/shadow-maint/userdel-post.d/latchkey", "/etc/apparmor.d/abstractions/latchkey"}
	for _, name := range hostProfiles {
		all = append(all, "/etc/apparmor.d/"+name)
	}
	return slices.Sorted(slices.Values(all))
}

// unpacked returns a deb's content.
func unpacked(t *testing.T, arch string) string {
	t.Helper()
	dir := t.TempDir()
	run(t, "dpkg-deb", "-x", deb(arch), dir)
	return dir
}

// programs returns the ELF files below dir, of which the host's package has at least five.
func programs(t *testing.T, dir string) map[string]*elf.File {
	t.Helper()
	found := elves(t, dir)
	if len(found) < 5 {
		t.Fatalf("only %d programs: %v", len(found), found)
	}
	return found
}

// elves returns the ELF files below dir.
func elves(t *testing.T, dir string) map[string]*elf.File {
	t.Helper()
	found := map[string]*elf.File{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if f, err := elf.Open(path); err == nil {
			t.Cleanup(func() { f.Close() })
			found[path] = f
		}
		return nil
	}))
	return found
}

// newestGLIBC returns the newest version of libc's symbols that the programs import, as [2, 34].
func newestGLIBC(t *testing.T, dir string) (newest [2]int) {
	t.Helper()
	for path, f := range programs(t, dir) {
		symbols, err := f.ImportedSymbols()
		if err != nil && f.SectionByType(elf.SHT_DYNSYM) != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, s := range symbols {
			var v [2]int
			n, _ := fmt.Sscanf(s.Version, "GLIBC_%d.%d", &v[0], &v[1])
			if n == 2 && slices.Compare(v[:], newest[:]) > 0 {
				newest = v
			}
		}
	}
	return newest
}

func TestThePackagesDependOnTheLibcThatTheProgramsNeed(t *testing.T) {
	for arch := range multiarch {
		needs := newestGLIBC(t, unpacked(t, arch))
		want := fmt.Sprintf("libc6 (>= %d.%d)", needs[0], needs[1])
		got := run(t, "dpkg-deb", "-f", deb(arch), "Pre-Depends")
		if !strings.HasPrefix(got, want+", ") {
			t.Errorf("%s depends on %s, want %s", arch, got, want)
		}
	}
	needs := newestGLIBC(t, unpacked(t, "amd64"))
	want := fmt.Sprintf("libc.so.6(GLIBC_%d.%d)(64bit)\n", needs[0], needs[1])
	got := run(t, "rpm", "-qp", "--requires", rpm(version, "x86_64"))
	if !strings.Contains(got, want) {
		t.Errorf("the rpm requires %q, want %q", got, want)
	}
}

func TestEveryModuleInTheProgramsHasItsLicenseInTheCopyrightFile(t *testing.T) {
	for name, deb := range map[string]string{"latchkey": deb("amd64"),
		"latchkey-fleetd": fleetd("amd64")} {
		dir := t.TempDir()
		run(t, "dpkg-deb", "-x", deb, dir)
		text, err := os.ReadFile(filepath.Join(dir, "usr/share/doc", name, "copyright"))
		must(t, err)
		named := 0
		for path := range elves(t, dir) {
			info, err := buildinfo.ReadFile(path)
			if err != nil {
				continue // C
			}
			for _, module := range info.Deps {
				if module.Replace != nil {
					continue // a folder of our own
				}
				named++
				if !strings.Contains(string(text), "\n"+module.Path+"\n====") {
					t.Errorf("%s has %s in it, which copyright does not name",
						filepath.Base(path), module.Path)
				}
			}
		}
		if named < 10 {
			t.Errorf("the programs of %s name only %d modules", name, named)
		}
	}
}

func TestLintianFindsNothingUnexplained(t *testing.T) {
	for arch := range multiarch {
		run(t, "lintian", "--allow-root", "--fail-on", "error,warning", deb(arch), fleetd(arch))
	}
}

func TestShellcheckFindsNothing(t *testing.T) {
	scripts := []string{"shellcheck", "deps.sh", "package.sh"}
	for _, pattern := range []string{"scripts/*.sh", "scripts/*/*.sh", "examples/*/*.sh"} {
		found, err := filepath.Glob(pattern)
		must(t, err)
		scripts = append(scripts, found...)
	}
	run(t, scripts...)
}

// link is a link to another file in a page.
var link = regexp.MustCompile(`\]\(([^)#:]+)\)`)

func TestEveryLinkInAnInstalledPageLeadsSomewhere(t *testing.T) {
	dir := filepath.Join(unpacked(t, "amd64"), "usr/share/doc/latchkey")
	links := 0
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		page, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(string(page), -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", path, m[1])
			}
		}
		return nil
	}))
	if links < 20 {
		t.Errorf("got %d links, want at least 20", links)
	}
}
