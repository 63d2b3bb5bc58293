// Package barcode stands in for github.com/boombuler/barcode, by a replace line in go.mod.
//
// github.com/pquerna/otp, which computes our codes, imports that module to draw QR codes. The login program draws none,
// and its tables would be built at the start of every login, as root, for nothing. So nothing here draws: enroll draws
// its QR codes with rsc.io/qr.
package barcode

import (
	"errors"
	"image"
)

// ErrNotHere is the answer to every attempt to draw.
var ErrNotHere = errors.New("barcode: latchkey draws no codes here; see pam/factor/noqr")

// Barcode is what otp.Key.Image would scale.
type Barcode interface{ image.Image }

// Scale refuses.
func Scale(Barcode, int, int) (Barcode, error) { return nil, ErrNotHere }
