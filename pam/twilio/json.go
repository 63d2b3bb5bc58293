package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// checkObject accepts exactly one JSON object in which no name stands twice: encoding/json, with
// which twilio-go reads it, ignores what follows, takes the last of two, and takes "STATUS" for
// "status".
func checkObject(data []byte) error {
	if !utf8.Valid(data) || !json.Valid(data) { // json.Valid: one value and nothing behind it
		return errObject
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errObject
	}
	seen := map[string]bool{}
	for d.More() {
		name, err := memberName(d)
		if err != nil || seen[name] {
			return errObject
		}
		seen[name] = true
	}
	return nil
}

// memberName reads one name and skips its value. Names that encoding/json takes for the same are
// the same.
func memberName(d *json.Decoder) (string, error) {
	token, err := d.Token()
	if err != nil {
		return "", err
	}
	name, _ := token.(string)
	var value json.RawMessage
	return strings.ToLower(strings.ToUpper(name)), d.Decode(&value)
}

// maxBody is the longest answer that is read, in bytes; a verification has about 1,000.
const maxBody = 64 << 10

// readBody reads all of an answer's body, or stops when it is too long.
func readBody(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxBody {
		return nil, errBody
	}
	return data, nil
}

var (
	errObject = errors.New("the answer is not one JSON object")
	errBody   = errors.New("the answer is longer than 64 KiB")
)
