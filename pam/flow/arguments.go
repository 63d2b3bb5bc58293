package flow

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"latchkey/pam/nearest"
	"latchkey/pam/policy"
)

// Arguments are what a line of the PAM configuration tells the module. The zero value is a line
// without any.
type Arguments struct {
	Conf        string // the policy that conf= names; "": none
	IfPublicKey bool
	Split       bool
	Debug       bool
}

// known are the arguments there are, for those that are misspelled.
var known = []string{"conf=PATH", "if_publickey", "split", "debug"}

func plain(argument string) string { return argument }

// Take reads one argument. It refuses what it does not know: a misspelled option must not silently
// change who gets in.
func (a *Arguments) Take(arg string) error {
	path, isConf := strings.CutPrefix(arg, "conf=")
	switch {
	case isConf:
		a.Conf = path
		if !filepath.IsAbs(path) || path != filepath.Clean(path) {
			return fmt.Errorf("module argument %q: not an absolute, clean path", arg)
		}
	case arg == "if_publickey":
		a.IfPublicKey = true
	case arg == "split":
		a.Split = true
	case arg == "debug":
		a.Debug = true
	default:
		return fmt.Errorf("unknown module argument %q%s", arg, nearest.Ask(arg, known, plain))
	}
	return nil
}

// Policy is the path of the policy that the line goes by.
func (a Arguments) Policy() string {
	if a.Conf != "" {
		return a.Conf
	}
	return policy.DefaultPath
}

// parseArguments reads all arguments, or returns the error about the first that is refused.
func parseArguments(args []string) (a Arguments, err error) {
	for _, arg := range args {
		if err := a.Take(arg); err != nil {
			return Arguments{}, err
		}
	}
	if a.Split && a.IfPublicKey {
		return Arguments{}, errors.New(
			"module arguments split and if_publickey exclude each other")
	}
	return a, nil
}
