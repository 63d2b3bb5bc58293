package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// sourceThatIgnoresCase is the library of a source that knows games in any case, and has one
// spelling for it, as sssd and winbind do with a domain's users.
const sourceThatIgnoresCase = `
#include <nss.h>
#include <pwd.h>
#include <strings.h>
enum nss_status _nss_hesiod_getpwnam_r(const char *name, struct passwd *entry, char *room,
	size_t size, int *error)
{
	(void)room, (void)size, (void)error;
	if (strcasecmp(name, "games") != 0)
		return NSS_STATUS_NOTFOUND;
	*entry = (struct passwd){ "games", "x", 5, 60, "", "/", "/bin/false" };
	return NSS_STATUS_SUCCESS;
}
`

// A rule is matched by the name service's spelling, so one in another spelling is for no one, and
// the laxer rules below it decide. FAULTS 43.
func TestDoctorNamesUsersWhomARuleSpellsInAnotherWay(t *testing.T) {
	exe, root := underRoot(t)
	sources := newSource(t, exe, sourceThatIgnoresCase)
	for user, want := range map[string][]string{
		"games": nil,
		"GAMES": {`error: /etc/latchkey/latchkey.toml:1: the user "GAMES" is "games" to the name ` +
			`service, so this rule never matches them`, `hint: write "games"`},
		"gamez": {`warning: /etc/latchkey/latchkey.toml:1: the user "gamez": no such user: "gamez"`,
			`hint: is the name spelled right?`},
	} {
		policy := "[[rule]]\nusers = [\"" + user + "\"]\nrequire = \"deny\"\n"
		err := os.WriteFile(root+"/etc/latchkey/latchkey.toml", []byte(policy), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		out, _, _ := sources.run("passwd: files hesiod\n", "doctor")
		if got := about(out, "the user "); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q in\n%s", user, got, want, out)
		}
	}
}

// about is the finding with this text, and its hint.
func about(findings, text string) []string {
	lines := strings.Split(findings, "\n")
	at := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, text) })
	if at < 0 {
		return nil
	}
	return lines[at:min(at+2, len(lines))]
}
