package accounts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"latchkey/pam/enrollment"
)

// sealPurpose keeps seals of proofs apart from all else that is made with the fleet's key.
const sealPurpose = "latchkey proof of enroll 1\x00"

// seal is a proof for the host to keep. It says nothing that the host does not know, and only the
// fleet can make one. It counts as long as the proof in it does, for this host and user only.
func (s *served) seal(p enrollment.Proof) ([]byte, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return append(s.mac(text), text...), nil
}

// unseal returns the proof that seal was given. One that was made for another host or user, or by
// no service of the fleet, is none.
func (s *served) unseal(sealed []byte) (enrollment.Proof, error) {
	if len(sealed) < sha256.Size {
		return enrollment.Proof{}, enrollment.ErrRight
	}
	mac, text := sealed[:sha256.Size], sealed[sha256.Size:]
	if !hmac.Equal(mac, s.mac(text)) {
		return enrollment.Proof{}, enrollment.ErrRight
	}
	return enrollment.Unsealed(text, s.on.Clock)
}

func (s *served) mac(text []byte) []byte {
	h := hmac.New(sha256.New, s.by.Key)
	fmt.Fprintf(h, "%s%d:%s%d:%s", sealPurpose, len(s.by.Host), s.by.Host, len(s.user.Name),
		s.user.Name)
	h.Write(text)
	return h.Sum(nil)
}
