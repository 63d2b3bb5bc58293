package packaging_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// made is the repository of all packages, signed with a key made for it.
var made = sync.OnceValues(func() (dir string, err error) {
	return filepath.Join(built, "repository"), makeRepository(built)
})

func makeRepository(build string, args ...string) error {
	cmd := exec.Command("make", append([]string{"-C", "..", "-s", "repository", "B=" + build,
		"URL=https://packages.example.org/latchkey"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make repository: %w\n%s", err, out)
	}
	return nil
}

// repository is a copy that a test may change, and a host's apt that reads it.
type repository struct {
	t    *testing.T
	dir  string
	home string // of apt: its settings, lists and downloads
}

func newRepository(t *testing.T) repository {
	t.Helper()
	original, err := made()
	must(t, err)
	r := repository{t, filepath.Join(t.TempDir(), "repository"), t.TempDir()}
	run(t, "cp", "-r", original, r.dir)
	for _, dir := range []string{"lists/partial", "cache/archives/partial", "sources.list.d",
		"got"} {
		must(t, os.MkdirAll(filepath.Join(r.home, dir), 0o755))
	}
	run(t, "cp", r.path("latchkey.asc"), r.home)
	r.sources()
	return r
}

// sources copies the .sources file as administrators do; the repository and the key are elsewhere.
func (r repository) sources() {
	r.t.Helper()
	text, err := os.ReadFile(r.path("latchkey.sources"))
	must(r.t, err)
	for old, here := range map[string]string{
		"https://packages.example.org/latchkey": "file:" + r.dir,
		"/etc/apt/keyrings/":                    r.home + "/",
	} {
		if !bytes.Contains(text, []byte(old)) {
			r.t.Fatalf("got %s, want it to name %s", text, old)
		}
		text = bytes.ReplaceAll(text, []byte(old), []byte(here))
	}
	file := filepath.Join(r.home, "sources.list.d/latchkey.sources")
	must(r.t, os.WriteFile(file, text, 0o644))
}

func (r repository) path(inside string) string { return filepath.Join(r.dir, inside) }

// packages lists what a host downloads: apt-get update, then both packages.
func (r repository) packages() (got []string, output string, err error) {
	apt := []string{"-q",
		"-o", "Dir::Etc::SourceList=/dev/null",
		"-o", "Dir::Etc::SourceParts=" + r.home + "/sources.list.d",
		"-o", "Dir::State::Lists=" + r.home + "/lists", "-o", "Dir::Cache=" + r.home + "/cache",
		"-o", "Dir::Etc::Preferences=/dev/null", "-o", "Dir::Etc::PreferencesParts=/dev/null",
		"-o", "APT::Architecture=amd64", "-o", "APT::Sandbox::User=root"}
	for _, command := range [][]string{{"update"}, {"download", "latchkey", "latchkey-fleetd"}} {
		cmd := exec.Command("apt-get", append(slices.Clone(apt), command...)...)
		cmd.Dir, cmd.Env = filepath.Join(r.home, "got"), append(os.Environ(), "LC_ALL=C")
		out, failed := cmd.CombinedOutput()
		output += string(out)
		if failed != nil {
			err = failed
			break
		}
	}
	got, _ = filepath.Glob(filepath.Join(r.home, "got", "*.deb"))
	return got, output, err
}

func TestAptDownloadsWhatTheSignedRepositoryHas(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	got, output, err := r.packages()
	if err != nil || len(got) != 2 {
		t.Fatalf("got %q, %v, want both packages:\n%s", got, err, output)
	}
	if strings.Contains(output, "W:") {
		t.Errorf("apt warns:\n%s", output)
	}
	for _, name := range []string{deb("amd64"), fleetd("amd64")} {
		same(t, name, filepath.Join(r.home, "got", filepath.Base(name)))
	}
}

func TestTheSamePackagesAndKeyGiveTheSameRepository(t *testing.T) {
	t.Parallel()
	first, err := made()
	must(t, err)
	build := t.TempDir()
	must(t, os.Mkdir(filepath.Join(build, "packages"), 0o755))
	run(t, "sh", "-c", `cd "$0" && ls -r packages/*.deb | xargs cp -t "$1/packages" &&
		cp repository-key.asc "$1"`, built, build)
	must(t, makeRepository(build))
	run(t, "diff", "-r", first, filepath.Join(build, "repository"))
}

// A key of the user's own is taken by its fingerprint, and no other is made.
func TestARepositoryIsSignedWithTheKeyThatIsNamed(t *testing.T) {
	t.Parallel()
	build, home := t.TempDir(), t.TempDir()
	must(t, os.Chmod(home, 0o700))
	t.Cleanup(func() { run(t, "gpgconf", "--homedir", home, "--kill", "all") })
	run(t, "gpg", "--homedir", home, "--batch", "--passphrase", "", "--quick-generate-key",
		"Example Ltd", "rsa3072", "sign", "never")
	must(t, os.Mkdir(filepath.Join(build, "packages"), 0o755))
	run(t, "cp", deb("amd64"), filepath.Join(build, "packages"))
	must(t, makeRepository(build, "KEY=Example", "GNUPGHOME="+home))
	dir := filepath.Join(build, "repository")
	run(t, "gpg", "--homedir", home, "--dearmor", "-o", filepath.Join(build, "key.gpg"),
		filepath.Join(dir, "latchkey.asc"))
	run(t, "gpgv", "--keyring", filepath.Join(build, "key.gpg"),
		filepath.Join(dir, "dists/stable/InRelease"))
	if _, err := os.Stat(filepath.Join(build, "repository-key.asc")); !os.IsNotExist(err) {
		t.Errorf("got a key made (%v), want none", err)
	}
	if err := makeRepository(build, "KEY=nobody", "GNUPGHOME="+home); err == nil ||
		!strings.Contains(err.Error(), "gpg has no secret key nobody") {
		t.Errorf("got %v, want an error that names the key", err)
	}
}

// The secret part of a key is never where it is served.
func TestNoSecretKeyIsServed(t *testing.T) {
	t.Parallel()
	dir, err := made()
	must(t, err)
	if out, err := exec.Command("grep", "-rl", "PRIVATE KEY", dir).Output(); err == nil {
		t.Errorf("got a secret key in %s", out)
	}
	info, err := os.Stat(filepath.Join(built, "repository-key.asc"))
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("got mode %v of the secret key, want 0600", info.Mode())
	}
}

func TestARepositoryOfNoPackagesIsAnError(t *testing.T) {
	t.Parallel()
	if err := makeRepository(t.TempDir()); err == nil ||
		!strings.Contains(err.Error(), "make packages") {
		t.Errorf("got %v, want an error that names make packages", err)
	}
}
