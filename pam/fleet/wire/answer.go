package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"slices"

	"latchkey/pam/fleet/fleetkey"
)

// Answer signs an answer to the question with the fleet's key and seals it to the asking host. The
// answer's version and token are those of the question.
func (o *Opened) Answer(a Answer, fleet fleetkey.Signing) ([]byte, error) {
	a.Version, a.Token = Version, o.question.Token
	if err := a.check(); err != nil {
		return nil, err
	}
	inner, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	seal, err := answerSeal(o.key)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(o.request)
	signed := append(sign(fleet, answerInfo, digest[:], inner), inner...)
	body := seal.Seal(nil, nil, signed, nil)
	if len(body) > MaxMessage {
		return nil, errLong
	}
	return body, nil
}

// answerSeal puts a random nonce in front: services that answer the same question share its key.
func answerSeal(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Open returns the answer to the question if one of the fleet's keys has signed it. Every error is
// an *Error whose fault is Forged, or Protocol for one that the fleet did sign.
func (s *Sealed) Open(body []byte, fleet ...fleetkey.Public) (Answer, error) {
	inner, err := s.inner(body, fleet)
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	if err := Decode(inner, &a); err != nil {
		return Answer{}, Errorf(Protocol, "%v", err)
	}
	if err := a.check(); err != nil {
		return Answer{}, Errorf(Protocol, "%v", err)
	}
	if a.Token != s.token {
		return Answer{}, Errorf(Protocol, "the answer is to another question")
	}
	return a, nil
}

// inner returns the text of an answer once its signature is checked; nothing reads it before.
func (s *Sealed) inner(body []byte, fleet []fleetkey.Public) ([]byte, error) {
	if len(body) > MaxMessage {
		return nil, Errorf(Forged, "%v", errLong)
	}
	seal, err := answerSeal(s.key)
	if err != nil {
		return nil, Errorf(Internal, "%v", err)
	}
	signed, err := seal.Open(nil, nil, body, nil)
	if err != nil || len(signed) < ed25519.SignatureSize {
		return nil, Errorf(Forged, "the answer is not sealed for this question")
	}
	signature, inner := signed[:ed25519.SignatureSize], signed[ed25519.SignatureSize:]
	digest := sha256.Sum256(s.Request)
	message := bound(answerInfo, digest[:], inner)
	genuine := func(k fleetkey.Public) bool { return k.Verifies(message, signature) }
	if !slices.ContainsFunc(fleet, genuine) {
		return nil, Errorf(Forged, "the answer is signed by no key of the fleet (verify_key)")
	}
	return inner, nil
}
