package ways

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is what lets users in without a code, or keeps everyone out.
type Problem struct {
	Text    string
	Hint    string
	Warning bool     // it does no harm as things are
	Blame   []string // the keywords that it comes of, the likeliest first
}

const (
	keyAndCode = "write in sshd_config: AuthenticationMethods publickey,keyboard-interactive"
	noPassword = "write in sshd_config: PasswordAuthentication no"
)

// keyed are the keywords that decide about keys.
var keyed = []string{
	"authenticationmethods", "pubkeyauthentication", "authorizedkeysfile",
	"authorizedkeyscommand", "trustedusercakeys",
}

// Problems are what is wrong with what is in force. exception reports whether a Match line
// switches methods: one that closes every door means it.
func Problems(o Options, root, exception bool) []Problem {
	if !o.On("usepam") {
		return []Problem{{Text: "UsePAM no: PAM is not asked, so no one is asked for a code",
			Hint: "write in sshd_config: UsePAM yes", Blame: []string{"usepam"}}}
	}
	lists, listed := o.Ways(root)
	if len(lists) == 0 && (root || exception && len(o.open()) == 0) {
		return nil
	}
	var found []Problem
	if !o.On("kbdinteractiveauthentication") {
		found = append(found, Problem{
			Text:  "KbdInteractiveAuthentication no: no one can be asked for a code",
			Hint:  "write in sshd_config: KbdInteractiveAuthentication yes",
			Blame: []string{"kbdinteractiveauthentication"},
		})
	} else if len(lists) == 0 && listed {
		found = append(found, Problem{
			Text: "no one can log in: each list of AuthenticationMethods has a method that is " +
				"switched off",
			Hint:  "switch on what AuthenticationMethods names",
			Blame: append(slices.Clone(keyed), "passwordauthentication"),
		})
	}
	for _, way := range lists {
		found = append(found, judgeWay(o, way, listed)...)
	}
	asked := func(way []string) bool { return asks(way) >= 0 }
	if o.On("permitemptypasswords") && slices.ContainsFunc(lists, asked) {
		found = append(found, Problem{
			Text: "PermitEmptyPasswords yes: a user without a password needs nothing but " +
				"the code", Warning: true,
			Hint:  "write in sshd_config: PermitEmptyPasswords no",
			Blame: []string{"permitemptypasswords"},
		})
	}
	return found
}

// judgeWay is what is wrong with one way in.
func judgeWay(o Options, way []string, listed bool) []Problem {
	if asks(way) >= 0 {
		return nil
	}
	last := way[len(way)-1]
	if at := slices.IndexFunc(way, func(m string) bool {
		return slices.Contains(silent, m)
	}); at >= 0 {
		last = way[at]
	}
	if slices.Contains(silent, last) {
		return []Problem{silentWay(last)}
	}
	if listed {
		return []Problem{{Text: "AuthenticationMethods has " + strings.Join(way, ",") +
			", which is enough to log in without a code",
			Hint: keyAndCode, Blame: keyed}}
	}
	name := methods[last]
	blame := keyed
	if last != "publickey" {
		blame = []string{"authenticationmethods", strings.ToLower(name)}
	}
	return []Problem{{Text: fmt.Sprintf("%s yes and no AuthenticationMethods: %s alone is "+
		"enough to log in without a code", name, last),
		Hint: keyAndCode + "; or: " + name + " no", Blame: blame}}
}

// silentWay is about the methods that PAM cannot ask a second question by.
func silentWay(method string) Problem {
	if method == "none" {
		return Problem{Text: "AuthenticationMethods has none: an empty password is tried, and " +
			"no code can be asked for",
			Hint: keyAndCode, Blame: []string{"authenticationmethods"}}
	}
	return Problem{Text: "PasswordAuthentication yes: sshd's older method for passwords " +
		"cannot ask for a code",
		Hint: noPassword, Blame: []string{"passwordauthentication", "authenticationmethods"}}
}
