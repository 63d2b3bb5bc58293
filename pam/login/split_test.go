//go:build cgo

package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msteinert/pam/v2"

	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// passwordModule builds the module of testdata that stands for pam_unix, once.
var passwordModule = sync.OnceValues(func() (string, error) {
	path := filepath.Join(home(), "password.so")
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	out, err := exec.Command(cc, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror",
		"-fPIC", "-shared",
		"testdata/password.c", "-o", path, "-lpam").CombinedOutput()
	return path, errors.Join(err, nonempty(out))
})

// oneField is a service that asks once. Its lines name the modules SPLIT, PASSWORD and CODE.
type oneField struct {
	t       *testing.T
	confdir string
	name    string
	// what the client sends at each question; the last one is repeated
	field string
	// its answers to questions with echo; nil: it cannot be asked
	code  func(prompt string) (string, error)
	asked []string
}

// usualField is how a service is set up: password "secret".
const usualField = "auth requisite SPLIT\nauth requisite PASSWORD secret\nauth required CODE\n"

// theModule is shared by all these tests.
var theModule string

func newField(t *testing.T, stack string) *oneField {
	t.Helper()
	if theModule == "" {
		theModule = filepath.Join(home(), "shared.so")
		testroot.Must(t, os.Rename(filepath.Join(module(t), "pam_latchkey.so"), theModule))
	}
	name, _ := me(t)
	f := &oneField{t: t, confdir: t.TempDir(), name: name}
	f.write("latchkey", stack)
	return f
}

func (f *oneField) write(service, stack string) {
	f.t.Helper()
	password, err := passwordModule()
	testroot.Must(f.t, err)
	stack = strings.NewReplacer("SPLIT", theModule+" split", "PASSWORD", password, "CODE",
		theModule, "DIR", f.confdir).Replace(stack)
	testroot.Must(f.t, os.WriteFile(filepath.Join(f.confdir, service), []byte(stack), 0o644))
}

// answer is the client's side: it has one field, and may be able to ask for a code.
func (f *oneField) answer(style pam.Style, text string) (string, error) {
	switch style {
	case pam.PromptEchoOff:
		f.asked = append(f.asked, text)
		return f.field, nil
	case pam.PromptEchoOn:
		f.asked = append(f.asked, text)
		if f.code == nil {
			return "", errors.New("this client cannot ask")
		}
		return f.code(text)
	}
	return "", nil
}

// start begins a login on a handle of its own.
func (f *oneField) start() *pam.Transaction {
	f.t.Helper()
	tx, err := pam.StartConfDir("latchkey", f.name, pam.ConversationFunc(f.answer), f.confdir)
	testroot.Must(f.t, err)
	f.t.Cleanup(func() { tx.End() })
	return tx
}

// login is a login with this text in the field.
func (f *oneField) login(field string) error {
	f.t.Helper()
	f.asked, f.field = nil, field
	tx := f.start()
	err := tx.Authenticate(0)
	if err == nil {
		err = tx.SetCred(pam.EstablishCred)
	}
	return err
}

// charged returns the number of guesses that stay charged.
func charged(t *testing.T, root testroot.Root, name string) int {
	t.Helper()
	st, err := root.Keyring().States.View(name)
	testroot.Must(t, err)
	return len(st.Failures)
}

// splitHost returns a host on which the user has an app with codes of so many digits.
func splitHost(t *testing.T, digits ...int) (*host, []record.Device) {
	t.Helper()
	name, id := me(t)
	h := newHost(t, "[limits]\ntries = 1\n")
	var apps []record.Device
	for i, n := range digits {
		d := testroot.TOTP("app " + string(rune('a'+i)))
		d.Digits, d.Period = n, 24*time.Hour
		apps = append(apps, d)
	}
	h.root.Enroll(t, name, id, apps...)
	return h, apps
}

// wrongCode is as long as the right one.
func wrongCode(t *testing.T, d record.Device) string {
	t.Helper()
	code := []byte(testroot.Code(t, d, time.Now()))
	code[0] = '0' + (code[0]-'0'+1)%10
	return string(code)
}

func TestOneFieldWithPasswordAndCodeLetsInOnlyWithBoth(t *testing.T) {
	for _, c := range []struct {
		name, stack, typed string // C stands for the code, W for a wrong one
		digits             []int
		in                 bool
		charged            int
	}{
		{"six digits", "secret", "secretC", []int{6}, true, 0},
		{"eight digits", "secret", "secretC", []int{8}, true, 0},
		{"a comma", "secret", "secret,C", []int{6}, true, 0},
		{"a password that ends in digits", "secret22", "secret22C", []int{6}, true, 0},
		{"a password that ends in digits, and a comma", "secret22", "secret22,C", []int{6, 8},
			true, 0},
		{"a password with a comma", "se,cret", "se,cretC", []int{6}, true, 0},
		{"a password that ends in a comma", "secret,", "secret,,C", []int{6}, true, 0},
		{"no password, of a user who has none", "", "C", []int{6}, true, 0},
		{"a wrong code", "secret", "secretW", []int{6}, false, 1},
		{"a wrong code of eight digits", "secret", "secretW", []int{8}, false, 1},
		{"a wrong password", "secret", "wrongC", []int{6}, false, 0},
		{"both wrong", "secret", "wrongW", []int{6}, false, 0},
		{"no code", "secret", "secret", []int{6}, false, 0},
		{"no code after a password that ends in six digits", "secret123456", "secret123456",
			[]int{6}, false, 0},
		{"no password", "secret", "C", []int{6}, false, 0},
		{"nothing", "secret", "", []int{6}, false, 0},
		{"a recovery code of no user", "secret", "secret,abcde-fgh23", []int{6}, false, 0},
		{"the code first", "secret", "Csecret", []int{6}, false, 0},
		{"a blank between", "secret", "secret C", []int{6}, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, apps := splitHost(t, c.digits...)
			f := newField(t,
				"auth requisite SPLIT\nauth requisite PASSWORD "+c.stack+"\nauth required CODE\n")
			typed := strings.ReplaceAll(c.typed, "C", testroot.Code(t, apps[0], time.Now()))
			typed = strings.ReplaceAll(typed, "W", wrongCode(t, apps[0]))
			if err := f.login(typed); (err == nil) != c.in {
				t.Errorf("%v", err)
			}
			if got := charged(t, h.root, f.name); got != c.charged {
				t.Errorf("%d guesses are charged, not %d", got, c.charged)
			}
			if f.asked[0] != "Password: " {
				t.Errorf("asked %q", f.asked)
			}
		})
	}
}

func TestWithoutACodeAtTheEndTheLineBelowAsks(t *testing.T) {
	_, apps := splitHost(t, 6)
	f := newField(t, usualField)
	f.code = func(string) (string, error) { return testroot.Code(t, apps[0], time.Now()), nil }
	testroot.Must(t, f.login("secret"))
	if len(f.asked) != 2 || !strings.HasSuffix(f.asked[1], "Verification code: ") {
		t.Errorf("asked %q", f.asked)
	}
}

func TestACodeAtTheEndIsNotAskedForAgain(t *testing.T) {
	_, apps := splitHost(t, 6)
	f := newField(t, usualField)
	testroot.Must(t, f.login("secret"+testroot.Code(t, apps[0], time.Now())))
	if want := []string{"Password: "}; !slices.Equal(f.asked, want) {
		t.Errorf("asked %q, want %q", f.asked, want)
	}
}

// A client with one field sends it again at every prompt: that is not a guess.
func TestTheWholeFieldSentAgainAsTheCodeIsNotAGuess(t *testing.T) {
	h, apps := splitHost(t, 6)
	h.root.Policy(t, "")
	f := newField(t, usualField)
	typed := "secret" + wrongCode(t, apps[0])
	f.code = func(string) (string, error) { return typed, nil }
	if f.login(typed) == nil || charged(t, h.root, f.name) != 1 {
		t.Errorf("%d guesses are charged, want 1", charged(t, h.root, f.name))
	}
	h.logged(`verdict=deny .* reason=wrong tries=3 ms=\d+`)
}

func TestNothingIsTakenOffWhereThereIsNoSecondFactor(t *testing.T) {
	newHost(t, `unenrolled = "allow"`)
	f := newField(t,
		"auth requisite SPLIT\nauth requisite PASSWORD secret123456\nauth required CODE\n")
	testroot.Must(t, f.login("secret123456"))
	if f.login("secret") == nil {
		t.Error("a wrong password of a user without a second factor lets in")
	}
}

func TestUsersWhoDoNotExistAreDeniedWithoutALineOfLatchkeys(t *testing.T) {
	h := newHost(t, "")
	f := newField(t, usualField)
	for _, name := range []string{"no-one-of-that-name", "../x", "-f", "a/b"} {
		f.name = name
		if f.login("wrong123456") == nil {
			t.Errorf("%q is let in", name)
		}
	}
	h.silent()
}

// enroll asks for the password alone, and for a code itself.
func TestNothingIsTakenOffAPasswordTypedIntoEnroll(t *testing.T) {
	splitHost(t, 6)
	self, err := os.Executable()
	testroot.Must(t, err)
	f := newField(t, "")
	stack := "auth requisite SO split\nauth requisite PASSWORD secret123456\nauth required SO\n"
	dir := module(t, `-DLATCHKEY_ENROLL="`+self+`"`)
	f.write("enroll", strings.ReplaceAll(stack, "SO", dir+"/pam_latchkey.so"))
	f.field = "secret123456"
	tx, err := pam.StartConfDir("enroll", f.name, pam.ConversationFunc(f.answer), f.confdir)
	testroot.Must(t, err)
	defer tx.End()
	testroot.Must(t, tx.Authenticate(0))
}

// A password that another module asked for is split, too.
func TestAPasswordThatAnotherModuleAskedForIsTakenApart(t *testing.T) {
	_, apps := splitHost(t, 6)
	code := testroot.Code(t, apps[0], time.Now())
	f := newField(t, "auth required PASSWORD set=secret"+code+"\n"+usualField)
	if err := f.login("not asked"); err != nil || len(f.asked) != 0 {
		t.Errorf("%v, asked %q", err, f.asked)
	}
}

func TestACodeIsKeptForOneAttemptOfOneUser(t *testing.T) {
	h, apps := splitHost(t, 6)
	code := testroot.Code(t, apps[0], time.Now())
	f := newField(t, usualField)
	tx := f.start()
	f.field = "wrong" + code
	if err := tx.Authenticate(0); err == nil {
		t.Fatal("a wrong password lets in")
	}
	f.field = "secret"
	if err := tx.Authenticate(0); err == nil {
		t.Error("the code of an earlier attempt lets in")
	}
	h.logged(`verdict=deny .* reason=conversation .*`)
	f.field = "secret" + code
	testroot.Must(t, tx.Authenticate(0))

	// The name of the user changes between the two lines.
	f = newField(t,
		"auth requisite SPLIT\nauth requisite PASSWORD secret\nauth required PASSWORD "+
			"user=nobody\nauth required CODE\n")
	name, id := me(t)
	h.root.Enroll(t, name, id, apps...)
	h.root.Enroll(t, "nobody", 65534, apps...)
	if f.login("secret"+code) == nil {
		t.Error("the code that one user typed lets in another")
	}
	if got := charged(t, h.root, "nobody"); got != 0 || len(f.asked) != 2 {
		t.Errorf("%d guesses are charged, asked %q", got, f.asked)
	}
}

func TestTheLineBelowMayStandInAnotherFile(t *testing.T) {
	_, apps := splitHost(t, 6)
	for _, how := range []string{"include", "substack"} {
		f := newField(t,
			"auth requisite SPLIT\nauth requisite PASSWORD secret\nauth "+how+" DIR/below\n")
		f.write("below", "auth required CODE\n")
		name, id := me(t)
		testroot.Root(home()+"/root").Enroll(t, name, id, apps...)
		if err := f.login("secret" + testroot.Code(t, apps[0], time.Now())); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		if f.login("secret"+wrongCode(t, apps[0])) == nil {
			t.Errorf("%s: a wrong code lets in", how)
		}
	}
}

// The line with split has no opinion: in no stack does it let anyone in.
func TestNoStackLetsInByTheLineWithSplit(t *testing.T) {
	_, apps := splitHost(t, 6)
	typed := "wrong" + testroot.Code(t, apps[0], time.Now())
	for _, stack := range []string{
		"auth requisite SPLIT\n",
		"auth required SPLIT\n",
		"auth sufficient SPLIT\n",
		"auth optional SPLIT\n",
		"auth [default=ok] SPLIT\n",
		"auth [default=done] SPLIT\n",
		"auth [ignore=ok default=done] SPLIT\n",
		"auth required SPLIT\nauth required SPLIT\n",
		"auth requisite SPLIT\nauth optional PASSWORD secret\n",
		"auth sufficient SPLIT\nauth requisite PASSWORD secret\nauth required CODE\n",
	} {
		f := newField(t, stack)
		if f.login(typed) == nil {
			t.Errorf("%q lets in", stack)
		}
	}
}

func TestALineWithSplitThatIsThereTwiceTakesTheCodeOffOnce(t *testing.T) {
	h, apps := splitHost(t, 6)
	f := newField(t,
		"auth requisite SPLIT\nauth requisite SPLIT\nauth requisite PASSWORD secret\nauth "+
			"required CODE\n")
	if f.login("secret"+testroot.Code(t, apps[0], time.Now())) == nil {
		t.Error("the code is kept over a second line, which found none")
	}
	h.logged(`verdict=deny .* reason=conversation .*`)
}

func TestSplitTogetherWithIfPublickeyIsRefused(t *testing.T) {
	h, apps := splitHost(t, 6)
	f := newField(t,
		"auth requisite SPLIT if_publickey\nauth requisite PASSWORD secret\nauth required CODE\n")
	if f.login("secret"+testroot.Code(t, apps[0], time.Now())) == nil {
		t.Error("let in")
	}
	h.logged(`verdict=deny .* reason=argument .*`)
}

func TestARecordThatCannotBeReadIsToldOnlyToUsersWhoKnowThePassword(t *testing.T) {
	h, apps := splitHost(t, 6)
	f := newField(t, usualField)
	testroot.Must(t, os.WriteFile(h.root.Join("etc/latchkey/users/"+f.name), []byte("x"), 0o600))
	code := testroot.Code(t, apps[0], time.Now())
	if f.login("wrong"+code) == nil {
		t.Error("a wrong password lets in")
	}
	h.silent()
	if f.login("secret"+code) == nil {
		t.Error("a damaged record lets in")
	}
	h.logged(`verdict=deny .* reason=record .*`)
}

// FAULTS 42
func TestAfterALoginWithOneFieldTheApplicationsMemoryHoldsNeitherCodeNorPassword(t *testing.T) {
	_, apps := splitHost(t, 8)
	// the first bytes of what is freed are overwritten in any case
	blanks := strings.Repeat(" ", 40)
	code := testroot.Code(t, apps[0], time.Now())
	for _, c := range []struct{ name, above, password, code, end string }{
		{"right", "", "tremendous", code, "0"},
		{"a wrong code", "", "tremendous", wrongCode(t, apps[0]), "11"},
		{"a wrong password", "", "enormously", code, "7"},
		{"right, and asked for by another module", "auth required PASSWORD ask\n", "tremendous",
			code, "0"},
		{"wrong, and asked for by another module", "auth required PASSWORD ask\n", "enormously",
			code, "7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, _ := splitHost(t, 8)
			name, id := me(t)
			h.root.Enroll(t, name, id, apps...)
			f := newField(t,
				c.above+"auth requisite SPLIT\nauth requisite PASSWORD tremendous\nauth "+
					"required CODE\n")
			a := apply(t, nil, f.confdir, name)
			if got := a.hears(); got != "Password: " {
				t.Fatalf("asked %q", got)
			}
			a.answers(c.password + "," + blanks + c.code)
			if c.end == "11" {
				if got := a.hears(); !strings.HasPrefix(got, "What may help:\n") {
					t.Fatalf("it said %q, want what may help", got)
				}
			}
			a.ends(c.end)
			secrets := map[string]string{
				"the code":                    c.code,
				"the password with its comma": c.password + ",",
			}
			if c.end == "7" { // the right one is in the service file, and so in libpam's memory
				secrets["the password"] = c.password[4:]
			}
			a.keepsNothing(secrets)
		})
	}
}
