package flow

import (
	"fmt"
	"path/filepath"
	"strings"

	"latchkey/pam/policy"
)

// arguments are the module's arguments in the PAM configuration.
type arguments struct {
	conf        string
	ifPublicKey bool
	debug       bool
}

// parseArguments refuses what it does not know: a misspelt option must not silently change who gets in.
func parseArguments(args []string) (arguments, error) {
	a := arguments{conf: policy.DefaultPath}
	for _, arg := range args {
		path, isConf := strings.CutPrefix(arg, "conf=")
		switch {
		case isConf && filepath.IsAbs(path) && path == filepath.Clean(path):
			a.conf = path
		case isConf:
			return a, fmt.Errorf("module argument %q: not an absolute, clean path", arg)
		case arg == "if_publickey":
			a.ifPublicKey = true
		case arg == "debug":
			a.debug = true
		default:
			return a, fmt.Errorf("unknown module argument %q", arg)
		}
	}
	return a, nil
}
