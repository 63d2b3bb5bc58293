package main_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

// list runs go list as the program is built.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	testroot.Must(t, err)
	return strings.Fields(string(out))
}

// forbidden is what a program that runs as root at every login has no use for.
var forbidden = regexp.MustCompile(`^(net|net/http|net/http/.*|net/rpc.*|net/smtp|crypto/tls|crypto/x509|os/exec|os/user|os/signal|log/syslog|image/png|image/jpeg|image/gif|` +
	`plugin|runtime/cgo|testing|C|text/template|html/template|encoding/gob|expvar|.*/qrcode.*|rsc\.io/.*|.*msteinert/pam.*|latchkey/enroll.*|latchkey/pam/twilio|.*/twilio-go.*|latchkey/pam/internal/.*)$`)

func TestTheProgramLinksNoNetworkNoProcessesAndNoQRCodes(t *testing.T) {
	deps := list(t, "-deps", "latchkey/pam/login")
	if !slices.Contains(deps, "latchkey/pam/flow") || !slices.Contains(deps, "crypto/hmac") {
		t.Fatalf("this is no list of what it links: %q", deps)
	}
	for _, path := range deps {
		if forbidden.MatchString(path) {
			t.Errorf("it links %s", path)
		}
	}
}

// What enrolls inside a login may draw QR codes, and that is all it may more.
func TestTheProgramThatEnrollsLinksOnlyQRCodesMore(t *testing.T) {
	for _, path := range list(t, "-deps", "latchkey/enroll/firstlogin") {
		if forbidden.MatchString(path) && !strings.HasPrefix(path, "rsc.io/qr") && !strings.HasPrefix(path, "latchkey/enroll/") {
			t.Errorf("it links %s", path)
		}
	}
}

func TestNothingItLinksUsesCgo(t *testing.T) {
	if got := list(t, "-deps", "-f", "{{range .CgoFiles}}{{$.ImportPath}}/{{.}} {{end}}", "latchkey/pam/login"); len(got) > 0 {
		t.Errorf("with C in it: %q", got)
	}
}

func TestTheQRCodesOfTheOTPLibraryAreReplacedByNothing(t *testing.T) {
	got := list(t, "-m", "-f", "{{with .Replace}}{{.Dir}}{{end}}", "github.com/boombuler/barcode")
	want, err := filepath.Abs("../factor/noqr")
	testroot.Must(t, err)
	if len(got) != 1 || got[0] != want {
		t.Errorf("github.com/boombuler/barcode is %q, not %s", got, want)
	}
	for _, path := range list(t, "-deps", "latchkey/pam/login") {
		if strings.Contains(path, "barcode") && path != "github.com/boombuler/barcode" && path != "github.com/boombuler/barcode/qr" {
			t.Errorf("it links %s", path)
		}
	}
}

func TestTheBuiltProgramIsStaticAndHasNoSymbolOfWhatItDoesNotLink(t *testing.T) {
	path, err := program()
	testroot.Must(t, err)
	file, err := elf.Open(path)
	testroot.Must(t, err)
	defer file.Close()
	if libraries, err := file.ImportedLibraries(); len(libraries) > 0 {
		t.Errorf("it needs %q, %v", libraries, err)
	}
	symbols, err := file.Symbols()
	testroot.Must(t, err)
	found := 0
	for _, symbol := range symbols {
		if strings.HasPrefix(symbol.Name, "latchkey/pam/flow.") {
			found++
		}
		for _, prefix := range []string{"net.", "net/http.", "crypto/tls.", "os/exec.", "os/user.", "image/png.", "rsc.io/qr", "github.com/boombuler/barcode/"} {
			if strings.HasPrefix(symbol.Name, prefix) {
				t.Errorf("it has %s", symbol.Name)
			}
		}
	}
	if found == 0 {
		t.Error("it has no symbols")
	}
}
