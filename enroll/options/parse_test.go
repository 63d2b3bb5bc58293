package options

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// isUser knows alice, and one user for each word that is also a command's.
func isUser(name string) bool {
	return slices.Contains([]string{"alice", "status", "add", "help"}, name)
}

func TestOptionsMayStandAnywhere(t *testing.T) {
	for _, line := range []string{
		"status --user alice --json", "--user alice status --json", "--user=alice --json status",
		"-user alice status -json", "status --json --user=alice", "status alice --json",
		"--json status alice",
		"status -- alice --json", "status --user alice alice --json",
	} {
		o, err := Parse(strings.Fields(line), isUser)
		want := !strings.Contains(line, "--  ")
		if strings.Contains(line, " -- ") {
			if err == nil || !strings.Contains(err.Error(), `unexpected argument "--json"`) {
				t.Errorf("enroll %s: got %v, want that --json is an operand", line, err)
			}
			continue
		}
		if err != nil || o.Command.Name != "status" || o.User != "alice" || o.JSON != want ||
			!o.Given["user"] {
			t.Errorf("enroll %s: got %+v, %v", line, o, err)
		}
	}
}

func TestNameOfUserMayStandLast(t *testing.T) {
	for line, want := range map[string]struct{ command, operand, user string }{
		"alice":                {"", "", "alice"},
		"status alice":         {"status", "", "alice"},
		"status status":        {"status", "", "status"},
		"status add":           {"status", "", "add"},
		"codes help":           {"codes", "", "help"},
		"add totp alice":       {"add totp", "", "alice"},
		"add totp add":         {"add totp", "", "add"},
		"remove phone alice":   {"remove", "phone", "alice"},
		"remove phone":         {"remove", "phone", ""},
		"remove -- -odd alice": {"remove", "-odd", "alice"},
		"test --user alice":    {"test", "", "alice"},
		"reset alice":          {"reset", "alice", ""},
		"reset status":         {"reset", "status", ""},
		"--user status":        {"", "", "status"},
		"--user add status":    {"status", "", "add"},
		"trust alice":          {"trust", "", "alice"},
		"trust revoke 1 alice": {"trust revoke", "1", "alice"},
		"status bob":           {"status", "", "bob"}, // the user is looked up later
	} {
		o, err := Parse(strings.Fields(line), isUser)
		if err != nil || o.Command.Name != want.command || o.Operand != want.operand ||
			o.User != want.user {
			t.Errorf("enroll %s: got command %q, operand %q, user %q, %v; want %+v",
				line, o.Command.Name, o.Operand, o.User, err, want)
		}
	}
}

func TestMistakeIsNamedWithWhatWasMeant(t *testing.T) {
	for line, want := range map[string]string{
		"statsu":                       `unknown command "statsu"; did you mean status?`,
		"stauts alice":                 `unknown command "stauts"; did you mean status?`,
		"REMOVE phone":                 `unknown command "REMOVE"; did you mean remove?`,
		"add-totp":                     `unknown command "add-totp"; did you mean add totp?`,
		"version":                      `unknown command "version"; did you mean --version?`,
		"hlep":                         `unknown command "hlep"; did you mean help?`,
		"frobnicate":                   `unknown command "frobnicate"`,
		"bob":                          `unknown command "bob"`,
		"help statsu":                  `unknown command "statsu"; did you mean status?`,
		"statsu --help":                `unknown command "statsu"; did you mean status?`,
		"trust revok 1":                `unknown command "trust revok"; did you mean trust revoke?`,
		"status --jsn":                 `unknown option --jsn; did you mean --json?`,
		"status -jsno":                 `unknown option --jsno; did you mean --json?`,
		"status --usr=alice":           `unknown option --usr; did you mean --user?`,
		"status --frobnicate":          `unknown option --frobnicate`,
		"status -x":                    `unknown option --x`,
		"status --user":                `--user needs a value`,
		"status --user --json":         `--user needs a value`,
		"status --user= --json":        `--user needs a value`,
		"status --json=yes":            `--json takes no value`,
		"status alice bob":             `unexpected argument "bob"`,
		"status alice --user bob":      `two names: "alice" and --user "bob"`,
		"alice bob":                    `unexpected argument "bob"`,
		"list alice":                   `unexpected argument "alice"`,
		"remove phone alice bob":       `unexpected argument "bob"`,
		"remove":                       `enroll remove needs DEVICE`,
		"reset":                        `enroll reset needs NAME`,
		"add totp --digits six":        `--digits must be a whole number, not "six"`,
		"add hotp --counter -1":        `--counter must be a whole number, not "-1"`,
		"bypass alice --for 1x":        `--for must be a time such as 30m, 1h, 1d or 2w, not "1x"`,
		"bypass alice --for 60":        `--for must be a time such as 30m, 1h, 1d or 2w, not "60"`,
		"bypass alice --for -1h":       `--for must be a time such as 30m, 1h, 1d or 2w, not "-1h"`,
		"bypass alice --for 1day":      `--for must be a time such as 30m, 1h, 1d or 2w, not "1day"`,
		"bypass alice --for=":          `--for must be a time such as 30m, 1h, 1d or 2w, not ""`,
		"bypass alice --for 999999w":   `--for must be at most 100 years, not "999999w"`,
		"bypass alice --for 5000w400w": `--for must be at most 100 years, not "5000w400w"`,
	} {
		if _, err := Parse(strings.Fields(line), isUser); err == nil ||
			!strings.HasPrefix(err.Error(), want) ||
			!strings.Contains(want, ";") && strings.Contains(err.Error(), "did you mean") {
			t.Errorf("enroll %s: got %v, want %s", line, err, want)
		}
	}
}

func TestSpanHasUnits(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": time.Hour, "30m": 30 * time.Minute, "1h30m": 90 * time.Minute, "90s": 90 * time.Second,
		"1d": 24 * time.Hour, "2w": 14 * 24 * time.Hour, "1w2d3h": (9*24 + 3) * time.Hour,
	} {
		args := []string{"bypass", "alice"}
		if text != "" {
			args = append(args, "--for", text)
		}
		if o, err := Parse(args, isUser); err != nil || o.Lasts != want {
			t.Errorf("--for %s: got %v, %v; want %v", text, o.Lasts, err, want)
		}
	}
}

func TestHelpIsThatOfWhatStandsBeforeIt(t *testing.T) {
	for line, want := range map[string]string{
		"--help": "usage: enroll [COMMAND]", "-h": "usage: enroll [COMMAND]",
		"help": "usage: enroll [COMMAND]", "help help": "usage: enroll [COMMAND]",
		"status --help": "usage: enroll status [NAME] [OPTION...]\n\ndevices,",
		"--help status": "usage: enroll status",
		"help status":   "usage: enroll status", "status alice -h": "usage: enroll status",
		"reset --help": "usage: enroll reset NAME [OPTION...]",
		"help remove":  "usage: enroll remove DEVICE [NAME] [OPTION...]",
		"trust --help": "usage: enroll trust [NAME] [OPTION...]\n\ncomputers that need no code for a while\n\n  enroll trust revoke COMPUTER ",
		"add --help":   "usage: enroll add totp|hotp|phone|key [OPTION...]\n\n  enroll add totp ",
		"help add":     "usage: enroll add totp|",
		"add -h":       "usage: enroll add totp|", "add totp --help": "usage: enroll add totp " +
			"[NAME] [OPTION...]",
		"help add totp": "usage: enroll add totp [NAME]",
		"list --help":   "usage: enroll list [OPTION...]",
	} {
		o, err := Parse(strings.Fields(line), isUser)
		if err != nil || !o.Help || !strings.HasPrefix(o.Usage(), want) {
			t.Errorf("enroll %s: got %v, help %v:\n%s\nwant\n%s", line, err, o.Help, o.Usage(),
				want)
		}
	}
}

func TestVersionIsAskedForInTwoWays(t *testing.T) {
	for _, line := range []string{"--version", "-V", "-version"} {
		if o, err := Parse([]string{line}, isUser); err != nil || !o.Version {
			t.Errorf("enroll %s: got version %v, %v", line, o.Version, err)
		}
	}
}
