package stack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"

	"latchkey/enroll/doctor/stack/control"
	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/pam/testroot"
)

// The real libpam runs the same stacks: pam_debug returns the code that its argument says, and
// tells the application.

// generator makes stacks of a few lines, some of them in files of their own.
type generator struct {
	*rand.Rand
	// with it includes are absolute: libpam before 1.7 looks for others in /etc/pam.d alone
	dir   string
	files map[string]string
	left  int      // modules still to write
	codes []string // that brackets mention
}

func (g *generator) pick(all ...string) string { return all[g.IntN(len(all))] }

// lines writes a file and gives its name. Modules are called @0, @1 and so on.
func (g *generator) lines(depth int) string {
	name := fmt.Sprintf("f%d", len(g.files))
	g.files[name] = ""
	var text strings.Builder
	for range 1 + g.IntN(5) {
		text.WriteString(g.noise())
		if how := g.IntN(8); how < 3 && depth < 3 {
			include := g.lines(depth + 1)
			text.WriteString(g.pick("@include ", "@INCLUDE\t", "auth include ", "auth substack ",
				"AUTH [substack] ", "auth \\ \n substack\t") +
				g.dir + "/" + include + g.pick("\n", " and more\n", "# x\n"))
		} else if g.left > 0 {
			g.left--
			fmt.Fprintf(&text, "%s %s@%d;%s\n", g.pick("auth", "auth", "-auth", "[auth]",
				"Account", " \tauth"), g.control(), g.left,
				g.pick("", "", " # x \\", "#\r", " \\ \t\n  [x y]"))
		}
	}
	g.files[name] = text.String()
	return name
}

// noise is what libpam passes over.
func (g *generator) noise() string {
	return g.pick("", "", "\n", "# x\n", " \t\n", "\t# auth required pam_deny.so \\\n", "#\\\n",
		"# \x07\r\n")
}

// control is one with the blank behind it, where it needs one.
func (g *generator) control() string {
	if g.IntN(2) == 0 {
		return g.pick("required ", "requisite\t", "sufficient ", "optional ", "Required ",
			"[required]", "[Sufficient] ")
	}
	var pairs []string
	for range 1 + g.IntN(3) {
		pairs = append(pairs, g.pick(append(g.codes, "default")...)+g.pick("=", " = ")+
			g.pick("ok", "ok", "done", "bad", "die", "ignore", "reset", "1", "2", "3"))
	}
	if text := strings.Join(pairs, g.pick(" ", " ", "")); strings.Contains(text, " ") {
		return "[" + text + "]" + g.pick("", " ")
	}
	return strings.Join(pairs, "") + " "
}

// write lays the files down with modules in place of their names.
func (g *generator) write(t *testing.T, module func(i int) string) {
	t.Helper()
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprintf("@%d;", i), module(i))
	}
	modules := strings.NewReplacer(all...)
	for name, text := range g.files {
		if err := os.WriteFile(filepath.Join(g.dir, name), []byte(modules.Replace(text)),
			0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(g.dir, "other"), []byte("auth required pam_deny.so\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
}

// realVerdict is whether libpam lets in, and what the modules that it ran returned.
func realVerdict(t *testing.T, dir string) (bool, []string) {
	t.Helper()
	return verdictOf(t, dir, "f0")
}

func verdictOf(t *testing.T, dir, service string) (bool, []string) {
	t.Helper()
	var seen []string
	note := func(_ pam.Style, message string) (string, error) {
		seen = append(seen, strings.TrimPrefix(message, "auth="))
		return "", nil
	}
	tx, err := pam.StartConfDir(service, "somebody", pam.ConversationFunc(note), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.End()
	err = tx.Authenticate(0)
	if code := pam.Error(0); err != nil && !errors.As(err, &code) {
		t.Fatal(err)
	}
	return err == nil, seen
}

// simulated is the same as told by the simulation.
func simulated(t *testing.T, s *Service) (bool, []string) {
	t.Helper()
	var seen []string
	p := position{}
	for !p.ended(s.Auth) {
		code := control.AuthErr // pam_deny, of "other"
		if l := s.Auth[p.next]; !l.substack && len(l.Args) > 0 {
			name := strings.TrimPrefix(l.Args[0], "auth=")
			code, _ = control.CodeOf(name)
			seen = append(seen, name)
		}
		p = s.Auth.step(p, code)
	}
	return p.passes(), seen
}

// A program whose own service is "other" gets its lines twice, and so would ask for two codes.
func TestLibpamGoesTwiceThroughAServiceNamedOther(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{pamd.Fallback, "f0"} {
		testroot.Must(t, os.WriteFile(filepath.Join(dir, name),
			[]byte("auth required pam_debug.so auth=success\n"), 0o644))
	}
	for service, want := range map[string]int{pamd.Fallback: 2, "Other": 2, "f0": 1, "F0": 1,
		"without-a-file": 1} {
		if _, seen := verdictOf(t, dir, service); len(seen) != want {
			t.Errorf("%s: the module was called %d times, want %d", service, len(seen), want)
		}
	}
}

const debugModule = "pam_debug.so auth="

func TestTheSimulationWalksEveryStackAsLibpamDoes(t *testing.T) {
	dir := t.TempDir()
	passed, entered := 0, 0
	for seed := range uint64(400) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 10)), dir: dir,
			files: map[string]string{}, left: 9,
			codes: []string{"success", "auth_err", "ignore", "new_authtok_reqd", "authtok_err",
				"module_unknown"}}
		g.lines(0)
		for range 5 {
			g.write(t, func(int) string {
				return debugModule + g.pick(append(g.codes, "success",
					"success", "perm_denied")...)
			})
			s, err := readIn("", []string{dir}, "f0")
			if err != nil {
				t.Fatalf("seed %d: %v\n%v", seed, err, g.files)
			}
			pass, seen := simulated(t, s)
			realPass, realSeen := realVerdict(t, dir)
			if pass != realPass || !slices.Equal(seen, realSeen) {
				t.Fatalf("seed %d: %v %q, but libpam says %v %q\n%v", seed, pass, seen, realPass,
					realSeen, g.files)
			}
			if pass {
				passed++
			}
			if len(seen) > 2 {
				entered++
			}
		}
	}
	if passed < 100 || entered < 500 {
		t.Errorf("%d of 2000 passed, %d ran more than two modules: these stacks show nothing",
			passed, entered)
	}
}

// A bypass is found exactly where libpam lets a user in, with some results of the other modules,
// whose code was refused.
func TestABypassIsFoundExactlyWhereLibpamHasOne(t *testing.T) {
	dir := t.TempDir()
	codes := []string{"success", "auth_err", "ignore", "new_authtok_reqd", "perm_denied"}
	const factor, modules = 1, 4
	open, shut := 0, 0
	for seed := range uint64(100) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 20)), dir: dir,
			files: map[string]string{}, left: modules, codes: codes[:3]}
		g.lines(0)
		g.write(t, func(i int) string {
			if i == factor {
				return pamd.Module
			}
			return "pam_warn.so"
		})
		s, err := readIn("", []string{dir}, "f0")
		if err != nil {
			t.Fatal(err)
		}
		if !s.Has() {
			continue
		}
		found := slices.ContainsFunc(s.Weaknesses(),
			func(w Weakness) bool { return w.Kind == Skipped || w.Kind == Shrug })
		if real := g.bypass(t, codes, factor, modules); real != found {
			t.Errorf("seed %d: found %v, libpam %v\n%v", seed, found, real, g.files)
		}
		if found {
			open++
		} else {
			shut++
		}
	}
	if open < 15 || shut < 15 {
		t.Errorf("%d with a bypass and %d without: these stacks show little", open, shut)
	}
}

// bypass tries all results of the other modules and the failures of the factor.
func (g *generator) bypass(t *testing.T, codes []string, factor, modules int) bool {
	t.Helper()
	all := 1
	for range modules {
		all *= len(codes)
	}
	for n := range all {
		results := map[int]string{}
		for i, rest := 0, n; i < modules; i, rest = i+1, rest/len(codes) {
			results[i] = codes[rest%len(codes)]
		}
		if results[factor] != "auth_err" && results[factor] != "perm_denied" {
			continue
		}
		g.write(t, func(i int) string { return debugModule + results[i] })
		if pass, _ := realVerdict(t, g.dir); pass {
			return true
		}
	}
	return false
}
