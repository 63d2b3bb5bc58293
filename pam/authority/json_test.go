package authority_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/field"
	"latchkey/pam/record"
	"latchkey/pam/sshkey"
	"latchkey/pam/testroot"
)

// data are all that goes over a wire, as zero values.
var data = []any{
	authority.Login{}, authority.Beginning{}, authority.Guess{}, authority.Guessed{},
	authority.Send{}, authority.Sent{}, authority.Trust{}, authority.Fault(""), record.User{},
	field.Codes{},
}

func TestDataComesThroughJSONUnchanged(t *testing.T) {
	key, err := sshkey.Parse(testroot.Line(t, testroot.SecurityKey(t, "yubikey")))
	testroot.Must(t, err)
	for _, zero := range data {
		unchanged(t, zero)
		full := reflect.New(reflect.TypeOf(zero)).Elem()
		fill(t, full, key, 1)
		unchanged(t, full.Interface())
		for _, path := range zeros(full, "") {
			t.Errorf("%T%s: the test has left it empty", zero, path)
		}
	}
}

func unchanged(t *testing.T, sent any) {
	t.Helper()
	text, err := json.Marshal(sent)
	testroot.Must(t, err)
	received := reflect.New(reflect.TypeOf(sent))
	testroot.Must(t, json.Unmarshal(text, received.Interface()))
	if got := received.Elem().Interface(); !reflect.DeepEqual(got, sent) {
		t.Errorf("%T: got %+v, want %+v, from %s", sent, got, sent, text)
	}
}

// whole are values that have nothing to be filled in one by one.
func whole(key sshkey.Key, n int) []any {
	return []any{
		key, netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", n)),
		time.Date(2027, 1, 31, 12, 0, n, n, time.UTC),
	}
}

// fill makes no part of a value zero. A part that is not exported would be lost, so there must be
// none.
func fill(t *testing.T, v reflect.Value, key sshkey.Key, n int) {
	for _, w := range whole(key, n) {
		if v.Type() == reflect.TypeOf(w) {
			v.Set(reflect.ValueOf(w))
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if kept(v.Type().Field(i)) {
				continue
			}
			if !v.Type().Field(i).IsExported() {
				t.Errorf("%s.%s is lost in JSON", v.Type(), v.Type().Field(i).Name)
				continue
			}
			fill(t, v.Field(i), key, n+i+1)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), key, n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0), key, n)
		fill(t, v.Index(1), key, n+1)
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), key, n+i)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("ü\x00\"<%d", n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(-n))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(n))
	default:
		t.Errorf("%s is no plain data", v.Type())
	}
}

// kept reports whether a part is the host's own to set: no service's word for it counts.
func kept(f reflect.StructField) bool { return f.Tag.Get("json") == "-" }

// zeros are the paths of parts that are zero.
func zeros(v reflect.Value, path string) (found []string) {
	if v.Kind() != reflect.Struct || v.NumField() == 0 || !v.Type().Field(0).IsExported() {
		if v.IsZero() {
			return []string{path}
		}
		return nil
	}
	for i := range v.NumField() {
		if kept(v.Type().Field(i)) {
			continue
		}
		found = append(found, zeros(v.Field(i), path+"."+v.Type().Field(i).Name)...)
	}
	return found
}

func TestOnlyTheHostItselfSaysThatItsFleetCannotBeReached(t *testing.T) {
	var b authority.Beginning
	testroot.Must(t, json.Unmarshal([]byte(`{"Offline":true,"offline":true,"-":true}`), &b))
	if b.Offline {
		t.Error("an answer has made a login a break-glass one")
	}
}
