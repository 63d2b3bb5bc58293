package policy

// Unenrolled says what happens to a user who has no record.
type Unenrolled string

// The values of `unenrolled`. Only UnenrolledAllow lets users in; a value that a caller does not
// know or implement is a denial.
const (
	UnenrolledDeny   Unenrolled = "deny"
	UnenrolledAllow  Unenrolled = "allow"
	UnenrolledEnroll Unenrolled = "enroll" // set up a device inside the login
)

// String returns the word in the file, "deny" for the zero value.
func (u Unenrolled) String() string {
	if u == "" {
		return string(UnenrolledDeny)
	}
	return string(u)
}
