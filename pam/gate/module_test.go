package gate

import (
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"
)

// shippedModule builds the module as `make build` does.
func shippedModule(t *testing.T) *elf.File {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "pam_latchkey.so")
	build := exec.Command("make", "-s", "-C", "../..", "B="+dir, path)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make: %v\n%s", err, out)
	}
	module, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { module.Close() })
	return module
}

func TestTheModuleExportsOnlyWhatPAMCalls(t *testing.T) {
	symbols, err := shippedModule(t).DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var exported []string
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF && elf.ST_BIND(s.Info) != elf.STB_LOCAL {
			exported = append(exported, s.Name)
		}
	}
	slices.Sort(exported)
	if !slices.Equal(exported,
		[]string{"pam_sm_acct_mgmt", "pam_sm_authenticate", "pam_sm_setcred"}) {
		t.Errorf("exported: %q", exported)
	}
}

func TestTheModuleNeedsOnlyLibpamAndLibc(t *testing.T) {
	libraries, err := shippedModule(t).ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(libraries)
	if !slices.Equal(libraries, []string{"libc.so.6", "libpam.so.0"}) {
		t.Errorf("needed: %q", libraries)
	}
}

func TestTheModuleIsHardened(t *testing.T) {
	module := shippedModule(t)
	flags, err := module.DynValue(elf.DT_FLAGS)
	if err != nil {
		t.Fatal(err)
	}
	if len(flags) != 1 || elf.DynFlag(flags[0])&elf.DF_BIND_NOW == 0 {
		t.Errorf("not bound at load: flags %v", flags)
	}
	relro := false
	for _, segment := range module.Progs {
		relro = relro || segment.Type == elf.PT_GNU_RELRO
		if segment.Type == elf.PT_GNU_STACK && segment.Flags&elf.PF_X != 0 {
			t.Error("the stack is executable")
		}
		if segment.Flags&elf.PF_X != 0 && segment.Flags&elf.PF_W != 0 {
			t.Error("a segment is writable and executable")
		}
	}
	if !relro {
		t.Error("relocations stay writable")
	}
}

// The module is driven through libpam and a conversation function that is Go's.
func TestTheModuleAnswersAnotherApplication(t *testing.T) {
	if sanitizers != "" {
		t.Skip("msteinert/pam leaks 18 bytes (the name it gives to dlsym), which LeakSanitizer " +
			"reports; testdata/host.c drives the module instead")
	}
	for _, c := range []struct {
		name, script string
		want         error
	}{
		{"allow", send("Qcode") + " receive " + send("V2 allow"), nil},
		{"deny", send("Qcode") + " receive " + send("V2 deny 11"), pam.ErrMaxtries},
		{"no verdict", send("Qcode") + " receive exit=0", pam.ErrSystem},
	} {
		t.Run(c.name, func(t *testing.T) {
			module := must(t, buildModule)
			dir := t.TempDir()
			writeService(t, dir,
				"auth required "+module+" "+c.script+"\naccount required "+module+"\n")
			var asked []string
			tx, err := pam.StartConfDir("latchkey-test", "root",
				pam.ConversationFunc(func(style pam.Style, message string) (string, error) {
					asked = append(asked, message)
					return "123456", nil
				}), dir)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.End()
			if err := tx.Authenticate(0); !errors.Is(err, c.want) {
				t.Errorf("authenticate: %v", err)
			}
			if !slices.Equal(asked, []string{"code"}) {
				t.Errorf("asked %q", asked)
			}
			// Linux-PAM itself answers setcred after a denial.
			if err := errors.Join(tx.SetCred(pam.EstablishCred), tx.AcctMgmt(0)); c.want == nil &&
				err != nil {
				t.Error(err)
			}
			noChildren(t)
		})
	}
}

// sshd sets credentials in another process, to which only the PAM environment gets.
func TestATextForLaterIsShownOnceWhenCredentialsAreSet(t *testing.T) {
	if sanitizers != "" {
		t.Skip("msteinert/pam leaks 18 bytes (the name it gives to dlsym), which LeakSanitizer reports")
	}
	for name, c := range map[string]struct {
		text  string
		flags pam.Flags
		shown []string
	}{
		"established":        {"line 1 = 1\nline 2", pam.EstablishCred, []string{"line 1 = 1\nline 2"}},
		"begun again":        {"text", pam.ReinitializeCred, []string{"text"}},
		"asked to be silent": {"text", pam.EstablishCred | pam.Silent, nil},
		"at the end":         {"text", pam.DeleteCred, nil},
	} {
		t.Run(name, func(t *testing.T) {
			module, dir := must(t, buildModule), t.TempDir()
			writeService(t, dir, "auth required "+module+" "+send("L"+c.text)+" receive "+
				send("V2 allow")+"\n")
			var shown []string
			tx, err := pam.StartConfDir("latchkey-test", "root",
				pam.ConversationFunc(func(style pam.Style, message string) (string, error) {
					if style != pam.TextInfo {
						t.Errorf("got %q in style %v, want a text", message, style)
					}
					shown = append(shown, message)
					return "", nil
				}), dir)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.End()
			if err := tx.Authenticate(0); err != nil || len(shown) > 0 {
				t.Errorf("authenticate: %v, shown %q; want nothing yet", err, shown)
			}
			for range 2 {
				if err := tx.SetCred(c.flags); err != nil {
					t.Error(err)
				}
			}
			if !slices.Equal(shown, c.shown) {
				t.Errorf("got %q shown, want %q", shown, c.shown)
			}
			if left := tx.GetEnv("LATCHKEY_LATER"); left != "" {
				t.Errorf("the session's environment has %q", left)
			}
		})
	}
}

// pam_env may read the variable from a file of the user's, and su is run by root.
func TestATextForLaterDoesNothingToTheTerminal(t *testing.T) {
	if sanitizers != "" {
		t.Skip("msteinert/pam leaks 18 bytes (the name it gives to dlsym), which LeakSanitizer reports")
	}
	dir := t.TempDir()
	writeService(t, dir, "auth required "+must(t, buildModule)+"\n")
	var shown string
	tx, err := pam.StartConfDir("latchkey-test", "root",
		pam.ConversationFunc(func(_ pam.Style, message string) (string, error) {
			shown = message
			return "", nil
		}), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.End()
	if err := errors.Join(tx.PutEnv("LATCHKEY_LATER=a\x1b]0;b\x07\r\n\x9b\xc3\xa9\x7f c"),
		tx.SetCred(pam.EstablishCred)); err != nil {
		t.Fatal(err)
	}
	if want := "a?]0;b??\n???? c"; shown != want {
		t.Errorf("got %q shown, want %q", shown, want)
	}
}

func TestWirePageAndCodeHaveTheSameVerdicts(t *testing.T) {
	page, err := os.ReadFile("WIRE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"PAM_AUTH_ERR 7", "PAM_USER_UNKNOWN 10", "PAM_MAXTRIES 11",
		"PAM_AUTHINFO_UNAVAIL 9", "PAM_PERM_DENIED 6",
		"PAM_CONV_ERR 19", "PAM_SYSTEM_ERR 4"} {
		if !strings.Contains(string(page), name) {
			t.Errorf("WIRE.md does not list %s", name)
		}
	}
}
