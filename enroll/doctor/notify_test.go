package doctor

import (
	"os"
	"strings"
	"testing"

	"latchkey/pam/policy"
	"latchkey/pam/testroot"
)

func TestProgramOfNotifyIsLookedAtAsBeforeItIsRun(t *testing.T) {
	testroot.NeedRoot(t, "the program is run as another user")
	for name, c := range map[string]struct {
		change func(root testroot.Root) error
		want   string // how the finding begins; empty: there is none
	}{
		"sound": {func(testroot.Root) error { return nil }, ""},
		"writable": {func(r testroot.Root) error {
			return os.Chmod(r.Join("opt/tell"), 0o775)
		}, "error: the program of [notify] is not run: "},
		"of a user": {func(r testroot.Root) error {
			return os.Chown(r.Join("opt/tell"), 1000, 1000)
		}, "error: the program of [notify] is not run: "},
		"missing": {func(r testroot.Root) error {
			return os.Remove(r.Join("opt/tell"))
		}, "error: the program of [notify] is not run: "},
		"not executable": {func(r testroot.Root) error {
			return os.Chmod(r.Join("opt/tell"), 0o644)
		}, "error: the program of [notify] is not run: "},
		"out of reach": {func(r testroot.Root) error {
			return os.Chmod(r.Join("opt"), 0o700)
		}, "error: the program of [notify] is not run: "},
		"without a user": {func(r testroot.Root) error {
			return os.Remove(r.Join("etc/passwd"))
		}, "warning: there is none: the program of [notify] runs with uid 65534"},
		"that is not there": {func(r testroot.Root) error {
			r.Policy(t, "")
			return os.Remove(r.Join("opt/tell"))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "doctor")
			testroot.Must(t, err)
			t.Cleanup(func() { os.RemoveAll(dir) })
			root := testroot.Root(dir)
			root.Fill(t)
			testroot.Must(t, os.Mkdir(root.Join("opt"), 0o755))
			testroot.Executable(t, root.Join("opt/tell"), []byte("#!/bin/sh\n"))
			testroot.Must(t, os.WriteFile(root.Join("etc/passwd"),
				[]byte("latchkey:x:54321:54321::/:/bin/false\n"), 0o644))
			root.Policy(t, "[notify]\nprogram = \"/opt/tell\"\n")
			testroot.Must(t, c.change(root))
			d := Doctor{Root: dir}
			rules, err := policy.Load(dir, policy.DefaultPath)
			testroot.Must(t, err)
			var got string
			for _, f := range d.checkNotify(policy.DefaultPath, rules) {
				got += string(f.Status) + ": " + f.Detail
			}
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
