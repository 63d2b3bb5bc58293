// Package usage is enroll's command line as data: what the program accepts and what --help prints
// are made from it; the man page and the shells' completions (packaging/completions) are compared
// with it.
package usage

import "slices"

// Kind is what a word of the command line names, so that a shell can complete it.
type Kind int

// Kinds of words. The zero Kind is anything.
const (
	Text Kind = iota
	User
	File
	Service // a PAM service
)

// Command is something enroll can do.
type Command struct {
	Name string // empty: enroll alone
	// what stands behind the name, in capitals; empty: nothing does. "..." at its end: one or
	// more
	Operand string
	Kind    Kind     // of the operand
	Options []string // beside --help
	Root    bool     // for root only
	Says    string   // in a few words
}

// Option is an option of some commands.
type Option struct {
	Name  string
	Value string   // what it takes, in capitals; empty: it is a switch
	Words []string // the values there are, if they can be listed
	Kind  Kind     // of the value otherwise
	Says  string
}

// Commands are all commands, in the order in which people are told of them.
var Commands = []Command{
	{"", "", Text,
		[]string{"user", "label", "issuer", "algorithm", "digits", "period", "ascii", "plain",
			"png", "version"}, false, "set up the second factor for yourself"},
	{"status", "", Text, []string{"user", "json"}, false,
		"devices, last use, recovery codes left"},
	{"add totp", "", Text,
		[]string{"user", "label", "issuer", "secret-file", "algorithm", "digits",
			"period", "ascii", "plain", "png", "if-missing", "yes", "json"}, false,
		"one more authenticator app"},
	{"add hotp", "", Text,
		[]string{"user", "label", "issuer", "secret-file", "counter", "algorithm",
			"digits", "if-missing", "yes", "json"}, false, "one more hardware token"},
	{"add phone", "", Text, []string{"user", "label", "number", "if-missing", "yes", "json"},
		false, "one more phone, for codes by SMS and call"},
	{"add key", "", Text, []string{"user", "label", "file", "attestation", "challenge",
		"if-missing", "yes", "json"}, false, "one more security key, for SSH"},
	{"remove", "DEVICE", Text, []string{"user", "yes"}, false, "one device less"},
	{"rename", "DEVICE", Text, []string{"user", "label", "yes", "json"}, false,
		"another label for a device"},
	{"replace", "", Text, []string{"user", "device", "label", "issuer", "secret-file",
		"algorithm", "digits", "period", "ascii", "plain", "png", "yes", "json"}, false,
		"new phone: new app and codes, the old app goes"},
	{"codes", "", Text, []string{"user", "yes"}, false,
		"new recovery codes; the old ones stop working"},
	{"trust", "", Text, []string{"user", "json"}, false,
		"computers that need no code for a while"},
	{"trust revoke", "COMPUTER", Text, []string{"user", "yes", "json"}, false,
		"ask for codes there again; all: everywhere"},
	{"test", "", Text, []string{"user"}, false, "try a code; says which device it is from"},
	{"list", "", Text, []string{"missing", "orphans", "metrics", "json"}, true, "who has what"},
	{"reset", "NAME", User, []string{"user", "delete-anyway", "yes", "json"}, true,
		"remove everything; the user must enroll again"},
	{"unlock", "NAME", User, []string{"user", "yes", "json"}, true, "end a lock"},
	{"invite", "NAME", User, []string{"user", "yes", "json"}, true,
		"a ticket for a first enrollment, good for a day"},
	{"bypass", "NAME", User, []string{"user", "for", "yes", "json"}, true,
		"a code that works once in place of a device's"},
	{"import", "FILE...", File, []string{"user", "format", "replace", "yes", "json"}, true,
		"take users over from another module or CSV"},
	{"backup", "FILE", File, []string{"recipient", "recipients-file", "json"}, true,
		"users and policy in one encrypted file"},
	{"restore", "FILE", File, []string{"identity", "user", "replace", "match-names",
		"keep-recovery-codes", "json"}, true, "what enroll backup wrote; revives no used code"},
	{"rekey", "", Text, []string{"json"}, true, "a new host key; trusted computers end"},
	{"explain", "NAME", User, []string{"user", "from", "service", "last", "json"}, true,
		"which rule decides a login, what is asked, and why"},
	{"fleet join", "TICKET", Text, []string{"break-glass", "yes", "json"}, true,
		"make this host one of a fleet"},
	{"fleet status", "", Text, []string{"json"}, true,
		"is all well between this host and its fleet?"},
	{"fleet break-glass", "NAME", User, []string{"user", "yes", "json"}, true,
		"new break-glass codes for this host"},
	{"fleet import", "", Text, []string{"user", "yes", "json"}, true,
		"take this host's own users into the fleet"},
	{"fleet export", "NAME...", User, []string{"yes", "json"}, true,
		"users of the fleet back to this host alone"},
	{"fleet leave", "", Text, []string{"yes", "json"}, true, "be a single host again"},
	{"doctor", "", Text, []string{"service", "json"}, true,
		"would a login work, could one slip past?"},
	{"activate", "", Text, []string{"stack", "service", "within", "confirm", "status", "dry-run",
		"yes", "json"}, true, "logins by SSH ask for codes; undone unless confirmed"},
	{"deactivate", "", Text, []string{"due", "detach", "yes"}, true, "undo what activate has changed"},
	{"removable", "", Text, []string{"but-profile"}, true,
		"would removing the package lock people out?"},
}

// Options are all options.
var Options = []Option{
	{"user", "NAME", nil, User, "for this user (root)"},
	{"device", "DEVICE", nil, Text, "the device that is replaced"},
	{"label", "LABEL", nil, Text, "what the device is called"},
	{"issuer", "TEXT", nil, Text, "what the app shows above the code"},
	{"secret-file", "FILE", nil, File, "the file with the secret, or - (root, with --yes)"},
	{"counter", "N", nil, Text, "where the token's counter is"},
	{"number", "NUMBER", nil, Text, "of the phone, with + and country code"},
	{"file", "FILE", nil, File, "the file with the public key, or -"},
	{"attestation", "FILE", nil, File, "what ssh-keygen -O write-attestation wrote"},
	{"challenge", "FILE", nil, File, "what the key was made with, for --attestation"},
	{"algorithm", "ALG", []string{"SHA1", "SHA256", "SHA512"}, Text, "of the codes"},
	{"digits", "N", []string{"6", "8"}, Text, "of the codes"},
	{"period", "SECONDS", nil, Text, "how long a code is shown"},
	{"ascii", "", nil, Text, "draw the QR code in ASCII"},
	{"plain", "", nil, Text, "draw nothing, for screen readers"},
	{"png", "FILE", nil, File, "write the QR code to a new file"},
	{"for", "TIME", nil, Text, "how long the code works, such as 1h"},
	{"from", "IP", nil, Text, "where the login comes from"},
	{"service", "SERVICE", nil, Service, "the PAM service"},
	{"last", "", nil, Text, "what the log says of the last logins"},
	{"stack", "STACK", []string{"password+code", "key+code", "key-or-password+code"}, Text,
		"login"},
	{"within", "TIME", nil, Text, "how long activate waits to be confirmed"},
	{"confirm", "", nil, Text, "keep what activate has changed"},
	{"status", "", nil, Text, "what is in force, and what is to be confirmed"},
	{"dry-run", "", nil, Text, "show what would change, and change nothing"},
	{"due", "", nil, Text, "wait, and undo what no one confirms"},
	{"detach", "", nil, Text, "with --due: in the background"},
	{"format", "FORMAT", []string{"google", "oath", "csv"}, Text, "of the files"},
	{"replace", "", nil, Text, "replace what the users have"},
	{"break-glass", "NAME", nil, User, "who may log in while no service can be reached"},
	{"recipient", "RECIPIENT", nil, Text, "for this recipient of age; no passphrase"},
	{"recipients-file", "FILE", nil, File, "the same for each line of a file"},
	{"identity", "FILE", nil, File, "the identity of age that opens it, not a passphrase"},
	{"match-names", "", nil, Text, "also users whose uid is another one here"},
	{"keep-recovery-codes", "", nil, Text, "unused codes still work; some may be used since"},
	{"delete-anyway", "", nil, Text, "even if it is unknown whether the user is gone"},
	{"but-profile", "", nil, Text, "leave out what pam-auth-update takes out"},
	{"if-missing", "", nil, Text, "do nothing if there is one (with --yes)"},
	{"missing", "", nil, Text, "who could log in and has nothing"},
	{"orphans", "", nil, Text, "who has something and no account"},
	{"metrics", "", nil, Text, "numbers for a collector of metrics"},
	{"yes", "", nil, Text, "ask nothing (root)"},
	{"json", "", nil, Text, "print JSON"},
	{"version", "", nil, Text, "show the version"},
}

// Help is the option that every command has.
var Help = Option{Name: "help", Says: "show this"}

// Find is the command of that name.
func Find(name string) (Command, bool) {
	i := slices.IndexFunc(Commands, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return Commands[i], true
}

// Has reports whether the command takes the option.
func (c Command) Has(option string) bool { return slices.Contains(c.Options, option) }

// TakesName reports whether a user's NAME may stand as the last word, in place of --user.
func (c Command) TakesName() bool { return c.Has("user") && !c.Root }

// options are those of the command.
func (c Command) options() (all []Option) {
	for _, o := range Options {
		if c.Has(o.Name) {
			all = append(all, o)
		}
	}
	return all
}
