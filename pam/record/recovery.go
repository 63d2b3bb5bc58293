package record

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"latchkey/pam/state"
)

// encodeRecovery returns the recovery codes of r as written; nil if there are none.
func (k *key) encodeRecovery(r *Record) *recovery {
	set := &r.Recovery
	if set.Len() == 0 {
		return nil
	}
	out := &recovery{ID: hex.EncodeToString(set.ID[:])}
	if len(set.Codes) > 0 {
		codes := []byte(strings.Join(set.Codes, "\n"))
		out.Sealed = base64.StdEncoding.EncodeToString(
			k.seal.Seal(nil, nil, codes, r.recoveryBinding()))
		return out
	}
	out.Salt = base64.StdEncoding.EncodeToString(set.Salt)
	for _, h := range set.Hashes {
		out.Codes = append(out.Codes, base64.StdEncoding.EncodeToString(h))
	}
	return out
}

// decodeRecovery reads recovery codes into r and reports whether it could. Record.check checks
// what they say.
func (k *key) decodeRecovery(r *Record, in *recovery) bool {
	if in == nil {
		return true
	}
	set := &r.Recovery
	if !unhex(set.ID[:], in.ID) || set.ID == (state.SetID{}) {
		return false
	}
	if in.Sealed != "" {
		return in.Salt == "" && len(in.Codes) == 0 && k.openImported(r, in.Sealed)
	}
	var err error
	if set.Salt, err = base64.StdEncoding.DecodeString(in.Salt); err != nil {
		return false
	}
	for _, c := range in.Codes {
		h, err := base64.StdEncoding.DecodeString(c)
		if err != nil {
			return false
		}
		set.Hashes = append(set.Hashes, h)
	}
	return true
}

// openImported opens codes that were sealed for this user and this set, and no others.
func (k *key) openImported(r *Record, sealed string) bool {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return false
	}
	codes, err := k.seal.Open(nil, nil, raw, r.recoveryBinding())
	r.Recovery.Codes = strings.Split(string(codes), "\n")
	return err == nil
}

// recoveryBinding returns the associated data of sealed recovery codes, which differs from that of
// every device and of every other user and set.
func (r *Record) recoveryBinding() []byte {
	return append([]byte("recovery\x00"), r.binding(state.DeviceID(r.Recovery.ID))...)
}
