package main

import (
	"strings"
	"testing"
)

func TestExactlyOneObjectIsAnAnswer(t *testing.T) {
	for _, text := range []string{`{}`, `{"a":1,"b":{"a":2,"a":3}}`, " {\"a\":[1,2]}\r\n",
		`{"a":"}"}`} {
		if err := checkObject([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "space": " ", "null": "null", "a number": "1", "a string": `"{}"`,
		"a list": "[{}]", "half": `{"a":1`,
		"two objects": "{}{}", "an object and junk": "{}x", "a NUL behind it": "{}\x00",
		"a comment": "{}//", "a trailing comma": `{"a":1,}`,
		"a name twice": `{"a":1,"a":1}`, "a name twice in two cases": `{"sid":1,"SID":1}`,
		"a name twice by escape":    `{"sid":1,"s\u0069d":1}`,
		"a name with a long s":      `{"sid":1,"ſid":1}`,
		"a name with a Kelvin sign": `{"k":1,"\u212a":1}`,
		"invalid UTF-8":             "{\"a\":\"\xff\"}", "UTF-16": "{\x00}\x00",
		"a byte order mark":     "\xef\xbb\xbf{}",
		"deeper than JSON goes": strings.Repeat(`{"a":`, 20000),
	} {
		if checkObject([]byte(text)) == nil {
			t.Errorf("%s is an answer", name)
		}
	}
}

func FuzzObject(f *testing.F) {
	f.Add([]byte(`{"sid":"VE","status":"approved","lookup":{"carrier":null},` +
		`"send_code_attempts":[{"time":1}]}`))
	f.Add([]byte(`{"a":1,"A":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if checkObject(data) == nil && (len(data) < 2 ||
			strings.Trim(string(data), " \t\r\n")[0] != '{') {
			t.Errorf("%q is an object", data)
		}
	})
}

func TestBodyOfMoreThan64KiBIsTooLong(t *testing.T) {
	if data, err := readBody(strings.NewReader(strings.Repeat(" ", maxBody))); err != nil ||
		len(data) != maxBody {
		t.Errorf("64 KiB: %d bytes, %v", len(data), err)
	}
	r := strings.NewReader(strings.Repeat(" ", 2*maxBody))
	if _, err := readBody(r); err != errBody || r.Len() < maxBody-1 {
		t.Errorf("128 KiB: %d bytes left unread, %v", r.Len(), err)
	}
}
