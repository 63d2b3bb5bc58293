package doctor

// Status is what a check came to; its values are an interface (doctor --json).
type Status string

// The values of Status.
const (
	OK      Status = "ok"
	Warning Status = "warning" // an administrator should know; it fails nothing
	Error   Status = "error"
)

// Finding is one thing that doctor looked at; its JSON is an interface.
type Finding struct {
	Check  string `json:"check"` // what was looked at: a file, or file:line
	Status Status `json:"status"`
	Detail string `json:"detail"` // what is wrong with it, or what there is to know
	Hint   string `json:"hint"`   // what to do about it
}

func okay(check string) Finding { return Finding{Check: check, Status: OK} }

func warning(check, detail, hint string) Finding { return Finding{check, Warning, detail, hint} }

func fault(check string, err error, hint string) Finding {
	return Finding{check, Error, err.Error(), hint}
}

// verdict is okay without an error, and otherwise a fault.
func verdict(check string, err error, hint string) Finding {
	if err == nil {
		return okay(check)
	}
	return fault(check, err, hint)
}

// below is what to do about a service that asks for no code.
const below = "put this line below the password: auth required pam_latchkey.so"
