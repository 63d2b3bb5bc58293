package doctor

import (
	"fmt"

	"latchkey/pam/notify/dispatch"
	"latchkey/pam/policy"
	"latchkey/pam/unprivileged"
)

// checkNotify looks at the program that is told of events as latchkey-notify does before it runs
// it: no login fails for what is wrong with it, but no one hears of anything.
func (d Doctor) checkNotify(path string, rules *policy.Policy) []Finding {
	program := rules.Notify.Program
	if program == "" {
		return nil
	}
	var found []Finding
	uid, gid, exists := unprivileged.Account(d.Root)
	if !exists {
		text := fmt.Sprintf("there is none: the program of [notify] runs with uid %d", uid)
		found = append(found, warning("the account "+unprivileged.Name, text,
			"adduser --system --group --no-create-home "+unprivileged.Name))
	}
	if _, err := dispatch.Check(d.Root, program, uid, gid); err != nil {
		err = fmt.Errorf("the program of [notify] is not run: %w", err)
		found = append(found, fault(path, err,
			fmt.Sprintf("only root may be able to change %s, and uid %d must be able to run it",
				program, uid)))
	}
	return found
}
