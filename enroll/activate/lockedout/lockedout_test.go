package lockedout

import (
	"errors"
	"os"
	"strings"
	"testing"

	"latchkey/enroll/activate/plan"
	"latchkey/enroll/doctor/sshd/ways"
	"latchkey/enroll/explain"
	"latchkey/enroll/missing"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/testroot"
)

// survey is one in which users named with "key" have a key, and latchkey lets everyone in.
func survey(t *testing.T, s plan.Stack, options string) Survey {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{"key": "ssh-ed25519 AAAA key\n", "comment": "# x\n\n"} {
		testroot.Must(t, os.MkdirAll(root+"/"+name+"/.ssh", 0o755))
		testroot.Must(t, os.WriteFile(root+"/"+name+"/.ssh/authorized_keys", []byte(text), 0o600))
	}
	return Survey{Stack: s, SSHD: ways.Parse("pubkeyauthentication yes\npermitrootlogin " +
		"prohibit-password\nauthorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2\n" +
		"authorizedkeyscommand none\ntrustedusercakeys none\n" + options),
		Home: func(name string) string {
			if strings.Contains(name, "key") {
				return root + "/key"
			}
			return root + "/comment"
		},
		Explain: func(missing.User) (explain.Explanation, error) {
			return explain.Explanation{Result: "asked"}, nil
		}}
}

func TestUsersWhoWouldNotGetInAreNamedWithTheReason(t *testing.T) {
	const all = plan.PasswordAndCode
	for name, c := range map[string]struct {
		stack   plan.Stack
		options string
		user    missing.User
		want    string // in the reason; "in": they get in; "out": they do not get in now either
	}{
		"password":            {all, "", missing.User{Name: "alice", UID: 1000, Password: "set"}, "in"},
		"password of sssd's":  {all, "", missing.User{Name: "alice", UID: 1000, Password: "unknown"}, "in"},
		"key, no password":    {all, "", missing.User{Name: "key", UID: 1000, Password: "locked"}, "has a key and no password"},
		"neither":             {all, "", missing.User{Name: "alice", UID: 1000, Password: "locked"}, "out"},
		"an empty password":   {all, "", missing.User{Name: "key", UID: 1000, Password: "none"}, "has a key and no password"},
		"no password, either": {plan.KeyOrPasswordAndCode, "", missing.User{Name: "key", UID: 1000, Password: "locked"}, "in"},
		"no key, either":      {plan.KeyOrPasswordAndCode, "", missing.User{Name: "alice", UID: 1000, Password: "set"}, "in"},
		"no key":              {plan.KeyAndCode, "", missing.User{Name: "alice", UID: 1000, Password: "set"}, "has no key"},
		"a key":               {plan.KeyAndCode, "", missing.User{Name: "key", UID: 1000, Password: "set"}, "in"},
		"keys of a command": {plan.KeyAndCode, "authorizedkeyscommand /usr/bin/keys\n",
			missing.User{Name: "alice", UID: 1000, Password: "set"}, "in"},
		"root":              {all, "", missing.User{Name: "root", Password: "set"}, "PermitRootLogin prohibit-password"},
		"root with a key":   {plan.KeyAndCode, "", missing.User{Name: "key", Password: "locked"}, "PermitRootLogin"},
		"a second root":     {all, "", missing.User{Name: "toor", Password: "set"}, "PermitRootLogin"},
		"a key, by no name": {all, "", missing.User{Name: "comment", UID: 1000, Password: "locked"}, "out"},
	} {
		t.Run(name, func(t *testing.T) {
			s := survey(t, c.stack, "")
			for keyword, values := range ways.Parse(c.options) {
				s.SSHD[keyword] = values
			}
			out, in := s.Look([]missing.User{c.user})
			switch {
			case c.want == "in" && (in != 1 || len(out) != 0),
				c.want == "out" && (in != 0 || len(out) != 0):
				t.Errorf("got %v, %d get in; want %s", out, in, c.want)
			case c.want != "in" && c.want != "out" &&
				(len(out) != 1 || in != 0 || !strings.Contains(out[0].String(), c.want)):
				t.Errorf("got %v, %d get in; want %s", out, in, c.want)
			}
		})
	}
}

func TestRootIsWarnedOfAsPermitRootLoginSays(t *testing.T) {
	for value, want := range map[string]int{"yes": 0, "no": 0, "prohibit-password": 1,
		"without-password": 1, "forced-commands-only": 1} {
		s := survey(t, plan.PasswordAndCode, "")
		s.SSHD["permitrootlogin"] = []string{value}
		out, _ := s.Look([]missing.User{{Name: "root", Password: "set"}})
		if len(out) != want {
			t.Errorf("%s: got %v, want %d", value, out, want)
		}
	}
}

func TestWhatLatchkeySaysOfALoginIsTheReason(t *testing.T) {
	for want, c := range map[string]struct {
		e   explain.Explanation
		err error
	}{
		"has no second factor": {explain.Explanation{Result: "deny", Reason: verdict.Unenrolled}, nil},
		"no accepted method works": {explain.Explanation{Result: "deny",
			Detail: "no accepted method works for this user"}, nil},
		"reason=forbidden":     {explain.Explanation{Result: "deny", Reason: verdict.Forbidden}, nil},
		"it cannot be told":    {explain.Explanation{}, errors.New("it cannot be told")},
		"in: asked":            {explain.Explanation{Result: "asked"}, nil},
		"in: enrolls":          {explain.Explanation{Result: "enroll"}, nil},
		"in: without a code":   {explain.Explanation{Result: "allow"}, nil},
		"reason=internal":      {explain.Explanation{Result: "deny", Reason: verdict.Internal}, nil},
		"a rule says \"deny\"": {explain.Explanation{Result: "deny", Detail: "a rule says \"deny\""}, nil},
	} {
		s := survey(t, plan.PasswordAndCode, "")
		s.Explain = func(missing.User) (explain.Explanation, error) { return c.e, c.err }
		out, in := s.Look([]missing.User{{Name: "alice", UID: 1000, Password: "set"}})
		if strings.HasPrefix(want, "in: ") {
			if in != 1 {
				t.Errorf("%s: got %v", want, out)
			}
			continue
		}
		if len(out) != 1 || !strings.Contains(out[0].String(), "alice would not get in: ") ||
			!strings.Contains(out[0].Why, want) || out[0].Next == "" {
			t.Errorf("got %+v, want %s", out, want)
		}
	}
}
