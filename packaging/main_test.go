package packaging_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// built is where `make packages` put what the tests look at: both architectures, both kinds.
var built string

// version is that of the packages; newer is a second one, of the rpm for amd64 alone.
const (
	version = "1.0.1"
	newer   = "1.0.2"
)

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	var err error
	if built, err = os.MkdirTemp("", "latchkey-packaging-*"); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		return 1
	}
	defer os.RemoveAll(built)
	for _, args := range [][]string{
		{"VERSION=" + version},
		{"VERSION=" + newer, "ARCHES=amd64", "KINDS=rpm"},
	} {
		if out, err := packages("..", append(args, "B="+built)...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "packaging: make packages: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// packages runs `make packages` in the checkout at top.
func packages(top string, args ...string) *exec.Cmd {
	return exec.Command("make", append([]string{"-C", top, "packages"}, args...)...)
}

func deb(arch string) string {
	return filepath.Join(built, "packages", "latchkey_"+version+"-1_"+arch+".deb")
}

func rpm(version, machine string) string {
	return filepath.Join(built, "packages", "latchkey-"+version+"-1."+machine+".rpm")
}

// run runs a command and returns its output.
func run(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
