package sshd_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// pages are the pages from which people type. The tests of the packages type the commands under
// Install.
var pages = []string{
	"../README.md", "../packaging/doc/first-login.md", "../packaging/doc/refused.md",
	"../packaging/doc/administrators.md",
	"../packaging/doc/contributors.md",
}

// shown returns the commands that the pages show, each once: in `backquotes`, and in blocks for
// the shell.
func shown(t *testing.T, program string) (commands []string) {
	t.Helper()
	inline := regexp.MustCompile("(?m)`(" + program + "(?: [^`]*)?)`|^(" + program + " [^#\n]*)")
	for _, page := range pages {
		text, err := os.ReadFile(page)
		must(t, err)
		for _, m := range inline.FindAllStringSubmatch(string(text), -1) {
			command := strings.TrimSpace(m[1] + m[2])
			if !slices.Contains(commands, command) {
				commands = append(commands, command)
			}
		}
	}
	if len(commands) < 5 {
		t.Fatalf("the pages show only %q", commands)
	}
	return commands
}

func TestEveryMakeCommandThatThePagesShowExists(t *testing.T) {
	for _, command := range shown(t, "make") {
		cmd := exec.Command("make",
			append([]string{"--dry-run"}, strings.Fields(command)[1:]...)...)
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", command, err, out)
		}
	}
}

// asks are the commands that talk with a person, and what they ask first.
var asks = map[string]string{
	"enroll":                `has a second factor already`,
	"enroll --user NAME":    `has a second factor already`,
	"enroll --user alice":   `has a second factor already`,
	"enroll test":           `Verification code: `,
	"enroll add totp":       `Type the code that the app shows now. Verification code: `,
	"enroll add hotp":       `Secret of the token`,
	"enroll add phone":      `Number of the phone`,
	"enroll add key":        `Line of the public key`,
	"enroll replace":        `Which app is replaced?`,
	"enroll trust revoke N": `trusts no computer`,
	// the container's log is kept elsewhere
	"enroll explain --last NAME": `no log can be read`,
	"enroll codes":               `Your recovery codes`,
	// the container has no sshd_config for latchkey
	"enroll activate":                              `[y/N] `,
	"enroll activate --confirm":                    `nothing is to be confirmed`,
	"enroll activate --stack key+code":             `[y/N] `,
	"enroll activate --stack key-or-password+code": `[y/N] `,
	"enroll activate --service sudo,su,login":      `[y/N] `,
	"enroll doctor":                                `PasswordAuthentication`,
	"enroll doctor --json":                         `"status": "error"`,
	"enroll import":                                `enroll import needs FILE`, // prose that names the command
	"enroll import FILE":                           `no such file`,
	"enroll import /home/*/.google_authenticator":  `no such file`,
	"enroll backup":                                `enroll backup needs FILE`, // prose
	"enroll restore":                               `enroll restore needs FILE`,
	"enroll backup FILE":                           `Passphrase for the backup: `,
	"enroll restore FILE":                          `no such file`,
	"enroll backup --recipient age1... /var/backups/latchkey-$(date +%F).age": `must be one of age`,
}

// Root, who has a device, types each command that the pages show.
func TestEveryEnrollCommandThatThePagesShowRuns(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		script(t, h, "useradd named; useradd -m alice; enroll add totp --user alice --yes\n"+
			"echo 'alice:"+suite.Password+"' | chpasswd; mkdir ~alice/.ssh\n"+
			"cp /suite/user_key.pub ~alice/.ssh/authorized_keys")
		names := strings.NewReplacer("OLDNAME", "named", "NAME", "named", "ADDRESS", "192.0.2.7",
			"DEVICE", "second", "FILE", "/nowhere")
		for _, command := range shown(t, "enroll") {
			t.Run(command, func(t *testing.T) {
				script(t, h, `for user in root named; do
	enroll reset $user
	for label in app second; do enroll add totp --user $user --label $label --yes; done
done`)
				line := names.Replace(command)
				if strings.Contains(command, "--label app") {
					script(t, h, "enroll remove app --user named")
				}
				term, err := terminal.New(
					h.Shell("/bin/sh", "-c", line+"; echo status $?"))
				must(t, err)
				t.Cleanup(term.Close)
				want, ok := asks[command]
				if !ok {
					want = "status 0"
				}
				err = term.Expect(regexp.QuoteMeta(want) + `|status [0-9]+`)
				if err != nil || !strings.Contains(term.Seen(), want) {
					t.Errorf("it shows %q (%v), want %q", term.Seen(), err, want)
				}
			})
		}
	})
}
