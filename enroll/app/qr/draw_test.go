package qr

import (
	"strings"
	"testing"
)

// read is a drawing back as modules; inked tells what the terminal would show in its foreground
// color.
func read(drawing string, s Style) (inked [][]bool) {
	for _, line := range strings.Split(strings.TrimSuffix(drawing, "\n"), "\n") {
		cells := []rune(line)
		if s == ASCII {
			row := make([]bool, len(cells)/2)
			for x := range row {
				row[x] = cells[2*x] != ' ' && cells[2*x+1] != ' '
			}
			inked = append(inked, row)
			continue
		}
		upper, lower := make([]bool, len(cells)), make([]bool, len(cells))
		for x, c := range cells {
			upper[x], lower[x] = c == '█' || c == '▀', c == '█' || c == '▄'
		}
		inked = append(inked, upper, lower)
	}
	return inked
}

func TestADrawingShowsEveryModuleAndTheBorderInEachStyle(t *testing.T) {
	code, err := Encode("otpauth://totp/web1:alice?issuer=web1&secret=" + secret160)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Style{Blocks, ASCII} {
		for _, light := range []bool{false, true} {
			drawing := code.Draw(s, light)
			columns, rows := code.Size(s)
			lines := strings.SplitAfter(drawing, "\n")
			if got := len(lines) - 1; got != rows || lines[rows] != "" {
				t.Errorf("style %d: %d lines, Size says %d", s, got, rows)
			}
			for _, line := range lines[:rows] {
				if got := len([]rune(line)) - 1; got != columns {
					t.Errorf("style %d: %d columns, Size says %d", s, got, columns)
				}
			}
			if strings.ContainsAny(drawing, "\x1b\r\t") {
				t.Errorf("style %d: control characters in %q", s, drawing)
			}
			same(t, code, read(drawing, s), light)
		}
	}
}

func same(t *testing.T, code *Code, inked [][]bool, light bool) {
	t.Helper()
	for y, row := range inked {
		for x := range row {
			if black := code.grid.Black(x-quiet, y-quiet); (row[x] == light) != black {
				t.Fatalf("light %v: module %d, %d of the drawing: inked %v, black %v", light, x,
					y, row[x], black)
			}
		}
	}
}

func TestADrawingInASCIIHasNothingElse(t *testing.T) {
	code, err := Encode(secret160)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range code.Draw(ASCII, false) {
		if c > '~' {
			t.Fatalf("%q is no ASCII", c)
		}
	}
}
