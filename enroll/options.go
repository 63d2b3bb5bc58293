package main

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

// options are a parsed command line.
type options struct {
	command usage.Command
	operand string // NAME or DEVICE
	files   []string

	user       string
	label      string
	secretFile string
	number     string
	from       string
	service    string
	lasts      time.Duration
	counter    uint64
	algorithm  string
	digits     int
	period     int
	ascii      bool
	plain      bool
	png        string
	yes        bool
	json       bool
	format     string
	replace    bool

	deleteAnyway bool
	butProfile   bool
	help         bool
}

// does is what carries the commands out.
var does = map[string]func(*program, options) error{
	"":          (*program).setUp,
	"status":    (*program).status,
	"add totp":  (*program).addTOTP,
	"add hotp":  (*program).addHOTP,
	"add phone": (*program).addPhone,
	"remove":    (*program).remove,
	"codes":     (*program).codes,
	"test":      (*program).try,
	"list":      (*program).list,
	"reset":     (*program).reset,
	"unlock":    (*program).unlock,
	"invite":    (*program).invite,
	"bypass":    (*program).bypass,
	"import":    (*program).importFiles,
	"explain":   (*program).explain,
	"doctor":    (*program).doctor,
	"removable": (*program).removable,
}

// parse reads a command line. Options may stand anywhere.
func parse(args []string) (options, error) {
	o := options{}
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
	rest, err := o.named(words)
	if err != nil || o.help {
		return o, err
	}
	if err := o.operands(rest); err != nil {
		return o, err
	}
	return o, fits(set, o.command)
}

func flags(o *options) *flag.FlagSet {
	set := flag.NewFlagSet("enroll", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	set.StringVar(&o.user, "user", "", "")
	set.StringVar(&o.label, "label", "", "")
	set.StringVar(&o.secretFile, "secret-file", "", "")
	set.Uint64Var(&o.counter, "counter", 0, "")
	set.StringVar(&o.number, "number", "", "")
	set.StringVar(&o.from, "from", "", "")
	set.StringVar(&o.service, "service", "sshd", "")
	set.DurationVar(&o.lasts, "for", time.Hour, "")
	set.StringVar(&o.algorithm, "algorithm", "SHA1", "")
	set.IntVar(&o.digits, "digits", 6, "")
	set.IntVar(&o.period, "period", 30, "")
	set.BoolVar(&o.ascii, "ascii", false, "")
	set.BoolVar(&o.plain, "plain", false, "")
	set.StringVar(&o.png, "png", "", "")
	set.StringVar(&o.format, "format", "", "")
	set.BoolVar(&o.replace, "replace", false, "")
	set.BoolVar(&o.deleteAnyway, "delete-anyway", false, "")
	set.BoolVar(&o.yes, "yes", false, "")
	set.BoolVar(&o.json, "json", false, "")
	set.BoolVar(&o.butProfile, "but-profile", false, "")
	set.BoolVar(&o.help, "help", false, "")
	set.BoolVar(&o.help, "h", false, "")
	return set
}

// named takes the command's name, of one word or two, from the words of the command line.
func (o *options) named(words []string) (rest []string, err error) {
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
	if o.command, known = usage.Find(name); !known && !o.help {
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
func (o *options) operands(words []string) error {
	most := 1
	switch {
	case strings.HasSuffix(o.command.Operand, "..."):
		most, o.files = len(words), words
	case o.command.Operand == "":
		most = 0
	}
	if len(words) > most {
		return hint.Misuse("%s", o.unexpected(words[most]))
	}
	if len(words) > 0 {
		o.operand = words[0]
	}
	if o.command.Operand != "" && o.operand == "" && !(o.command.Root && o.user != "") {
		return hint.Misuse("enroll %s needs %s", o.command.Name, o.command.Operand)
	}
	return nil
}

// unexpected says that a word is not expected, and how a user is named.
func (o *options) unexpected(word string) string {
	what := "unexpected argument " + strconv.Quote(word)
	if o.command.Has("user") && o.user == "" && !o.command.Root && record.CheckName(word) == nil {
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

// forUser is the option that another command needs to work for the same user; empty: for the caller.
func (o options) forUser() string {
	name := o.user
	if o.command.Root && o.operand != "" {
		name = o.operand
	}
	if name == "" {
		return ""
	}
	return " --user " + name
}

// helpFor is what --help prints.
func helpFor(c usage.Command) string {
	if c.Name == "" {
		return usage.Overview()
	}
	return c.Text()
}
