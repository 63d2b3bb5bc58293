// Package qr stands in for github.com/boombuler/barcode/qr; see the package above.
package qr

import "github.com/boombuler/barcode"

// ErrorCorrectionLevel and Encoding are the parameters of Encode.
type (
	ErrorCorrectionLevel byte
	Encoding             byte
)

// The two values that github.com/pquerna/otp names.
const (
	M    ErrorCorrectionLevel = 1
	Auto Encoding             = 0
)

// Encode refuses.
func Encode(string, ErrorCorrectionLevel, Encoding) (barcode.Barcode, error) {
	return nil, barcode.ErrNotHere
}
