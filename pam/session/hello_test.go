package session

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"latchkey/pam/flow"
)

func FuzzParseHello(f *testing.F) {
	f.Add("user=alice\x00name=alice\x00uid=1000\x00service=sshd\x00rhost=192.0.2.7\x00" +
		"auth_info=\x00arg=debug\x00arg=conf=/x\x00")
	f.Add("user=\x00name=\x00uid=none\x00service=\x00rhost=\x00auth_info=\x00")
	f.Add("user=x\x00name=\x00uid=error\x00service=\x00rhost=\x00" +
		"auth_info=password\npublickey x\n\x00")
	f.Add("user=x\x00name=x\x00uid=7\x00service=sshd\x00rhost=\x00auth_info=\x00" +
		"own=1\x00sshd=1\x00")
	f.Add("user=x\x00name=x\x00uid=1\x00service=vpn\x00rhost=\x00auth_info=\x00" +
		"typed=aa99\x00kept=1\x00arg=split\x00")
	f.Fuzz(func(t *testing.T, fields string) {
		r, err := parseHello(split(fields))
		if err != nil {
			return
		}
		again, err := parseHello(split(written(r)))
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%q: read %+v, then %+v, %v", fields, r, again, err)
		}
	})
}

func split(fields string) []string {
	return append([]string{wireVersion},
		strings.Split(strings.TrimSuffix(fields, "\x00"), "\x00")...)
}

// written returns r as the fields in which the gate would send it.
func written(r flow.Request) string {
	found := map[flow.Lookup]string{
		flow.LookupFailed: "error",
		flow.NoSuchUser:   "none",
		flow.Found:        fmt.Sprint(r.UID),
	}[r.Lookup]
	fields := []string{
		"user=" + r.User, "name=" + r.Name, "uid=" + found, "service=" + r.Service,
		"rhost=" + r.From, "auth_info=" + r.AuthInfo,
	}
	for key, set := range map[string]bool{"own": r.ByEnroll, "sshd": r.BySSHD, "kept": r.Kept} {
		if set {
			fields = append(fields, key+"=1")
		}
	}
	if r.Typed != nil {
		fields = append(fields, "typed="+*r.Typed)
	}
	for _, arg := range r.Args {
		fields = append(fields, "arg="+arg)
	}
	return strings.Join(fields, "\x00") + "\x00"
}
