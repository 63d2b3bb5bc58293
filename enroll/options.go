package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// options are a parsed command line.
type options struct {
	command string
	operand string // NAME or DEVICE, or what to add
	files   []string

	user       string
	label      string
	secretFile string
	number     string
	from       string
	service    string
	lasts      time.Duration
	counter    uint64
	code       bool // one of the parameters of codes was given
	algorithm  string
	digits     int
	period     int
	yes        bool
	json       bool
	ascii      bool
	plain      bool
	png        string
	format     string
	replace    bool
	help       bool
}

// command says how a command is used and what does it.
type command struct {
	operand string   // its name in messages; empty: the command takes none
	flags   []string // those it takes, beside --help
	root    bool     // for root only
	run     func(*program, options) error
}

// commands is what enroll can do. The empty name is enroll alone.
var commands = map[string]command{
	"":        {"", []string{"user", "label", "algorithm", "digits", "period", "ascii", "plain", "png"}, false, (*program).setUp},
	"add":     {"totp, hotp or phone", []string{"user", "label", "secret-file", "counter", "number", "algorithm", "digits", "period", "ascii", "plain", "png", "yes"}, false, (*program).add},
	"codes":   {"", []string{"user", "yes"}, false, (*program).codes},
	"status":  {"", []string{"user", "json"}, false, (*program).status},
	"remove":  {"DEVICE", []string{"user", "yes"}, false, (*program).remove},
	"test":    {"", []string{"user"}, false, (*program).try},
	"list":    {"", []string{"json"}, true, (*program).list},
	"reset":   {"NAME", []string{"user", "yes", "json"}, true, (*program).reset},
	"doctor":  {"", []string{"service", "json"}, true, (*program).doctor},
	"unlock":  {"NAME", []string{"user", "yes", "json"}, true, (*program).unlock},
	"invite":  {"NAME", []string{"user", "yes", "json"}, true, (*program).invite},
	"bypass":  {"NAME", []string{"user", "for", "yes", "json"}, true, (*program).bypass},
	"explain": {"NAME", []string{"user", "from", "service", "json"}, true, (*program).explain},
	"import":  {"FILE...", []string{"user", "format", "replace", "json", "yes"}, true, (*program).importFiles},
}

const help = `usage: enroll                       set up the second factor for yourself
       enroll status [--json]       devices, last use, lock
       enroll add totp|hotp|phone   one more device
       enroll remove DEVICE
       enroll codes                 new recovery codes; the old ones stop working
       enroll test                  try a code; says which device it matched
for root:
       enroll --user NAME ...       any of the above for someone else
       enroll list [--json]         who has what
       enroll reset NAME            remove everything; the user must enroll anew
       enroll unlock NAME           end a lock
       enroll invite NAME           a ticket for a first enrollment, good for a day
       enroll bypass NAME [--for 1h]
                                    a code that works once in place of a device's
       enroll explain NAME [--from IP] [--service sshd]
                                    which rule decides a login, what would be asked, and why
       enroll add totp --user NAME --label L [--secret-file FILE|-] [--digits 6|8]
              [--algorithm SHA1|SHA256|SHA512] [--period 30] --yes
                                    without questions; prints the otpauth URI alone
       enroll add hotp --user NAME --secret-file FILE|- [--counter 0] ... --yes
       enroll codes --user NAME --yes
                                    prints the codes, one a line
       enroll add phone --user NAME --number +15551234567 --yes
       enroll import [--format google|oath|csv] [--replace] [--user NAME] [--json] FILE...
                                    take users over from google-authenticator, pam_oath or CSV
       enroll doctor [--service NAME] [--json]
                                    would a login work, could one slip past?
`

// parse reads a command line. Flags may stand anywhere.
func parse(args []string) (options, command, error) {
	o := options{}
	set := flags(&o)
	var words []string
	for rest := args; ; {
		if err := set.Parse(rest); err != nil {
			return o, command{}, usage("%v", err)
		}
		if set.NArg() == 0 {
			break
		}
		words, rest = append(words, set.Arg(0)), set.Args()[1:]
	}
	if len(words) > 0 {
		o.command = words[0]
	}
	c, known := commands[o.command]
	if !known {
		return o, c, usage("unknown command %q", o.command)
	}
	if err := operand(&o, c, words); err != nil || o.help {
		return o, c, err
	}
	set.Visit(func(f *flag.Flag) {
		o.code = o.code || slices.Contains([]string{"algorithm", "digits", "period", "counter"}, f.Name)
	})
	return o, c, fits(set, o, c)
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
	set.BoolVar(&o.yes, "yes", false, "")
	set.BoolVar(&o.json, "json", false, "")
	set.BoolVar(&o.ascii, "ascii", false, "")
	set.BoolVar(&o.plain, "plain", false, "")
	set.StringVar(&o.png, "png", "", "")
	set.StringVar(&o.format, "format", "", "")
	set.BoolVar(&o.replace, "replace", false, "")
	set.BoolVar(&o.help, "help", false, "")
	set.BoolVar(&o.help, "h", false, "")
	return set
}

func operand(o *options, c command, words []string) error {
	most := 1
	switch {
	case strings.HasSuffix(c.operand, "..."):
		most, o.files = len(words), words[1:]
	case c.operand != "":
		most = 2
	}
	if len(words) > most {
		return usage("%q is one word too many", words[most])
	}
	if len(words) >= 2 {
		o.operand = words[1]
	}
	return nil
}

// fits refuses flags that mean nothing to the command, and operands that are missing.
func fits(set *flag.FlagSet, o options, c command) error {
	var stray []string
	set.Visit(func(f *flag.Flag) {
		if !slices.Contains(c.flags, f.Name) {
			stray = append(stray, "--"+f.Name)
		}
	})
	name := strings.TrimSpace("enroll " + o.command)
	if len(stray) > 0 {
		return usage("%s does not go with %s", strings.Join(stray, ", "), name)
	}
	if c.operand != "" && o.operand == "" && !(c.root && o.user != "") {
		return usage("%s needs %s", name, c.operand)
	}
	return empty(set)
}

// empty refuses options that were given with nothing in them.
func empty(set *flag.FlagSet) (err error) {
	set.Visit(func(f *flag.Flag) {
		if f.Value.String() == "" {
			err = usage("--%s needs a value", f.Name)
		}
	})
	return err
}

func printHelp(w io.Writer) { fmt.Fprint(w, help) }
