package packaging_test

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bill is what the tests read of a bill of materials in CycloneDX.
type bill struct {
	BOMFormat   string
	SpecVersion string
	Metadata    struct{ Component component }
	Components  []component
	// Dependencies are what depends on what, by the components' references.
	Dependencies []struct {
		Ref       string
		DependsOn []string
	}
}

type component struct {
	Ref                 string `json:"bom-ref"`
	Type, Name, Version string
	Hashes              []struct{ Alg, Content string }
}

// bom is the file of a package's bill of materials.
func bom(name, arch string) string {
	return filepath.Join(built, "packages", name+"_"+version+"-1_"+arch+".cdx.json")
}

func billOf(t *testing.T, name, arch string) (b bill) {
	t.Helper()
	data, err := os.ReadFile(bom(name, arch))
	must(t, err)
	must(t, json.Unmarshal(data, &b))
	if b.BOMFormat != "CycloneDX" || b.SpecVersion != "1.6" {
		t.Errorf("got %s %s, want CycloneDX 1.6", b.BOMFormat, b.SpecVersion)
	}
	return b
}

// linked are the modules and checksums of the programs in Go below a folder, as they say
// themselves.
func linked(t *testing.T, dir string) (modules map[string][]string, sums map[string]string) {
	t.Helper()
	modules, sums = map[string][]string{}, map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return nil
		}
		data, err := os.ReadFile(path)
		sum := sha256.Sum256(data)
		sums[entry.Name()] = hex.EncodeToString(sum[:])
		modules[entry.Name()] = []string{"std " + info.GoVersion}
		for _, m := range info.Deps {
			modules[entry.Name()] = append(modules[entry.Name()], m.Path+" "+m.Version)
		}
		return err
	}))
	return modules, sums
}

// The bills are compared with what Go's own library reads from the programs in the packages.
func TestBillNamesEveryProgramAndEveryModuleInIt(t *testing.T) {
	for arch := range multiarch {
		for name, file := range map[string]string{
			"latchkey": deb(arch), "latchkey-fleetd": fleetd(arch)} {
			t.Run(name+" "+arch, func(t *testing.T) {
				dir := t.TempDir()
				run(t, "dpkg-deb", "-x", file, dir)
				modules, sums := linked(t, dir)
				b := billOf(t, name, arch)
				b.namesPrograms(t, name, sums)
				b.namesModules(t, modules)
			})
		}
	}
}

func (b bill) namesPrograms(t *testing.T, name string, sums map[string]string) {
	t.Helper()
	if c := b.Metadata.Component; c.Name != name || c.Version != version {
		t.Errorf("got a bill of %s %s, want %s %s", c.Name, c.Version, name, version)
	}
	got := map[string]string{}
	for _, c := range b.Components {
		if c.Type == "application" && len(c.Hashes) == 1 && c.Hashes[0].Alg == "SHA-256" {
			got[c.Name] = c.Hashes[0].Content
		}
	}
	if !maps.Equal(got, sums) || len(got) == 0 {
		t.Errorf("programs: got %q, want %q", got, sums)
	}
}

// namesModules follows the references from the package to its programs, and from each to its
// modules.
func (b bill) namesModules(t *testing.T, want map[string][]string) {
	t.Helper()
	known, needs := map[string]component{}, map[string][]string{}
	for _, c := range b.Components {
		known[c.Ref] = c
	}
	for _, d := range b.Dependencies {
		needs[d.Ref] = d.DependsOn
	}
	if n := len(needs[b.Metadata.Component.Ref]); n != len(want) {
		t.Errorf("the package depends on %d programs, want %d", n, len(want))
	}
	for _, ref := range needs[b.Metadata.Component.Ref] {
		var got []string
		for _, module := range needs[ref] {
			got = append(got, known[module].Name+" "+known[module].Version)
		}
		slices.Sort(got)
		expected := slices.Sorted(slices.Values(want[known[ref].Name]))
		if !slices.Equal(got, expected) {
			t.Errorf("%s: got %q, want %q", known[ref].Name, got, expected)
		}
	}
}

// One bill is of both kinds of package, so the programs are the same in both.
func TestBillIsOfTheRPMToo(t *testing.T) {
	for arch, machine := range map[string]string{"amd64": "x86_64", "arm64": "aarch64"} {
		dir := t.TempDir()
		run(t, "dpkg-deb", "-x", deb(arch), dir)
		_, sums := linked(t, dir)
		of := map[string]string{}
		for _, line := range strings.Split(run(t, "rpm", "-qp", "--queryformat",
			"[%{FILENAMES} %{FILEDIGESTS}\n]", rpm(version, machine)), "\n") {
			path, sum, _ := strings.Cut(line, " ")
			if sums[filepath.Base(path)] != "" && strings.HasPrefix(path, "/usr/") &&
				!strings.HasPrefix(path, "/usr/share/") {
				of[filepath.Base(path)] = sum
			}
		}
		if !maps.Equal(of, sums) || len(sums) == 0 {
			t.Errorf("%s: got %q in the rpm, want %q", arch, of, sums)
		}
	}
}

func TestSumsAreThoseOfEverythingBesideThem(t *testing.T) {
	dir := filepath.Join(built, "packages")
	var want []string
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range entries {
		if entry.Name() != "SHA256SUMS" {
			want = append(want, entry.Name())
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	must(t, err)
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		got = append(got, strings.Fields(line)[1])
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got sums of %q, want of %q", got, want)
	}
	run(t, "sh", "-c", `cd "$0" && sha256sum --check --strict SHA256SUMS`, dir)
}
