// Package options reads enroll's command line.
package options

import (
	"flag"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/usage"
	"latchkey/pam/record"
)

// Options are a parsed command line.
type Options struct {
	Command usage.Command
	Operand string // NAME or DEVICE
	Files   []string

	User       string
	Label      string
	SecretFile string
	File       string
	// Attestation and Challenge name the files that prove that a security key is one.
	Attestation string
	Challenge   string
	Number      string
	From        string
	Service     string
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
	Format      string
	Replace     bool

	DeleteAnyway bool
	ButProfile   bool
	Help         bool

	Given map[string]bool // names of the options that the command line has
}

// Parse reads a command line. Options may stand anywhere.
func Parse(args []string) (Options, error) {
	o := Options{}
	set := flags(&o)
	var words []string
	for rest := args; ; {
		if err := set.Parse(rest); err != nil {
			return o, hint.Misuse("%v", err)
		}
		if set.NArg() == 0 {
			break
		}
		words, rest = append(words, set.Arg(0)), set.Args()[1:]
	}
	o.Given = map[string]bool{}
	set.Visit(func(f *flag.Flag) { o.Given[f.Name] = true })
	rest, err := o.named(words)
	if err != nil || o.Help {
		return o, err
	}
	if err := o.operands(rest); err != nil {
		return o, err
	}
	return o, fits(set, o.Command)
}

func flags(o *Options) *flag.FlagSet {
	set := flag.NewFlagSet("enroll", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	set.StringVar(&o.User, "user", "", "")
	set.StringVar(&o.Label, "label", "", "")
	set.StringVar(&o.SecretFile, "secret-file", "", "")
	set.StringVar(&o.File, "file", "", "")
	set.StringVar(&o.Attestation, "attestation", "", "")
	set.StringVar(&o.Challenge, "challenge", "", "")
	set.Uint64Var(&o.Counter, "counter", 0, "")
	set.StringVar(&o.Number, "number", "", "")
	set.StringVar(&o.From, "from", "", "")
	set.StringVar(&o.Service, "service", "sshd", "")
	set.DurationVar(&o.Lasts, "for", time.Hour, "")
	set.StringVar(&o.Algorithm, "algorithm", "SHA1", "")
	set.IntVar(&o.Digits, "digits", 6, "")
	set.IntVar(&o.Period, "period", 30, "")
	set.BoolVar(&o.ASCII, "ascii", false, "")
	set.BoolVar(&o.Plain, "plain", false, "")
	set.StringVar(&o.PNG, "png", "", "")
	set.StringVar(&o.Format, "format", "", "")
	set.BoolVar(&o.Replace, "replace", false, "")
	set.BoolVar(&o.DeleteAnyway, "delete-anyway", false, "")
	set.BoolVar(&o.Yes, "yes", false, "")
	set.BoolVar(&o.JSON, "json", false, "")
	set.BoolVar(&o.IfMissing, "if-missing", false, "")
	set.BoolVar(&o.ButProfile, "but-profile", false, "")
	set.BoolVar(&o.Help, "help", false, "")
	set.BoolVar(&o.Help, "h", false, "")
	return set
}

// named takes the command's name, of one word or two, from the words of the command line.
func (o *Options) named(words []string) (rest []string, err error) {
	name := ""
	for len(words) > 0 && usage.Words(name) != nil {
		if !slices.Contains(usage.Words(name), words[0]) {
			if name == "" {
				return nil, hint.Misuse("unknown command %q", words[0])
			}
			return nil, hint.Misuse("unknown device type %q; use %s", words[0], listed(usage.Words(name), "or"))
		}
		name, words = strings.TrimSpace(name+" "+words[0]), words[1:]
	}
	var known bool
	if o.Command, known = usage.Find(name); !known && !o.Help {
		return nil, hint.Misuse("enroll %s needs %s", name, listed(usage.Words(name), "or"))
	}
	return words, nil
}

// listed is a list for a sentence: a, b and c.
func listed(words []string, last string) string {
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}

// operands takes the words behind the command's name.
func (o *Options) operands(words []string) error {
	most := 1
	switch {
	case strings.HasSuffix(o.Command.Operand, "..."):
		most, o.Files = len(words), words
	case o.Command.Operand == "":
		most = 0
	}
	if len(words) > most {
		return hint.Misuse("%s", o.unexpected(words[most]))
	}
	if len(words) > 0 {
		o.Operand = words[0]
	}
	if o.Command.Operand != "" && o.Operand == "" && !(o.Command.Root && o.User != "") {
		return hint.Misuse("enroll %s needs %s", o.Command.Name, o.Command.Operand)
	}
	return nil
}

// unexpected says that a word is not expected, and how a user is named.
func (o *Options) unexpected(word string) string {
	what := "unexpected argument " + strconv.Quote(word)
	if o.Command.Has("user") && o.User == "" && !o.Command.Root && record.CheckName(word) == nil {
		what += "; did you mean --user " + word + "?"
	}
	return what
}

// fits refuses options that mean nothing to the command, and those that were given with nothing in them.
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
		return hint.Misuse("%s cannot be used with %s", strings.Join(stray, ", "), strings.TrimSpace("enroll "+c.Name))
	}
	return empty
}

// ForUser is the option that another command needs to work for the same user; empty: for the caller.
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
		return "", hint.Misuse("two names: %q and --user %q", o.Operand, o.User)
	}
	if o.Operand != "" {
		return o.Operand, nil
	}
	return o.User, nil
}
