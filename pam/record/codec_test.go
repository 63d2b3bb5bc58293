package record_test

import (
	"bytes"
	"reflect"
	"testing"

	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

func TestACodecReadsOnlyWhatItsOwnKeyWrote(t *testing.T) {
	codec, err := record.NewCodec(bytes.Repeat([]byte{1}, 32))
	testroot.Must(t, err)
	other, err := record.NewCodec(bytes.Repeat([]byte{2}, 32))
	testroot.Must(t, err)
	r := alice(testroot.TOTP("phone"))
	file, err := codec.Encode(r)
	testroot.Must(t, err)
	if got, err := codec.Decode(file); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("got %+v, %v; want the record", got, err)
	}
	if bytes.Contains(file, r.Devices[0].Secret) {
		t.Error("the secret stands in the encoded record")
	}
	if got, err := other.Decode(file); err == nil {
		t.Errorf("with another key: got %+v; want an error", got)
	}
	number, err := codec.NumberID("+15551234567")
	testroot.Must(t, err)
	if elsewhere, err := other.NumberID("+15551234567"); err != nil || elsewhere == number {
		t.Errorf("the number's id with another key: got %x, %v; want another", elsewhere, err)
	}
	tag, err := codec.TrustTag("text")
	testroot.Must(t, err)
	if elsewhere, err := other.TrustTag("text"); err != nil || elsewhere == tag {
		t.Errorf("the tag with another key: got %x, %v; want another", elsewhere, err)
	}
}

func TestACodecWithoutAKeyDoesNothing(t *testing.T) {
	short, err := record.NewCodec(make([]byte, 31))
	if err == nil {
		t.Error("a key of 31 bytes: got no error")
	}
	for _, codec := range []record.Codec{{}, short} {
		if file, err := codec.Encode(alice()); err == nil {
			t.Errorf("Encode: got %q; want an error", file)
		}
		if r, err := codec.Decode(nil); err == nil {
			t.Errorf("Decode: got %+v; want an error", r)
		}
		if id, err := codec.NumberID("+15551234567"); err == nil {
			t.Errorf("NumberID: got %x; want an error", id)
		}
		if tag, err := codec.TrustTag("text"); err == nil {
			t.Errorf("TrustTag: got %x; want an error", tag)
		}
	}
}
