package record

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// imported returns alice's record with codes that another module printed.
func imported(codes ...string) *Record {
	r := twoDevices()
	r.Recovery = Recovery{ID: [8]byte{7}, Codes: codes}
	return r
}

func TestImportedRecoveryCodesAreReadBackAndAreNotInTheFile(t *testing.T) {
	k := secretKey(t, 1)
	r := imported("12345678", "00000000", "87654321")
	file, err := k.encode(r)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte("12345678")) || !bytes.Contains(file, []byte("sealed = ")) {
		t.Errorf("the file is\n%s", file)
	}
	got, err := k.decode(file)
	if err != nil || !reflect.DeepEqual(got.Recovery, r.Recovery) {
		t.Errorf("read %+v, %v", got, err)
	}
}

func TestMalformedImportedRecoveryCodesWithValidMACAreRefused(t *testing.T) {
	k := secretKey(t, 1)
	good := bodyOf(t, k, imported("12345678"))
	for name, text := range map[string]string{
		"of another set": strings.Replace(good, "0700000000000000",
			"0800000000000000", 1),
		"of no set": strings.Replace(good, "0700000000000000",
			"0000000000000000", 1),
		"of another user": strings.Replace(good, "alice", "bob", 1),
		"beside codes that are not": strings.Replace(good, "sealed = ",
			"codes = ['AAAA']\nsealed = ", 1),
		"beside a salt": strings.Replace(good, "sealed = ",
			"salt = 'AAAA'\nsealed = ", 1),
		"that are not base64":          strings.Replace(good, "sealed = '", "sealed = '*", 1),
		"that are a device's secret":   strings.Replace(good, "sealed = ", "sealed = 'AAAA' #", 1),
		"under an unknown name":        strings.Replace(good, "sealed = ", "seal = ", 1),
		"sealed by another host's key": bodyOf(t, secretKey(t, 2), imported("12345678")),
	} {
		if text == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := k.decode(signed(k, text)); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
}

func TestImportedRecoveryCodesOfAnotherFormAreNotWritten(t *testing.T) {
	many := make([]string, MaxRecovery+1)
	for i := range many {
		many[i] = strings.Repeat("1", 7-i%7) + strings.Repeat("2", 1+i%7)
	}
	mixed := imported("12345678")
	mixed.Recovery.Hashes = [][]byte{make([]byte, RecoveryHash)}
	salted := imported("12345678")
	salted.Recovery.Salt = make([]byte, RecoverySalt)
	nameless := imported("12345678")
	nameless.Recovery.ID = [8]byte{}
	for name, r := range map[string]*Record{
		"7 digits": imported("1234567"), "9 digits": imported("123456789"),
		"letters": imported("1234567a"), "empty": imported(""),
		"two lines": imported("1234\n678"), "twice the same": imported("12345678", "12345678"),
		"too many":      imported(many...),
		"beside hashes": mixed, "with a salt": salted, "without an id": nameless,
	} {
		if _, err := secretKey(t, 1).encode(r); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
}
