package carrier_test

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/testroot"
)

func job() carrier.Job {
	return carrier.Job{Version: 1, Services: []string{"https://mfa1:7443"}, CA: "authorities",
		DeadlineMS: 8000, Request: []byte("sealed")}
}

func TestJobArrivesAsItWasSent(t *testing.T) {
	largest := job()
	largest.Services = nil
	for range carrier.MaxServices {
		largest.Services = append(largest.Services, "https://"+strings.Repeat("x", 247))
	}
	largest.CA = strings.Repeat("<", 32<<10) // which JSON writes in six bytes
	largest.Request = bytes.Repeat([]byte{0xff}, wire.MaxMessage)
	var in bytes.Buffer
	opening := job()
	opening.Request = nil
	jobs := []carrier.Job{opening, job(), largest, job()}
	for _, j := range jobs {
		text, err := j.Encode()
		testroot.Must(t, err)
		in.Write(text)
	}
	r := carrier.NewReader(&in)
	for _, want := range jobs {
		if got, err := carrier.ReadJob(r); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %.80v, %v", got, err)
		}
	}
	if _, err := carrier.ReadJob(r); err != io.EOF {
		t.Errorf("after the last: got %v, want io.EOF", err)
	}
}

func TestDeadlineIsCappedAtTenSeconds(t *testing.T) {
	for ms, want := range map[int]time.Duration{1: time.Millisecond, 9999: 9999 * time.Millisecond,
		10_001: carrier.MaxDeadline, 1 << 40: carrier.MaxDeadline} {
		if got := (carrier.Job{DeadlineMS: ms}).Deadline(); got != want {
			t.Errorf("%d ms: got %v, want %v", ms, got, want)
		}
	}
}

func TestMalformedJobIsNeitherSentNorRead(t *testing.T) {
	for name, change := range map[string]func(*carrier.Job){
		"another version":     func(j *carrier.Job) { j.Version = 2 },
		"no services":         func(j *carrier.Job) { j.Services = nil },
		"too many services":   func(j *carrier.Job) { j.Services = make([]string, 17) },
		"too long a request":  func(j *carrier.Job) { j.Request = make([]byte, wire.MaxMessage+1) },
		"no deadline":         func(j *carrier.Job) { j.DeadlineMS = 0 },
		"a deadline long ago": func(j *carrier.Job) { j.DeadlineMS = -1 },
	} {
		j := job()
		change(&j)
		if text, err := j.Encode(); err == nil {
			t.Errorf("%s: got %.80s", name, text)
		}
	}
}

// A report is an answer or an end, and never both or neither.
func FuzzDecodeReport(f *testing.F) {
	for _, text := range []string{`{"body":"eA=="}`, `{"body":"eA==","from":1}`,
		`{"end":"unreachable","text":"x"}`, `{"end":"protocol"}`, `{"end":"unknown"}`, `{}`,
		`{"body":"eA==","end":"unknown"}`, `{"end":"done"}`, `{"body":"eA==","end":"done"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := carrier.DecodeReport([]byte(text))
		if err != nil {
			return
		}
		ends := r.End == wire.Unreachable || r.End == wire.Protocol || r.End == wire.Unknown
		if ends == (len(r.Body) > 0) || !ends && r.End != "" {
			t.Errorf("%q: got %+v", text, r)
		}
	})
}
