package migrate

import (
	"time"

	"latchkey/enroll/migrate/source"
	"latchkey/pam/enrollment"
	"latchkey/pam/many"
	"latchkey/pam/record"
)

// Options are how files are taken over. Those without a remark are needed.
type Options struct {
	Store enrollment.Store
	Fleet *Fleet           // users are saved there, and not in Store; nil: in Store
	Proof enrollment.Proof // of the right to change everyone
	Clock func() time.Time
	// LookUp and LookUpID find a user. The error matches names.ErrUnknown only if there is
	// certainly no such user.
	LookUp   func(name string) (User, error)
	LookUpID func(uid int) (User, error)
	// CheckPhone refuses a phone that no code could be sent to.
	CheckPhone func(record.Device) error
	// Changed is told of each user for whom something was changed, one after the other.
	Changed func(Outcome)
	Told    many.Told // of users saved

	Format source.Format // of the files; empty: as each looks
	// User is the user whose file it is, or the only one to take over from it; may be empty.
	User    string
	Replace bool // what a user has already
}

// migration is one run.
type migration struct {
	Options
	all []*candidate
}
