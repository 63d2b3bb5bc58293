package main_test

import (
	"debug/elf"
	"os"
	"os/exec"
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
var forbidden = regexp.MustCompile(
	`^(net|net/http|net/http/.*|net/rpc.*|net/smtp|crypto/tls|crypto/x509|` +
		`os/exec|os/user|os/signal|log/syslog|image/png|image/jpeg|image/gif|` +
		`plugin|runtime/cgo|testing|C|text/template|html/template|encoding/gob|expvar|` +
		`.*/qrcode.*|rsc\.io/.*|.*msteinert/pam.*|latchkey/enroll.*|latchkey/pam/enrollment|` +
		`latchkey/pam/twilio|.*/twilio-go.*|golang\.org/x/crypto/ssh.*|latchkey/pam/internal/.*)$`)

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

// The program that enrolls during a login may also write records and draw QR codes, but nothing
// else.
var ofEnrolling = regexp.MustCompile(`^(rsc\.io/qr.*|latchkey/enroll/.*|latchkey/pam/enrollment)$`)

func TestEnrollingProgramLinksOnlyEnrollmentAndQRCodesInAddition(t *testing.T) {
	deps := list(t, "-deps", "latchkey/enroll/firstlogin")
	for _, path := range deps {
		if forbidden.MatchString(path) && !ofEnrolling.MatchString(path) {
			t.Errorf("it links %s", path)
		}
	}
	for _, program := range [][]string{deps, list(t, "-deps", "latchkey/enroll")} {
		if !slices.Contains(program, "latchkey/pam/enrollment") {
			t.Errorf("got no pam/enrollment in what enrolls: %q", program)
		}
	}
}

// A login only reads records. That holds for every program because pam/factor does not import the
// code that writes them.
func TestNothingBelowALoginImportsEnrollment(t *testing.T) {
	for _, below := range []string{
		"session", "flow", "authority", "factor", "policy", "limit", "record", "state",
	} {
		if slices.Contains(list(t, "-deps", "latchkey/pam/"+below), "latchkey/pam/enrollment") {
			t.Errorf("got that pam/%s imports pam/enrollment", below)
		}
	}
}

// pam/record can write a record, for enroll. Nothing in the login program calls that, so the
// linker leaves it out.
func TestTheBuiltProgramHasNoCodeThatWritesARecord(t *testing.T) {
	reads := 0
	for _, name := range symbols(t) {
		switch {
		case strings.HasPrefix(name, "latchkey/pam/record.Store.Load"):
			reads++
		case writesRecord.MatchString(name):
			t.Errorf("it has %s", name)
		}
	}
	if reads == 0 {
		t.Error("got no code that reads a record")
	}
}

var writesRecord = regexp.MustCompile(`^latchkey/pam/record\.(Store\.(Save|Remove|Sweep)|` +
	`\(\*(Record|Store|key)\)\.(encode.*|Save|Remove|Sweep))`)

func TestNothingItLinksUsesCgo(t *testing.T) {
	got := list(t, "-deps", "-f", "{{range .CgoFiles}}{{$.ImportPath}}/{{.}} {{end}}",
		"latchkey/pam/login")
	if len(got) > 0 {
		t.Errorf("with C in it: %q", got)
	}
}

// symbols returns the names of all code and data in the built program.
func symbols(t *testing.T) (names []string) {
	t.Helper()
	path, err := program()
	testroot.Must(t, err)
	file, err := elf.Open(path)
	testroot.Must(t, err)
	defer file.Close()
	if libraries, err := file.ImportedLibraries(); len(libraries) > 0 {
		t.Errorf("it needs %q, %v; want no library", libraries, err)
	}
	all, err := file.Symbols()
	testroot.Must(t, err)
	for _, symbol := range all {
		names = append(names, symbol.Name)
	}
	return names
}

// tables are what remains of the QR encoder that github.com/pquerna/otp imports for otp.Key.Image:
// the arithmetic that it prepares when a program starts, in 6 µs.
var tables = regexp.MustCompile(`^github\.com/boombuler/barcode/` +
	`(qr\.(\.inittask|init|ec|newErrorCorrection)|utils\.NewGaloisField)$`)

func TestTheBuiltProgramHasNoCodeOfTheOTPLibrarysQREncoder(t *testing.T) {
	found := 0
	for _, name := range symbols(t) {
		switch {
		case !strings.Contains(name, "boombuler/barcode"):
		case tables.MatchString(name):
			found++
		default:
			t.Errorf("it has %s, want no more than the encoder's tables", name)
		}
	}
	if found == 0 {
		t.Error("it has no table of the encoder: the library is another one, and so are its names")
	}
}

func TestTheBuiltProgramIsStaticAndHasNoSymbolOfWhatItDoesNotLink(t *testing.T) {
	found := 0
	for _, name := range symbols(t) {
		if strings.HasPrefix(name, "latchkey/pam/flow.") {
			found++
		}
		for _, prefix := range []string{"net.", "net/http.", "crypto/tls.", "os/exec.", "os/user.",
			"image/png.", "rsc.io/qr"} {
			if strings.HasPrefix(name, prefix) {
				t.Errorf("it has %s", name)
			}
		}
	}
	if found == 0 {
		t.Error("it has no symbols")
	}
}
