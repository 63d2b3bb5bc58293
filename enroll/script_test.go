package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"latchkey/enroll/setuid"
	"latchkey/enroll/terminal"
	"latchkey/pam/factor/oath"
	"latchkey/pam/record"
)

// The scripts in testdata/script run enroll as root below $WORK. They show what a person types
// and reads.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("LATCHKEY_ROOT", e.WorkDir)
			manual, err := os.ReadFile("../packaging/man/enroll.8.md")
			return errors.Join(err, os.WriteFile(e.WorkDir+"/manual", manual, 0o644),
				makeRoot(e.WorkDir),
				os.MkdirAll(e.WorkDir+"/etc/pam.d", 0o755),
				os.WriteFile(e.WorkDir+"/etc/pam.d/other", []byte(goodStack), 0o644))
		}})
}

// goodStack asks for the password, then for the code.
const goodStack = "auth requisite pam_unix.so\nauth required pam_latchkey.so\n" +
	"account required pam_unix.so\nsession required pam_permit.so\n"

func TestMain(m *testing.M) {
	testscript.Main(tidy{m}, map[string]func(){"enroll": enrollBelowRoot, "code": printCode})
}

// tidy removes, after the tests, the host that they share.
type tidy struct{ *testing.M }

func (m tidy) Run() int {
	defer func() { os.RemoveAll(siteFolder) }() // which is not known yet
	return m.M.Run()
}

// makeRoot lays out what make install does.
func makeRoot(root string) error {
	for _, dir := range []string{"/etc/latchkey/users", "/var/lib/latchkey/users"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(root+dir, 0o700); err != nil {
			return err
		}
	}
	return os.WriteFile(root+"/etc/latchkey/latchkey.toml", nil, 0o644)
}

// silent is a console at which no one sits.
func silent(out, err io.Writer) *terminal.Console {
	in := bufio.NewReader(strings.NewReader(""))
	return &terminal.Console{In: in, Out: out, Err: err}
}

// enrollBelowRoot is main without the clean start, whose re-execution would forget where the
// test's root is.
func enrollBelowRoot() {
	os.Exit(newProgram(setuid.Privilege{}, os.Getenv("LATCHKEY_ROOT")).run(os.Args[1:]))
}

// printCode prints the code that an app with the RFC's test secret shows so many steps from now,
// or a wrong one.
func printCode() {
	offset := flag.Int("offset", 0, "time steps from now")
	counter := flag.Int("counter", -1, "of a token with that secret, instead")
	wrong := flag.Bool("wrong", false, "a code of no step near now")
	flag.Parse()
	d := record.Device{Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second,
		Secret: []byte("12345678901234567890")}
	now := oath.Step(&d, time.Now())
	if *wrong {
		fmt.Println(absent(&d, now))
		return
	}
	moving := now + uint64(*offset)
	if *counter >= 0 {
		moving = uint64(*counter)
	}
	code, err := oath.Code(&d, moving)
	if err != nil {
		panic(err)
	}
	fmt.Println(code)
}

// absent is a code that no step near now has.
func absent(d *record.Device, now uint64) string {
	taken := map[string]bool{}
	for s := now - 130; s < now+130; s++ {
		code, _ := oath.Code(d, s)
		taken[code] = true
	}
	for n := 0; ; n++ {
		if code := fmt.Sprintf("%06d", n); !taken[code] {
			return code
		}
	}
}
