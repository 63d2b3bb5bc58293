package options

import (
	"errors"
	"flag"
	"strings"

	"latchkey/enroll/hint"
	"latchkey/pam/nearest"
)

// scan reads the options of a command line into set and returns the other words. Options may stand
// anywhere, with one dash or two, and behind "--" there are none.
func scan(set *flag.FlagSet, args []string) (words []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			return append(words, args...), nil
		case len(arg) < 2 || arg[0] != '-':
			words = append(words, arg)
		default:
			if args, err = option(set, arg, args); err != nil {
				return nil, err
			}
		}
	}
	return words, nil
}

// option reads one option, whose value may be the next word. It returns what is left.
func option(set *flag.FlagSet, arg string, next []string) (rest []string, err error) {
	name, value, given := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
	f := set.Lookup(name)
	switch {
	case f == nil:
		return nil, unknown(set, name)
	case isSwitch(f) && given:
		return nil, hint.Misuse("--%s takes no value", name)
	case isSwitch(f):
		return next, set.Set(name, "true")
	case !given && (len(next) == 0 || isOption(set, next[0])):
		return nil, hint.Misuse("--%s needs a value", name)
	case !given:
		value, next = next[0], next[1:]
	}
	if err := set.Set(name, value); err != nil {
		return nil, hint.Misuse("--%s must be %s, not %q", name, must(err), value)
	}
	return next, nil
}

// unknown says that there is no such option, and which one may have been meant.
func unknown(set *flag.FlagSet, name string) error {
	var names []string
	set.VisitAll(func(f *flag.Flag) {
		if len(f.Name) > 1 {
			names = append(names, f.Name)
		}
	})
	dashed := func(name string) string { return "--" + name }
	return hint.Misuse("unknown option --%s%s", name, nearest.Ask(name, names, dashed))
}

func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// isOption reports whether a word is one of the options, not the value of the one before it.
func isOption(set *flag.FlagSet, word string) bool {
	name, dashed := strings.CutPrefix(word, "--")
	name, _, _ = strings.Cut(name, "=")
	return dashed && set.Lookup(name) != nil
}

// must says what a value has to be.
func must(err error) string {
	var m *mustBe
	if errors.As(err, &m) {
		return m.what
	}
	return "a whole number"
}

// mustBe is the error of a value that is not what it has to be.
type mustBe struct{ what string }

func (m *mustBe) Error() string { return "must be " + m.what }
