package main

import (
	"errors"
	"fmt"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/usage"
)

// does is what carries the commands out.
var does = map[string]func(*program, options.Options) error{
	"":                  (*program).setUp,
	"status":            (*program).status,
	"add totp":          (*program).addTOTP,
	"add hotp":          (*program).addHOTP,
	"add phone":         (*program).addPhone,
	"add key":           (*program).addKey,
	"remove":            (*program).remove,
	"rename":            (*program).rename,
	"replace":           (*program).replace,
	"codes":             (*program).codes,
	"test":              (*program).try,
	"trust":             (*program).trusted,
	"trust revoke":      (*program).distrust,
	"list":              (*program).list,
	"reset":             (*program).reset,
	"unlock":            (*program).unlock,
	"invite":            (*program).invite,
	"bypass":            (*program).bypass,
	"import":            (*program).importFiles,
	"backup":            (*program).backup,
	"restore":           (*program).restore,
	"rekey":             (*program).rekey,
	"explain":           (*program).explain,
	"doctor":            (*program).doctor,
	"activate":          (*program).activate,
	"deactivate":        (*program).deactivate,
	"fleet join":        (*program).joinFleet,
	"fleet status":      (*program).fleetStatus,
	"fleet break-glass": (*program).breakGlass,
	"fleet import":      (*program).importIntoFleet,
	"fleet export":      (*program).exportFromFleet,
	"fleet leave":       (*program).leaveFleet,
	"removable":         (*program).removable,
}

// run does what args say and returns the exit status.
func (p *program) run(args []string) int {
	o, err := options.Parse(args, p.mayName)
	switch {
	case err != nil:
	case o.Version:
		fmt.Fprintf(p.Out, "enroll (latchkey) %s\n", usage.Version)
	case o.Help:
		fmt.Fprint(p.Out, o.Usage())
	case o.Command.Root && p.uid != 0:
		err = hint.Error(fmt.Sprintf("enroll %s is for root", o.Command.Name), "")
	default:
		if err = p.Writable(); err == nil {
			err = does[o.Command.Name](p, o)
		}
	}
	err = p.ended(err)
	return report(p.Err, hinted(err, o.ForUser()))
}

// ended is the error of a command that ended with err, once what could not be written is counted
// in.
func (p *program) ended(err error) error {
	unwritten := p.Unwritten()
	switch {
	case unwritten == nil || err != nil && !errors.Is(err, unwritten):
		return err
	case p.changed:
		what := fmt.Sprintf("it is done, but standard output could not be written: %v", unwritten)
		return hint.Error(what, "")
	}
	return hint.Error(fmt.Sprintf("standard output could not be written: %v", unwritten), "")
}
