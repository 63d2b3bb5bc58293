// Package options reads enroll's command line.
package options

import (
	"flag"
	"slices"
	"strings"
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/usage"
	"latchkey/pam/nearest"
	"latchkey/pam/record"
)

// Options are a parsed command line.
type Options struct {
	Command usage.Command
	Operand string // NAME or DEVICE
	Files   []string

	User       string
	Device     string
	Label      string
	Issuer     string
	SecretFile string
	File       string
	// Attestation and Challenge name the files that prove that a security key is one.
	Attestation string
	Challenge   string
	Number      string
	From        string
	Service     string
	Last        bool
	Lasts       time.Duration
	Counter     uint64
	Algorithm   string
	Digits      int
	Period      int
	ASCII       bool
	Plain       bool
	PNG         string
	Yes         bool
	JSON        bool
	IfMissing   bool
	Missing     bool
	Metrics     bool
	Orphans     bool
	Format      string
	Replace     bool
	Recipient   string // of enroll backup, in age's spelling
	Recipients  string // the file with more of them
	Identity    string // the file with what opens a backup
	MatchNames  bool
	KeepCodes   bool

	Stack   string
	Within  time.Duration
	Confirm bool
	Status  bool
	DryRun  bool
	Due     bool
	Detach  bool

	BreakGlass   []string
	DeleteAnyway bool
	ButProfile   bool
	Version      bool
	Help         bool
	group        string // with Help: the first word of commands that have two, without the second

	Given map[string]bool // names of the options that the command line has
}

// Parse reads a command line. isUser is asked about a word that stands in a command's place and is
// none: it may be the NAME for enroll alone.
func Parse(args []string, isUser func(name string) bool) (Options, error) {
	o := Options{}
	set := flags(&o)
	words, err := scan(set, args)
	if err != nil {
		return o, err
	}
	o.Given = map[string]bool{}
	set.Visit(func(f *flag.Flag) { o.Given[f.Name] = true })
	for len(words) > 0 && words[0] == "help" {
		o.Help, words = true, words[1:]
	}
	rest, err := o.named(words, isUser)
	if err != nil || o.Help || o.Version {
		return o, err
	}
	if err := o.operands(rest); err != nil {
		return o, err
	}
	return o, fits(set, o.Command)
}

func flags(o *Options) *flag.FlagSet {
	set := flag.NewFlagSet("enroll", flag.ContinueOnError)
	set.StringVar(&o.User, "user", "", "")
	set.StringVar(&o.Device, "device", "", "")
	set.StringVar(&o.Label, "label", "", "")
	set.Var((*issuer)(&o.Issuer), "issuer", "")
	set.StringVar(&o.SecretFile, "secret-file", "", "")
	set.StringVar(&o.File, "file", "", "")
	set.StringVar(&o.Attestation, "attestation", "", "")
	set.StringVar(&o.Challenge, "challenge", "", "")
	set.Uint64Var(&o.Counter, "counter", 0, "")
	set.StringVar(&o.Number, "number", "", "")
	set.StringVar(&o.From, "from", "", "")
	set.StringVar(&o.Service, "service", "sshd", "")
	set.BoolVar(&o.Last, "last", false, "")
	o.Lasts = time.Hour
	set.Var((*span)(&o.Lasts), "for", "")
	set.StringVar(&o.Stack, "stack", "password+code", "")
	o.Within = 5 * time.Minute
	set.Var((*span)(&o.Within), "within", "")
	set.BoolVar(&o.Confirm, "confirm", false, "")
	set.BoolVar(&o.Status, "status", false, "")
	set.BoolVar(&o.DryRun, "dry-run", false, "")
	set.BoolVar(&o.Due, "due", false, "")
	set.BoolVar(&o.Detach, "detach", false, "")
	set.StringVar(&o.Algorithm, "algorithm", "SHA1", "")
	set.IntVar(&o.Digits, "digits", 6, "")
	set.IntVar(&o.Period, "period", 30, "")
	set.BoolVar(&o.ASCII, "ascii", false, "")
	set.BoolVar(&o.Plain, "plain", false, "")
	set.StringVar(&o.PNG, "png", "", "")
	set.StringVar(&o.Format, "format", "", "")
	set.BoolVar(&o.Replace, "replace", false, "")
	set.Var((*users)(&o.BreakGlass), "break-glass", "")
	set.StringVar(&o.Recipient, "recipient", "", "")
	set.StringVar(&o.Recipients, "recipients-file", "", "")
	set.StringVar(&o.Identity, "identity", "", "")
	set.BoolVar(&o.MatchNames, "match-names", false, "")
	set.BoolVar(&o.KeepCodes, "keep-recovery-codes", false, "")
	set.BoolVar(&o.DeleteAnyway, "delete-anyway", false, "")
	set.BoolVar(&o.Yes, "yes", false, "")
	set.BoolVar(&o.JSON, "json", false, "")
	set.BoolVar(&o.IfMissing, "if-missing", false, "")
	set.BoolVar(&o.Missing, "missing", false, "")
	set.BoolVar(&o.Metrics, "metrics", false, "")
	set.BoolVar(&o.Orphans, "orphans", false, "")
	set.BoolVar(&o.ButProfile, "but-profile", false, "")
	set.BoolVar(&o.Help, "help", false, "")
	set.BoolVar(&o.Help, "h", false, "")
	set.BoolVar(&o.Version, "version", false, "")
	set.BoolVar(&o.Version, "V", false, "")
	return set
}

// named takes the command's name, of one word or two, from the words of the command line.
func (o *Options) named(words []string, isUser func(string) bool) (rest []string, err error) {
	name := ""
	for len(words) > 0 && usage.Words(name) != nil {
		if !slices.Contains(usage.Words(name), words[0]) {
			if name == "" && !o.Help && record.CheckName(words[0]) == nil && isUser(words[0]) {
				break
			}
			_, alone := usage.Find(name)
			if alone && name != "" && !misspelled(name, words[0], isUser) {
				break
			}
			return nil, unknownCommand(name, words[0])
		}
		name, words = strings.TrimSpace(name+" "+words[0]), words[1:]
	}
	var known bool
	if o.Command, known = usage.Find(name); !known && !o.Help {
		return nil, hint.Misuse("enroll %s needs %s", name, listed(usage.Words(name), "or"))
	}
	o.group = name
	return words, nil
}

// misspelled reports whether a word behind a command is like the second word of another one, and
// no user's name.
func misspelled(group, word string, isUser func(string) bool) bool {
	return nearest.To(word, usage.Words(group)) != "" && !isUser(word)
}

// unknownCommand says that a word is no command, or with a group's name before it none of the
// group.
func unknownCommand(group, word string) error {
	if _, alone := usage.Find(group); group != "" && !alone {
		what := map[string]string{"add": "device type", "fleet": "command of fleet"}[group]
		return hint.Misuse("unknown %s %q; use %s", what, word,
			listed(usage.Words(group), "or"))
	}
	all := append(usage.Words(""), "help", "--version")
	for _, c := range usage.Commands {
		all = append(all, c.Name)
	}
	word = strings.TrimSpace(group + " " + word)
	return hint.Misuse("unknown command %q%s", word, nearest.Ask(word, all, plain))
}

func plain(word string) string { return word }

// Usage is what --help prints.
func (o Options) Usage() string {
	if _, whole := usage.Find(o.group); !whole {
		return usage.Group(o.group)
	}
	return o.Command.Text()
}

// listed is a list for a sentence: a, b and c.
func listed(words []string, last string) string {
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}

// operands takes the words behind the command's name.
func (o *Options) operands(words []string) error {
	switch {
	case strings.HasSuffix(o.Command.Operand, "..."):
		if o.Files = words; len(words) > 0 {
			o.Operand, words = words[0], nil
		}
	case o.Command.Operand != "" && len(words) > 0:
		o.Operand, words = words[0], words[1:]
	}
	words, err := o.lastName(words)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return hint.Misuse("unexpected argument %q", words[0])
	}
	if o.Command.Operand != "" && o.Operand == "" && !(o.Command.Root && o.User != "") && !o.Last {
		return hint.Misuse("enroll %s needs %s", o.Command.Name, o.Command.Operand)
	}
	return nil
}

// lastName takes the NAME of a user behind a command that works for one, as --user does.
func (o *Options) lastName(words []string) ([]string, error) {
	if len(words) == 0 || !o.Command.TakesName() {
		return words, nil
	}
	if o.User != "" && o.User != words[0] {
		return nil, twoNames(words[0], o.User)
	}
	o.User, o.Given["user"] = words[0], true
	return words[1:], nil
}

func twoNames(word, user string) error {
	return hint.Misuse("two names: %q and --user %q", word, user)
}

// fits refuses options that mean nothing to the command, and those that were given with nothing
// in them.
func fits(set *flag.FlagSet, c usage.Command) error {
	var stray []string
	var empty error
	set.Visit(func(f *flag.Flag) {
		if !c.Has(f.Name) {
			stray = append(stray, "--"+f.Name)
		}
		if f.Value.String() == "" {
			empty = hint.Misuse("--%s needs a value", f.Name)
		}
	})
	if len(stray) > 0 {
		return hint.Misuse("%s cannot be used with %s", strings.Join(stray, ", "),
			strings.TrimSpace("enroll "+c.Name))
	}
	return empty
}

// ForUser is the option that another command needs to work for the same user; empty: for the
// caller.
func (o Options) ForUser() string {
	name := o.User
	if o.Command.Root && o.Operand != "" {
		name = o.Operand
	}
	if name == "" {
		return ""
	}
	return " --user " + name
}

// Target is the NAME of a command for root, which may also be given as --user.
func (o Options) Target() (string, error) {
	if o.Operand != "" && o.User != "" && o.Operand != o.User {
		return "", twoNames(o.Operand, o.User)
	}
	if o.Operand != "" {
		return o.Operand, nil
	}
	return o.User, nil
}
