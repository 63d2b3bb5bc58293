package activate

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/activate/journal"
	"latchkey/enroll/activate/plan"
	"latchkey/enroll/activate/session"
	"latchkey/pam/testroot"
)

// rig is a machine in a folder, with a clock that only moves when Await waits.
type rig struct {
	t       *testing.T
	root    string
	now     journal.Moment
	steps   []string // what was called, in order
	fails   map[string]error
	waiting func() // called when Await waits
	Activation
}

const (
	pam  = "/etc/pam.d/sshd"
	conf = "/etc/ssh/sshd_config.d/00-latchkey.conf"
)

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, root: t.TempDir(), fails: map[string]error{},
		now: journal.Moment{Wall: time.Unix(1e9, 0), Boot: "first", Up: time.Hour}}
	for _, dir := range []string{"/etc/pam.d", "/etc/ssh/sshd_config.d", "/var/lib/latchkey"} {
		testroot.Must(t, os.MkdirAll(r.root+dir, 0o755))
	}
	testroot.Must(t, os.WriteFile(r.root+pam, []byte("before\n"), 0o640))
	step := func(name string) func() error {
		return func() error {
			r.steps = append(r.steps, name+" "+strings.TrimSpace(r.text(pam)))
			return r.fails[name]
		}
	}
	r.Activation = Activation{Store: journal.Store{Root: r.root},
		Now: func() journal.Moment { return r.now },
		Pause: func(d time.Duration) {
			if r.waiting != nil {
				r.waiting()
			}
			r.now.Up, r.now.Wall = r.now.Up+d, r.now.Wall.Add(d)
		},
		Check: step("check"), Reload: step("reload"), Arm: step("arm"), Disarm: step("disarm"),
		Watch: step("watch")}
	return r
}

// text is what a file has in it; empty: it is not there.
func (r *rig) text(path string) string {
	data, _ := os.ReadFile(r.root + path)
	return string(data)
}

func (r *rig) begin() (*journal.Journal, error) {
	return r.Begin(plan.Plan{Services: []string{"sshd"}, Changes: []plan.Change{
		{Path: pam, Existed: true, Before: "before\n", After: "after\n"},
		{Path: conf, After: "options\n"},
	}}, plan.Wish{Stack: plan.PasswordAndCode, SSHD: "sshd"}, time.Minute)
}

func (r *rig) begun() {
	r.t.Helper()
	if _, err := r.begin(); err != nil {
		r.t.Fatal(err)
	}
}

// is checks what the files hold, and the state of the journal.
func (r *rig) is(pamText, confText string, state journal.State) {
	r.t.Helper()
	j, err := r.Store.Load()
	if err != nil {
		r.t.Fatal(err)
	}
	got := map[string]string{pam: r.text(pam), conf: r.text(conf), "state": string(j.State)}
	want := map[string]string{pam: pamText, conf: confText, "state": string(state)}
	if !maps.Equal(got, want) {
		r.t.Errorf("got %q, want %q", got, want)
	}
}

func TestJournalAndWatcherAreThereBeforeTheFirstFileChanges(t *testing.T) {
	r := newRig(t)
	r.Watch = func() error {
		r.is("before\n", "", journal.Pending)
		if got := r.text(journal.Folder + "/etc-pam.d-sshd"); got != "before\n" {
			t.Errorf("got the copy %q", got)
		}
		return nil
	}
	r.begun()
	r.is("after\n", "options\n", journal.Pending)
	want := "arm before, check after, reload after"
	if got := strings.Join(r.steps, ", "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for path, mode := range map[string]os.FileMode{pam: 0o640, conf: 0o644} {
		st, err := os.Stat(r.root + path)
		if err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: got %v, %v, want mode %v", path, st.Mode(), err, mode)
		}
	}
}

// The kernel rounds the beginning of a login's process down, to before the activation if there is
// less than one unit between.
func TestALoginRightAfterTheCommandIsNewer(t *testing.T) {
	r := newRig(t)
	r.now.Up += time.Millisecond
	j, err := r.begin()
	testroot.Must(t, err)
	l := Login{Session: session.Session{Began: r.now.Up.Truncate(session.Tick)}, Now: r.now}
	if _, after := l.since(j.InForce); !after {
		t.Errorf("a login at %v is older than %v", r.now.Up, j.InForce.Up)
	}
}

func TestAnyStepThatFailsPutsEverythingBack(t *testing.T) {
	for _, step := range []string{"arm", "watch", "check", "reload"} {
		t.Run(step, func(t *testing.T) {
			r := newRig(t)
			failed := errors.New("it fails")
			r.fails[step] = failed
			if step == "check" || step == "reload" { // they work again with the old files
				r.Check = r.fragile("check", step)
				r.Reload = r.fragile("reload", step)
			}
			if _, err := r.begin(); err == nil || !strings.Contains(err.Error(), "it fails") {
				t.Errorf("got %v, want that it fails", err)
			}
			r.is("before\n", "", journal.Inactive)
			if last := r.steps[len(r.steps)-1]; last != "disarm before" {
				t.Errorf("the last step is %q, want disarm before", last)
			}
			r.fails = map[string]error{}
			r.begun()
		})
	}
}

// fragile is a step that fails, if it is the one, as long as the new files are there.
func (r *rig) fragile(name, which string) func() error {
	return func() error {
		r.steps = append(r.steps, name)
		if name == which && r.text(pam) == "after\n" {
			return r.fails[name]
		}
		return nil
	}
}

// What a process that was killed at any step has left is undone when it is due.
func TestAnActivationThatWasKilledIsUndoneWhenItIsDue(t *testing.T) {
	for _, at := range []string{"watch", "check", "reload"} {
		t.Run(at, func(t *testing.T) {
			r := newRig(t)
			killed := func() error { panic("killed") }
			switch at {
			case "watch":
				r.Watch = killed
			case "check":
				r.Check = killed
			case "reload":
				r.Reload = killed
			}
			func() {
				defer func() { recover() }()
				r.begin()
			}()
			for _, path := range []string{pam, conf} { // a file that was not written whole
				testroot.Write(t, filepath.Dir(r.root+path)+"/.new-0123", nil)
			}
			theirs := r.root + filepath.Dir(pam) + "/.new-sshd" // an administrator's draft
			testroot.Write(t, theirs, nil)
			after := newRig(t)
			after.root, after.Store = r.root, r.Store
			after.is(r.text(pam), r.text(conf), journal.Pending)
			if _, err := after.Await(); err != nil {
				t.Fatal(err)
			}
			after.is("before\n", "", journal.Inactive)
			if left, _ := filepath.Glob(r.root + "/etc/*/.new-*"); !slices.Equal(left,
				[]string{theirs}) {
				t.Errorf("got %q left, want %q", left, theirs)
			}
			if left, _ := filepath.Glob(r.root + "/etc/*/*/.new-*"); left != nil {
				t.Errorf("got %q left", left)
			}
			if after.now.Up-r.now.Up < time.Minute {
				t.Errorf("it was undone after %v, want a minute", after.now.Up-r.now.Up)
			}
		})
	}
}

func TestAwaitEndsWhenTheActivationIsConfirmed(t *testing.T) {
	r := newRig(t)
	r.begun()
	r.waiting = func() {
		if _, err := r.Confirm(r.proof()); err != nil {
			t.Error(err)
		}
	}
	j, err := r.Await()
	if err != nil || j.State != journal.Active {
		t.Errorf("got %v, %v, want it active", j.State, err)
	}
	r.is("after\n", "options\n", journal.Active)
}

func TestUndoByHandChangesNothingIfOthersHaveChangedAFile(t *testing.T) {
	for name, change := range map[string]func(r *rig) error{
		"a line more": func(r *rig) error {
			return os.WriteFile(r.root+pam, []byte("after\nx\n"), 0o640)
		},
		"the file removed": func(r *rig) error { return os.Remove(r.root + conf) },
		"a link in its place": func(r *rig) error {
			return errors.Join(os.Remove(r.root+pam), os.Symlink("../other", r.root+pam))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.begun()
			testroot.Must(t, change(r))
			before := r.text(pam) + r.text(conf)
			_, err := r.Undo("root")
			if name == "the file removed" { // as it was before
				if err != nil {
					t.Fatal(err)
				}
				r.is("before\n", "", journal.Inactive)
				return
			}
			var edited *Edited
			if !errors.As(err, &edited) || !strings.Contains(edited.HowToGoOn(), pam) {
				t.Errorf("got %v, want which file is edited", err)
			}
			if after := r.text(pam) + r.text(conf); after != before {
				t.Errorf("got %q, want %q", after, before)
			}
		})
	}
}

// In time, what others have changed stays, and the rest is put back: more users get in then.
func TestWhatOthersHaveChangedStaysWhenTheTimeIsOver(t *testing.T) {
	r := newRig(t)
	r.begun()
	testroot.Must(t, os.WriteFile(r.root+pam, []byte("edited\n"), 0o640))
	j, err := r.Await()
	if err != nil || len(j.Left) != 1 || j.Left[0] != pam {
		t.Errorf("got %v, %v, want %s left", j.Left, err, pam)
	}
	r.is("edited\n", "", journal.Inactive)
}

// A rollback that put only sshd's options back would lock out everyone who has no key: its PAM
// service would still ask for a code, where sshd's older method for passwords cannot ask.
func TestLinesOfAnActivationGoOutOfFilesThatOthersHaveChanged(t *testing.T) {
	const before, after = "auth one\naccount two\n", "auth one\n# b\nauth code\n# e\naccount two\n"
	for name, c := range map[string]struct{ edited, want string }{
		"a line more":         {after + "# mine\n", before + "# mine\n"},
		"a line in front":     {"# mine\n" + after, "# mine\n" + before},
		"no line feed":        {strings.TrimSuffix(after, "\n"), strings.TrimSuffix(before, "\n")},
		"another line gone":   {strings.Replace(after, "auth one\n", "", 1), "account two\n"},
		"the lines changed":   {"auth one\n# b\nauth mine\n# e\n", ""},
		"the lines repeated":  {after + after, ""},
		"the lines commented": {strings.ReplaceAll(after, "auth code", "#auth code"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			testroot.Must(t, os.WriteFile(r.root+pam, []byte(before), 0o644))
			_, err := r.Begin(plan.Plan{Changes: []plan.Change{
				{Path: pam, Existed: true, Before: before, After: after},
				{Path: conf, After: "options\n"}}}, plan.Wish{SSHD: "sshd"}, time.Minute)
			testroot.Must(t, err)
			testroot.Must(t, os.WriteFile(r.root+pam, []byte(c.edited), 0o644))
			testroot.Must(t, os.WriteFile(r.root+conf, []byte("options\nBanner none\n"), 0o644))
			j, err := r.Await()
			testroot.Must(t, err)
			want, theirs, left := c.want, conf+" "+pam, ""
			if want == "" {
				want, theirs, left = c.edited, conf, pam
			}
			r.is(want, "Banner none\n", journal.Inactive)
			if got := strings.Join(j.Theirs, " "); got != theirs {
				t.Errorf("got %q without the lines, want %q", got, theirs)
			}
			if got := strings.Join(j.Left, " "); got != left {
				t.Errorf("got %q left, want %q", got, left)
			}
		})
	}
}

// An editor may have given a file another mode, or a backup another name.
func TestFilesAreRestoredWithOtherModesAndNamesToo(t *testing.T) {
	r := newRig(t)
	r.begun()
	testroot.Must(t, os.Chmod(r.root+pam, 0o666))
	testroot.Must(t, os.Link(r.root+conf, r.root+conf+"~"))
	if _, err := r.Await(); err != nil {
		t.Fatal(err)
	}
	r.is("before\n", "", journal.Inactive)
	if st, err := os.Stat(r.root + pam); err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("got %v, %v, want mode 0640", st.Mode(), err)
	}
}

// sshd goes on with the options of the activation until it can read those that were put back.
func TestRollbackIsNotOverUntilSSHDCanUseItsConfiguration(t *testing.T) {
	r := newRig(t)
	r.begun()
	r.fails["check"] = errors.New("line 3: bad configuration option")
	tries := 0
	r.waiting = func() {
		if r.text(pam) == "before\n" {
			if tries++; tries == 3 {
				delete(r.fails, "check")
			}
		}
	}
	r.steps = nil
	if _, err := r.Await(); err != nil {
		t.Fatal(err)
	}
	r.is("before\n", "", journal.Inactive)
	want := strings.Repeat("check before, ", 4) + "reload before, disarm before"
	if got := strings.Join(r.steps, ", "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A reload that fails once must not leave sshd with options that no file has any more.
func TestRollbackHasSSHDReadItsConfigurationUntilItDoes(t *testing.T) {
	for name, c := range map[string]struct {
		fails int
		want  bool
	}{"at the third try": {2, true}, "never": {9, false}} {
		r := newRig(t)
		r.begun()
		tries := 0
		r.Reload = func() error {
			if tries++; tries > c.fails {
				return nil
			}
			return errors.New("systemctl reload ssh.service: timeout")
		}
		if _, err := r.Undo("root"); (err == nil) != c.want || tries != 3 {
			t.Errorf("%s: got %v after %d tries, want done: %v", name, err, tries, c.want)
		}
		r.is("before\n", "", journal.Inactive)
	}
}

func TestAFileThatCannotBePutBackIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.begun()
	kept := r.root + journal.Folder + "/etc-pam.d-sshd"
	testroot.Must(t, os.Rename(kept, kept+".away"))
	tries := 0
	r.waiting = func() {
		if r.text(conf) == "" { // the other one was put back already
			if tries++; tries == 3 {
				testroot.Must(t, os.Rename(kept+".away", kept))
			}
		}
	}
	if _, err := r.Await(); err != nil {
		t.Fatal(err)
	}
	if r.is("before\n", "", journal.Inactive); tries != 3 {
		t.Errorf("it was tried %d times", tries)
	}
}

// A command that was killed leaves nothing behind that starts with the machine.
func TestWhatStartsWithTheMachineGoesOnceNothingIsPending(t *testing.T) {
	r := newRig(t)
	if _, err := r.Await(); err != nil || strings.Join(r.steps, ", ") != "disarm before" {
		t.Errorf("got %v, %q, want disarm alone", err, r.steps)
	}
	r.begun()
	r.steps = nil
	if err := r.clean(); err != nil || r.steps != nil {
		t.Errorf("while it is pending: got %v, %q, want nothing", err, r.steps)
	}
}

func TestAnOverdueActivationIsUndoneByTheNext(t *testing.T) {
	r := newRig(t)
	r.begun()
	if j, err := r.Overdue(); err != nil || j.Undone {
		t.Errorf("in time: got %v, undone %v", err, j.Undone)
	}
	r.is("after\n", "options\n", journal.Pending)
	r.now.Up += time.Minute
	if j, err := r.Overdue(); err != nil || !j.Undone {
		t.Errorf("afterwards: got %v, undone %v", err, j.Undone)
	}
	r.is("before\n", "", journal.Inactive)
	r.begun()
}

func TestADamagedCopyIsNotPutBack(t *testing.T) {
	r := newRig(t)
	r.begun()
	kept := r.root + journal.Folder + "/etc-pam.d-sshd"
	testroot.Must(t, os.WriteFile(kept, []byte("x"), 0o600))
	if _, err := r.Undo("root"); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("got %v, want that it is damaged", err)
	}
	r.is("after\n", "", journal.Pending)
}

func TestASecondActivationChangesNothing(t *testing.T) {
	r := newRig(t)
	r.begun()
	if _, err := r.begin(); !errors.Is(err, ErrAlready) {
		t.Errorf("got %v, want %v", err, ErrAlready)
	}
	r.is("after\n", "options\n", journal.Pending)
	if _, err := r.Undo("root"); err != nil {
		t.Error(err)
	}
	if j, err := r.Undo("root"); err != nil || j.State != journal.Inactive {
		t.Errorf("again: got %v, %v", j.State, err)
	}
	r.is("before\n", "", journal.Inactive)
}

func TestAFileThatChangedSinceItWasPlannedIsNotOverwritten(t *testing.T) {
	r := newRig(t)
	testroot.Must(t, os.WriteFile(r.root+pam, []byte("other\n"), 0o640))
	if _, err := r.begin(); err == nil || !strings.Contains(err.Error(), "meanwhile") {
		t.Errorf("got %v, want that another program has changed it", err)
	}
	r.is("other\n", "", journal.Inactive)
}

func TestADamagedJournalIsAnErrorAndNothingIsUndone(t *testing.T) {
	for name, text := range map[string]string{"damaged": "{", "newer": `{"version": 99}`} {
		r := newRig(t)
		r.begun()
		file := filepath.Join(r.root, journal.Folder, "journal")
		testroot.Must(t, os.WriteFile(file, []byte(text), 0o600))
		if _, err := r.Undo("root"); err == nil {
			t.Errorf("%s: Undo: no error", name)
		}
		if _, err := r.Await(); err == nil {
			t.Errorf("%s: Await: no error", name)
		}
		if r.text(pam) != "after\n" {
			t.Errorf("%s: got %q", name, r.text(pam))
		}
	}
}
