package suite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Attempt is one login by golang.org/x/crypto/ssh.
type Attempt struct {
	User     string
	Password string // answers every prompt for a password
	// answer the other prompts in order; the last one is repeated as often as asked. None: hang
	// up there
	Codes  []string
	Key    ssh.Signer
	Second ssh.Signer // a second key, where one is not enough
	From   string     // the client's address; empty: as the system chooses
	// PasswordFirst tries the "password" method before keyboard-interactive, as some clients do.
	PasswordFirst bool
	// Answer, if set, answers the prompts that are not for a password in place of Codes.
	Answer func(prompt string) (string, error)
	// AtCode, if set, is called before a code is sent; an error hangs up instead.
	AtCode func() error
}

// Outcome is what the client saw. Client is set if it is in; the caller closes it.
type Outcome struct {
	Client    *ssh.Client
	Err       error
	Prompts   []string
	Whole     time.Duration // from dialing to the end of authentication
	AfterCode time.Duration // from the last code sent to the end of authentication
}

// In says whether the login succeeded.
func (o *Outcome) In() bool { return o.Client != nil }

// Close hangs up; it may be called on any outcome.
func (o *Outcome) Close() {
	if o.Client != nil {
		_ = o.Client.Close()
	}
}

// CodePrompts counts the prompts that were not for a password.
func (o *Outcome) CodePrompts() (n int) {
	for _, p := range o.Prompts {
		if !asksPassword(p) {
			n++
		}
	}
	return n
}

// asksPassword tells a prompt for the password from one for a code: pam_unix's, to which
// OpenSSH's client adds "(user@host) ", and that client's own.
func asksPassword(prompt string) bool {
	return strings.HasPrefix(prompt, "Password") || strings.Contains(prompt, ") Password") ||
		strings.Contains(prompt, "'s password:")
}

// ErrHungUp is the end of an attempt that had no code to give.
var ErrHungUp = errors.New("hung up at the prompt for a code")

// loginLimit bounds a login: a hang is a failure, not a stuck suite.
const loginLimit = 2 * time.Minute

// Login makes the attempt.
func (s *Server) Login(a Attempt) *Outcome {
	ctx, cancel := context.WithTimeout(context.Background(), loginLimit)
	defer cancel()
	o := new(Outcome)
	var sent time.Time
	start := time.Now()
	dialer := new(net.Dialer)
	if a.From != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(a.From)}
	}
	conn, err := dialer.DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		o.Err = err
		return o
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	c, chans, reqs, err := ssh.NewClientConn(conn, s.Addr(), &ssh.ClientConfig{
		User:            a.User,
		HostKeyCallback: ssh.FixedHostKey(s.suite.host),
		Auth:            a.methods(o, &sent),
	})
	end := time.Now()
	o.Whole = end.Sub(start)
	if !sent.IsZero() {
		o.AfterCode = end.Sub(sent)
	}
	if err != nil {
		_ = conn.Close()
		o.Err = errors.Join(err, ctx.Err())
		return o
	}
	o.Client = ssh.NewClient(c, chans, reqs)
	return o
}

func (a *Attempt) methods(o *Outcome, sent *time.Time) []ssh.AuthMethod {
	var methods []ssh.AuthMethod
	if a.Key != nil {
		keys := []ssh.Signer{a.Key}
		if a.Second != nil {
			keys = append(keys, a.Second)
		}
		methods = append(methods, ssh.PublicKeys(keys...))
	}
	if a.PasswordFirst {
		methods = append(methods, ssh.Password(a.Password))
	}
	codes := 0
	answer := func(prompt string) (string, error) {
		o.Prompts = append(o.Prompts, prompt)
		if asksPassword(prompt) {
			return a.Password, nil
		}
		if a.AtCode != nil {
			if err := a.AtCode(); err != nil {
				return "", err
			}
		}
		if a.Answer != nil {
			code, err := a.Answer(prompt)
			*sent = time.Now()
			return code, err
		}
		if len(a.Codes) == 0 {
			return "", ErrHungUp
		}
		code := a.Codes[min(codes, len(a.Codes)-1)]
		codes++
		*sent = time.Now()
		return code, nil
	}
	return append(methods, ssh.KeyboardInteractive(func(_, _ string, questions []string,
		_ []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i, q := range questions {
			var err error
			if answers[i], err = answer(q); err != nil {
				return nil, err
			}
		}
		return answers, nil
	}))
}

// Output runs a command in a session of its own.
func (o *Outcome) Output(command string) (string, error) {
	if o.Client == nil {
		return "", fmt.Errorf("not logged in: %w", o.Err)
	}
	session, err := o.Client.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	out, err := session.CombinedOutput(command)
	return string(out), err
}
