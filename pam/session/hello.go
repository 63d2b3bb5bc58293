package session

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"latchkey/pam/flow"
)

// hello receives the first frame and returns the version and the fields in it.
func (w *wire) hello() ([]string, error) {
	kind, payload, err := w.receive()
	if err != nil {
		return nil, err
	}
	if kind != 'H' {
		return nil, fmt.Errorf("the gate began with a frame of type %q", kind)
	}
	text, ended := strings.CutSuffix(string(payload), "\x00")
	parts := strings.Split(text, "\x00")
	if parts[0] == wireVersion && !ended {
		return nil, errMalformed
	}
	return parts, nil
}

var errMalformed = errors.New("the gate's hello is malformed")

// parseHello turns a hello into the request that it makes.
func parseHello(hello []string) (flow.Request, error) {
	var r flow.Request
	if len(hello) == 0 || hello[0] != wireVersion {
		return r, errors.New("the gate is of another version of latchkey: restart what loaded it")
	}
	seen := map[string]bool{}
	for _, field := range hello[1:] {
		key, value, ok := strings.Cut(field, "=")
		if !ok || seen[key] && key != "arg" {
			return r, errMalformed
		}
		seen[key] = true
		if err := setField(&r, key, value); err != nil {
			return r, err
		}
	}
	for _, key := range []string{"user", "name", "uid", "service", "rhost", "auth_info"} {
		if !seen[key] {
			return r, fmt.Errorf("the gate's hello has no %s", key)
		}
	}
	return r, nil
}

func setField(r *flow.Request, key, value string) error {
	switch key {
	case "user":
		r.User = value
	case "name":
		r.Name = value
	case "uid":
		return setUID(r, value)
	case "service":
		r.Service = value
	case "rhost":
		r.From = value
	case "auth_info":
		r.AuthInfo = value
	case "sshd":
		r.BySSHD = value == "1"
	case "typed":
		r.Typed = &value
	case "kept":
		r.Kept = value == "1"
	case "own":
		r.ByEnroll = value == "1"
	case "arg":
		r.Args = append(r.Args, value)
	default:
		return errors.New("the gate's hello has an unknown field")
	}
	return nil
}

func setUID(r *flow.Request, value string) error {
	switch value {
	case "none":
		r.Lookup = flow.NoSuchUser
		return nil
	case "error":
		r.Lookup = flow.LookupFailed
		return nil
	}
	uid, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		return errors.New("the gate's hello has a malformed uid")
	}
	r.UID, r.Lookup = uint32(uid), flow.Found
	return nil
}
