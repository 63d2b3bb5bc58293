// Package carrier is what the programs of a host and latchkey-fleet say to each other: a Job on
// standard input, and a Report of what became of it on standard output, as often as the host asks.
// Each is one line.
//
// latchkey-fleet carries what is sealed and decides nothing. The login program links this package,
// so it imports nothing of the network.
package carrier

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"latchkey/pam/fleet/wire"
)

// Version is the version of all messages; both programs are installed together.
const Version = 1

// MaxServices is how many services a fleet can name.
const MaxServices = 16

// MaxDeadline is the longest that a job may take.
const MaxDeadline = 10 * time.Second

// MaxJob is the longest job, in bytes: a request and the authorities.
const MaxJob = 512 << 10

// MaxReport is the longest report, in bytes.
const MaxReport = wire.MaxMessage*4/3 + 4<<10

// Idle is how long latchkey-fleet waits for the next job: while a user types a code.
const Idle = 30 * time.Second

// Job is a request and where to bring it. One without a request is an opening, of which nothing is
// reported: latchkey-fleet connects to the first service, while the host seals the request.
type Job struct {
	Version    int      `json:"version"`
	Services   []string `json:"services"`
	CA         string   `json:"ca"` // the only authorities that count, in PEM
	DeadlineMS int      `json:"deadline_ms"`
	Request    []byte   `json:"request,omitempty"`
}

// IsOpening reports whether the job is only to connect.
func (j Job) IsOpening() bool { return len(j.Request) == 0 }

// Deadline is how long the job may take, never more than MaxDeadline.
func (j Job) Deadline() time.Duration {
	return time.Duration(min(j.DeadlineMS, int(MaxDeadline/time.Millisecond))) * time.Millisecond
}

// Encode is the job as it goes over the pipe.
func (j Job) Encode() ([]byte, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	return append(text, '\n'), err
}

// NewReader is a reader from which ReadJob reads.
func NewReader(in io.Reader) *bufio.Reader { return bufio.NewReaderSize(in, MaxJob) }

// ReadJob reads a job. The error is io.EOF if there is no other.
func ReadJob(r *bufio.Reader) (j Job, err error) {
	text, err := r.ReadSlice('\n')
	switch {
	case err == io.EOF && len(text) == 0:
		return Job{}, err
	case err != nil:
		return Job{}, errors.New("the job could not be read")
	}
	if err := wire.Decode(text, &j); err != nil {
		return Job{}, err
	}
	return j, j.check()
}

func (j Job) check() error {
	switch {
	case j.Version != Version:
		return errors.New("another version of latchkey: install its programs together")
	case len(j.Services) == 0 || len(j.Services) > MaxServices:
		return errors.New("the job names no services, or too many")
	case len(j.Request) > wire.MaxMessage:
		return errors.New("the job has a request that is too long")
	case j.DeadlineMS <= 0:
		return errors.New("the job has no deadline")
	}
	return nil
}

// Report is what became of a job: the first answer, or why there is none.
type Report struct {
	Body []byte `json:"body,omitempty"`
	From int    `json:"from,omitempty"` // which of the job's services gave it
	// End is Unreachable, if there was no TCP connection to any service; Protocol, if no service
	// took the request; or Unknown, if some service may have got it.
	End  wire.Fault `json:"end,omitempty"`
	Text string     `json:"text,omitempty"` // for the log
}

var ends = []wire.Fault{wire.Unreachable, wire.Protocol, wire.Unknown}

// Encode is the report as one line.
func (r Report) Encode() ([]byte, error) {
	text, err := json.Marshal(r)
	return append(text, '\n'), err
}

// DecodeReport reads a line without its end. No error shows anything of it.
func DecodeReport(line []byte) (r Report, err error) {
	if err := wire.Decode(line, &r); err != nil {
		return Report{}, err
	}
	isEnd := slices.Contains(ends, r.End)
	if len(line) > MaxReport || isEnd == (len(r.Body) > 0) || !isEnd && r.End != "" {
		return Report{}, errForm
	}
	return r, nil
}

var errForm = errors.New("a message of another form")
