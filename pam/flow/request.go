package flow

import (
	"errors"
	"net/netip"
	"strings"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Request is what the PAM application says about the login. Nothing in it is trusted but UID, Name
// and Lookup, which the name service gave, ByEnroll and BySSHD.
type Request struct {
	User    string // PAM_USER
	Name    string // the name service's spelling of it: the record's name
	UID     uint32
	Lookup  Lookup
	Service string
	// ByEnroll: the application is enroll(8) itself; the gate looked at which program it is in.
	ByEnroll bool
	// BySSHD: the application is sshd; the gate looked at which program it is in.
	BySSHD bool
	From   string // PAM_RHOST
	// AuthInfo is what sshd says of the methods that were passed before this one
	// (SSH_AUTH_INFO_0), a line each.
	AuthInfo string
	Args     []string // the module's arguments
	// Typed is the shape of what was typed into one field for password and code (pam/field), at a
	// line with split; nil: there was no answer.
	Typed *string
	// Kept: the line with split has taken off a code, which is the answer to the first question.
	Kept bool
}

// Lookup is what the name service said of the user. The zero value denies.
type Lookup int

// The answers of a name service.
const (
	LookupFailed Lookup = iota // it could not be asked
	NoSuchUser
	Found
)

// publicKeyAccepted reports whether sshd has accepted a public key in this connection.
func (r Request) publicKeyAccepted() bool {
	for line := range strings.Lines(r.AuthInfo) {
		if strings.HasPrefix(line, "publickey ") {
			return true
		}
	}
	return false
}

// Account is the user as records name them.
func (r Request) Account() record.User { return record.User{Name: r.Name, UID: r.UID} }

// names reports whether an answer is the user's name, as typed at the login or as the name service
// has it.
func (r Request) names(answer string) bool {
	answer = strings.TrimSpace(answer)
	return answer != "" && (answer == r.User || answer == r.Name)
}

// address is where the login comes from, if that is a literal address.
func (r Request) address() netip.Addr {
	address, err := netip.ParseAddr(r.From)
	if err != nil {
		return netip.Addr{}
	}
	return address.Unmap().WithZone("")
}

// network is the one that the login comes from, for people to read.
func (r Request) network() string { return state.NetworkOf(r.address()).String() }

// Conversation reaches the user through the PAM application.
type Conversation interface {
	// Ask shows a prompt and returns what the user typed, visibly. The error matches
	// ErrConversation if there was no answer, and ErrPassword if the answer was the user's
	// password, which nothing here gets to see.
	Ask(prompt string) (string, error)
	// Tell shows a text. Whether the user sees it is not known: older sshd shows it with the next
	// prompt.
	Tell(text string) error
	// TellLater shows a text when the session begins, on a terminal alone, where the application
	// is sshd. Of what is told before, sshd makes a banner as well: it is then there twice on a
	// terminal, and once among what scp, rsync and git say.
	TellLater(text string) error
	// InGroup asks the name service whether the user is in a group, or in a netgroup if group
	// begins with @. The error matches ErrConversation if the user is gone, and does not if the
	// name service cannot tell.
	InGroup(group string) (bool, error)
}

// ErrConversation says that the conversation failed, ended, or returned nothing.
var ErrConversation = errors.New("no answer from the user")

// ErrPassword says that the answer was the password that the user had given before.
var ErrPassword = errors.New("the answer was the password")
