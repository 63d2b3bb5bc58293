package terminal

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os/exec"
	"regexp"
	"strings"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Screen is a terminal's window as it looks to a person who points a phone at it.
type Screen struct {
	Columns, Rows int  // of the window; lines that do not fit have scrolled out at the top
	Light         bool // black on white instead of white on black
}

// cell is a character on the screen with its colors.
type cell struct {
	r      rune
	fg, bg color.Color
}

var palette = map[string]color.Color{"0": color.Black, "7": color.Gray{0xbb}}

// sequence is an escape sequence that sets colors, or any other.
var sequence = regexp.MustCompile(`^\x1b\[([0-9;]*)([A-Za-z])`)

// lines lays out what was written to the terminal, which may move to the beginning of a line, to
// the next, and set colors.
func (s Screen) lines(written string) (lines [][]cell) {
	fg, bg := s.colours()
	usualFg, usualBg := fg, bg
	line := []cell{}
	for len(written) > 0 {
		if m := sequence.FindStringSubmatch(written); m != nil {
			for _, p := range strings.Split(m[1], ";") {
				switch {
				case m[2] != "m":
				case p == "0" || p == "":
					fg, bg = usualFg, usualBg
				case strings.HasPrefix(p, "3"):
					fg = palette[p[1:]]
				case strings.HasPrefix(p, "4"):
					bg = palette[p[1:]]
				}
			}
			written = written[len(m[0]):]
			continue
		}
		r := []rune(written[:min(4, len(written))])[0]
		written = written[len(string(r)):]
		switch {
		case r == '\n':
			lines, line = append(lines, line), []cell{}
		case r >= ' ':
			if len(line) == s.Columns {
				lines, line = append(lines, line), []cell{}
			}
			line = append(line, cell{r, fg, bg})
		}
	}
	lines = append(lines, line)
	return lines[max(0, len(lines)-s.Rows):]
}

func (s Screen) colours() (fg, bg color.Color) {
	if s.Light {
		return color.Black, color.White
	}
	return color.White, color.Black
}

// Picture renders what was written to the terminal in a fixed-width font.
func (s Screen) Picture(written string) (image.Image, error) {
	parsed, err := opentype.Parse(gomono.TTF)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 20, DPI: 72})
	if err != nil {
		return nil, err
	}
	defer face.Close()
	advance, _ := face.GlyphAdvance('M')
	width, metrics := advance.Round(), face.Metrics()
	height := (metrics.Ascent + metrics.Descent).Round()
	picture := image.NewRGBA(image.Rect(0, 0, width*s.Columns, height*s.Rows))
	_, background := s.colours()
	draw.Draw(picture, picture.Bounds(), image.NewUniform(background), image.Point{}, draw.Src)
	for y, line := range s.lines(written) {
		for x, c := range line {
			at := image.Rect(x*width, y*height, (x+1)*width, (y+1)*height)
			draw.Draw(picture, at, image.NewUniform(c.bg), image.Point{}, draw.Src)
			pen := font.Drawer{Dst: picture, Src: image.NewUniform(c.fg), Face: face,
				Dot: fixed.P(at.Min.X, at.Min.Y).Add(fixed.Point26_6{Y: metrics.Ascent})}
			pen.DrawString(string(c.r))
		}
	}
	return picture, nil
}

// farthest is how many times smaller a phone sees the screen at the greatest distance from which a
// code can still be read.
const farthest = 12

// Scan has zbar, a decoder that is not ours, read the QR code on the screen, from nearby at first
// and then from farther away, as people hold a phone: characters that do not fill their cells are
// grey from there.
func (s Screen) Scan(written string) (text string, err error) {
	near, err := s.Picture(written)
	if err != nil {
		return "", err
	}
	for distance := 1; distance <= farthest; distance++ {
		far := image.NewGray(
			image.Rect(0, 0, near.Bounds().Dx()/distance, near.Bounds().Dy()/distance))
		xdraw.BiLinear.Scale(far, far.Bounds(), near, near.Bounds(), draw.Src, nil)
		var file bytes.Buffer
		if err := png.Encode(&file, far); err != nil {
			return "", err
		}
		if text, err = ScanPNG(file.Bytes()); err == nil {
			return text, nil
		}
	}
	return "", err
}

// ScanPNG has zbar read the QR code in a picture.
func ScanPNG(picture []byte) (string, error) {
	cmd := exec.Command("zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "PNG:-")
	cmd.Stdin = bytes.NewReader(picture)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("zbarimg finds no QR code: %w", err)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
