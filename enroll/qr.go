package main

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the width of the white border a reader needs, in modules (ISO/IEC 18004 asks for 4; readers make do with 2, and a
// terminal has 24 lines).
const quiet = 2

// drawQR draws text as a QR code in half blocks, two modules a character, dark on light whatever the terminal's colours are.
func drawQR(text string) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", fmt.Errorf("draw the QR code: %w", err)
	}
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString("\x1b[30;47m")
		for x := -quiet; x < code.Size+quiet; x++ {
			b.WriteString(block(code.Black(x, y), code.Black(x, y+1)))
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String(), nil
}

// block is the character for two modules above each other.
func block(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	}
	return " "
}
