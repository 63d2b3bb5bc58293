package packaging_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A second build in another folder, with another umask, time zone and home, and with nothing
// compiled before.
func TestTwoBuildsOfTheSameCommitAreIdentical(t *testing.T) {
	other, cache := filepath.Join(t.TempDir(), "some", "other folder"), t.TempDir()
	copyCheckout(t, other)
	tools := t.TempDir()
	build := exec.Command("sh", "-c", `for file in package.sh bill.sh; do
		GOBIN="$0" go install "$(sed -n 's/^[a-z]*_module=//p' $file)" || exit 1; done`, tools)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	second := packages(other, "ARCHES=amd64", "VERSION="+version)
	second.Args = append([]string{"sh", "-c", `umask 077 && exec "$0" "$@"`}, second.Args...)
	second.Path = "/bin/sh"
	commit := strings.TrimSpace(run(t, "git", "log", "-1", "--format=%ct"))
	second.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+commit, "GOCACHE="+cache,
		"NFPM="+filepath.Join(tools, "nfpm"), "CYCLONEDX="+filepath.Join(tools, "cyclonedx-gomod"),
		"TZ=Asia/Tokyo", "LC_ALL=C.UTF-8", "GOFLAGS=")
	if out, err := second.CombinedOutput(); err != nil {
		t.Fatalf("make packages: %v\n%s", err, out)
	}
	for _, file := range []string{deb("amd64"), rpm(version, "x86_64"), fleetd("amd64"),
		fleetdRPM(version), bom("latchkey", "amd64"), bom("latchkey-fleetd", "amd64")} {
		same(t, file, filepath.Join(other, "build/packages", filepath.Base(file)))
	}
}

// copyCheckout copies the files that git tracks, as they are now.
func copyCheckout(t *testing.T, to string) {
	t.Helper()
	must(t, os.MkdirAll(to, 0o700))
	run(t, "sh", "-c", `git -C .. ls-files -z | tar -C .. --null -T - -c | tar -C "$0" -xm`, to)
}

func same(t *testing.T, first, second string) {
	t.Helper()
	a, err := os.ReadFile(first)
	must(t, err)
	b, err := os.ReadFile(second)
	must(t, err)
	if !bytes.Equal(a, b) {
		t.Errorf("%s differs from its second build", filepath.Base(first))
	}
}
