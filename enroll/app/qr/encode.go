// Package qr draws QR codes for terminals, and as pictures.
package qr

import (
	"errors"
	"fmt"
	"regexp"

	"rsc.io/qr"
	"rsc.io/qr/coding"
)

// Code is a QR code, as small as its text allows. Make it with Encode.
type Code struct{ grid *qr.Code }

// scale is the width of a module in a picture, in pixels.
const scale = 8

// Encode makes the code of an otpauth URI, or of any other text, with error correction L: a
// screen has no scratches, and a terminal has 24 lines.
func Encode(otpauth string) (*Code, error) {
	parts := segments(otpauth)
	version, err := smallest(parts)
	if err != nil {
		return nil, err
	}
	plan, err := coding.NewPlan(version, coding.L, 0)
	if err != nil {
		return nil, fmt.Errorf("encode the QR code: %w", err)
	}
	grid, err := plan.Encode(parts...)
	if err != nil {
		return nil, fmt.Errorf("encode the QR code: %w", err)
	}
	return &Code{&qr.Code{
		Bitmap: grid.Bitmap, Size: grid.Size, Stride: grid.Stride, Scale: scale,
	}}, nil
}

// capitals is a run of what alphanumeric mode can hold (ISO/IEC 18004, table 5), long enough
// that 5.5 bits a character instead of 8 outweigh the headers of two more segments. In an
// otpauth URI that is the secret.
var capitals = regexp.MustCompile(`[0-9A-Z $%*+./:-]{16,}`)

// segments cuts text into parts of the mode that is shortest for each.
func segments(text string) (parts []coding.Encoding) {
	from := 0
	for _, at := range capitals.FindAllStringIndex(text, -1) {
		if from < at[0] {
			parts = append(parts, coding.String(text[from:at[0]]))
		}
		parts = append(parts, coding.Alpha(text[at[0]:at[1]]))
		from = at[1]
	}
	if from < len(text) || from == 0 {
		parts = append(parts, coding.String(text[from:]))
	}
	return parts
}

// smallest is the smallest version of a code that has room for parts.
func smallest(parts []coding.Encoding) (coding.Version, error) {
	for v := coding.Version(coding.MinVersion); v <= coding.MaxVersion; v++ {
		bits := 0
		for _, part := range parts {
			bits += part.Bits(v)
		}
		if bits <= v.DataBytes(coding.L)*8 {
			return v, nil
		}
	}
	return 0, errors.New("too long for a QR code")
}
