package sshd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// recipes are the folders of packaging/examples, each with the logins it lets in and those it does
// not.
var recipes = []struct {
	name string
	test func(t *testing.T, h *recipeHost)
}{
	{"password-and-code", passwordAndCode},
	{"key-and-code", keyAndCode},
	{"key-or-password-and-code", keyOrPasswordAndCode},
	{"key-from-one-network", keyFromOneNetwork},
	{"security-key", securityKey},
	{"security-key-and-pin", securityKeyAndPIN},
	{"security-key-for-administrators", securityKeyForAdministrators},
	{"break-glass", breakGlass},
	{"sudo", sudoRecipe},
	{"sudo-and-security-key", sudoAndSecurityKey},
	{"su", suRecipe},
	{"console", consoleRecipe},
}

// elsewhere are the folders of packaging/examples that other tests try: they are copied another
// way.
var elsewhere = []string{"ansible", "deleted-accounts", "fail2ban", "fleet", "help-desk",
	"notify-mail", "one-field", "prometheus"}

// examples is where the recipes are here, and installed where they are inside.
const (
	examples  = "../packaging/examples"
	installed = "/usr/share/doc/latchkey/examples/"
)

// prepare keeps Debian's files, and gives root a password. One thing in them is changed to save
// time: after a wrong password, and so after a wrong code, pam_unix waits two seconds. The
// accounts that useradd makes stay below those of the suite.
const prepare = `set -e
sed -i 's/pam_unix.so nullok$/& nodelay/' /etc/pam.d/common-auth
grep -q nodelay /etc/pam.d/common-auth
echo 'ALL ALL=(ALL) ALL' >/etc/sudoers.d/all
sed -i -E 's/^([UG]ID_MAX).*/\1 1999/' /etc/login.defs
cp -a /etc /root/etc
echo 'root:` + suite.Password + `' | chpasswd
`

// afresh restores what recipes replace.
const afresh = `set -e
rm -rf /etc/pam.d /etc/ssh /etc/latchkey/*.toml
cp -a /root/etc/pam.d /root/etc/ssh /etc/
cp -a /root/etc/latchkey/*.toml /etc/latchkey/
`

// recipeHost is a host on which one recipe after the other is tried, each on Debian's own files.
type recipeHost struct {
	*suite.Host
	root *suite.User // has a password and an app
}

func TestEachRecipeLetsInThoseItNamesAndNoOneElse(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := &recipeHost{Host: private(t)}
		h.root = h.Root()
		script(t, h.Host, prepare)
		must(t, h.root.Enroll())
		for _, r := range recipes {
			t.Run(r.name, func(t *testing.T) {
				script(t, h.Host, afresh)
				h.debians(t, r.name)
				h.follow(t, r.name)
				r.test(t, h)
			})
		}
	})
}

// healthy checks that enroll doctor has no finding about a service; "": about anything.
func (h *recipeHost) healthy(t *testing.T, services ...string) {
	t.Helper()
	for _, service := range services {
		if service != "" {
			service = "--service " + service
		}
		if bad := doctor(t, h.Host, service); len(bad) != 0 {
			t.Errorf("enroll doctor %s: %v", service, bad)
		}
	}
}

// shellBlock matches what a page of a recipe says to type.
var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// follow types what the recipe's page says, and checks that this copied each of its files to its
// place.
func (h *recipeHost) follow(t *testing.T, recipe string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(examples, recipe, "README.md"))
	must(t, err)
	blocks := shellBlock.FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks to type in %s", len(blocks), recipe)
	}
	script(t, h.Host, "set -e\n"+blocks[0][1])
	for _, file := range files(t, recipe) {
		want, err := os.ReadFile(filepath.Join(examples, recipe, file))
		must(t, err)
		if got, err := h.Exec("", "/bin/cat", place(file)); err != nil || got != string(want) {
			t.Errorf("%s is not at %s: %v", file, place(file), err)
		}
	}
}

// files returns those files of a recipe that are copied.
func files(t *testing.T, recipe string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(examples, recipe))
	must(t, err)
	for _, e := range entries {
		if e.Name() != "README.md" {
			names = append(names, e.Name())
		}
	}
	return names
}

// place returns where a file of a recipe goes.
func place(file string) string {
	for prefix, dir := range map[string]string{
		"pam.d-":         "/etc/pam.d/",
		"sshd_config.d-": "/etc/ssh/sshd_config.d/",
	} {
		if name, ok := strings.CutPrefix(file, prefix); ok {
			return dir + name
		}
	}
	return "/etc/latchkey/" + file
}

func TestEveryFolderOfExamplesIsARecipeThatIsTriedAndListed(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(examples, "README.md"))
	must(t, err)
	tried := slices.Clone(elsewhere)
	var folders []string
	for _, r := range recipes {
		tried = append(tried, r.name)
	}
	entries, err := os.ReadDir(examples)
	must(t, err)
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		}
	}
	slices.Sort(tried)
	if !slices.Equal(tried, folders) {
		t.Errorf("tried: %q; folders: %q", tried, folders)
	}
	for _, folder := range folders {
		if !strings.Contains(string(list), "| ["+folder+"]("+folder+"/) | ") {
			t.Errorf("README.md does not list %s", folder)
		}
	}
}

// debians checks that the recipe's PAM files are those of the distribution, which are still in
// place, except for how they ask.
func (h *recipeHost) debians(t *testing.T, recipe string) {
	t.Helper()
	for _, file := range files(t, recipe) {
		if !strings.HasPrefix(file, "pam.d-") {
			continue
		}
		ours, err := os.ReadFile(filepath.Join(examples, recipe, file))
		must(t, err)
		theirs, err := h.Exec("", "/bin/cat", place(file))
		must(t, err)
		if got, want := others(string(ours)), others(theirs); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nDebian has:\n%s", file, strings.Join(got, "\n"),
				strings.Join(want, "\n"))
		}
	}
}

// asking matches the lines by which files may differ: how they ask for the password and the code,
// and what one Debian has and another has not.
var asking = regexp.MustCompile(
	`^(@include common-auth|auth requisite pam_unix\.so|auth .* pam_latchkey\.so.*|auth .* ` +
		`pam_u2f\.so.*|-?session ` +
		`optional pam_lastlog\.so)$`)

// others returns the remaining lines, without comments, of a PAM file.
func others(text string) (all []string) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && !asking.MatchString(line) {
			// Debian 12
			all = append(all,
				strings.Replace(line, "pam_env.so user_readenv=1 ", "pam_env.so ", 1))
		}
	}
	return all
}

// People type what a page says from its first line on.
func TestEachExampleThatInstallsFilesSaysWhereTheyAre(t *testing.T) {
	pages, err := filepath.Glob(examples + "/*/README.md")
	must(t, err)
	installing := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		must(t, err)
		folder := filepath.Base(filepath.Dir(page))
		before, _, installs := strings.Cut(string(text), "\ninstall ")
		if !installs {
			continue
		}
		installing++
		if want := "\ncd " + installed + folder + "\n"; !strings.Contains(before+"\n", want) {
			t.Errorf("%s installs files without %q first", page, strings.TrimSpace(want))
		}
	}
	if installing < 15 {
		t.Errorf("%d of %d pages install files: this shows nothing", installing, len(pages))
	}
}
