package plot

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"testing"

	"latchkey/sshd/bench/figures"
)

func load(t *testing.T) *figures.Run {
	t.Helper()
	r, err := figures.Load("../testdata/run.json")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// elements reads a drawing, and returns its elements and all text in it.
func elements(t *testing.T, svg string) (all []xml.StartElement, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all, text
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			all = append(all, token)
		case xml.CharData:
			text += string(token) + "\n"
		}
	}
}

func TestDrawingSaysWhatItShowsAndNeedsNothingElse(t *testing.T) {
	svg := SVG(load(t))
	all, text := elements(t, svg)
	for _, want := range []string{
		heading, "Whole login", "From the typed code to success", "Logins a second",
		"Whole login by number of users", "milliseconds", "Debian 12", "Debian 13",
		"pam_unix alone", "google-authenticator", "pam_oath", "latchkey", "A Processor", "1,000,000",
		"Debian 13, whole login, 1,000,000 users enrolled, ms: pam_unix",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the drawing", want)
		}
	}
	for _, e := range all {
		for _, a := range e.Attr {
			if strings.Contains(a.Name.Local, "href") || e.Name.Local == "script" {
				t.Errorf("%s has %s=%q", e.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
	for _, outside := range []string{"@import", "url(", "font-face"} {
		if strings.Contains(svg, outside) {
			t.Errorf("the drawing has %q", outside)
		}
	}
}

func TestEverythingIsOnTheCard(t *testing.T) {
	all, _ := elements(t, SVG(load(t)))
	most := map[string]float64{"x": width, "x1": width, "x2": width, "cx": width, "width": width,
		"y": height, "y1": height, "y2": height, "cy": height, "height": height}
	drawn := 0
	for _, e := range all {
		for _, a := range e.Attr {
			limit, known := most[a.Name.Local]
			if !known {
				continue
			}
			v, err := strconv.ParseFloat(a.Value, 64)
			if err != nil || v < 0 || v > limit {
				t.Errorf("%s: %s=%q", e.Name.Local, a.Name.Local, a.Value)
			}
			drawn++
		}
	}
	if drawn < 500 {
		t.Errorf("only %d coordinates were drawn", drawn)
	}
}

func TestBarIsAsLongAsItsMedian(t *testing.T) {
	r := &figures.Run{Hosts: []figures.Host{{Name: "Debian 13"}}}
	f := r.Add(figures.Whole, "Debian 13", 0)
	f.Values[figures.Google] = []float64{20, 20}
	f.Values[figures.Latchkey] = []float64{40, 40}
	var bars []float64
	all, _ := elements(t, SVG(r))
	for _, e := range all {
		attributes := map[string]string{}
		for _, a := range e.Attr {
			attributes[a.Name.Local] = a.Value
		}
		if e.Name.Local == "rect" && attributes["height"] == "15" {
			long, _ := strconv.ParseFloat(attributes["width"], 64)
			bars = append(bars, long)
		}
	}
	if len(bars) != 2 || bars[0] == 0 || bars[1] != 2*bars[0] {
		t.Errorf("got bars of %v, want two, the second twice as long", bars)
	}
}

func TestScalesReachFromTheFirstTickToTheLast(t *testing.T) {
	for most, want := range map[float64]float64{0.7: 0.8, 1: 1, 76: 80, 101: 125, 202: 250, 0: 1} {
		if got := linear(most, 0, 100); got.high < most || got.high > want {
			t.Errorf("up to %v: got a scale to %v, want at most %v", most, got.high, want)
		}
	}
	s := logarithmic(10, 1_000_000, 0, 500)
	for v, want := range map[float64]float64{10: 0, 1000: 200, 1_000_000: 500} {
		if got := s.place(v); got < want-1e-6 || got > want+1e-6 {
			t.Errorf("%v: got place %v, want %v", v, got, want)
		}
	}
	if s := logarithmic(71, 2900, 0, 1); s.low != 10 || s.high != 10_000 {
		t.Errorf("got a scale from %v to %v", s.low, s.high)
	}
}

func TestRunWithoutFiguresCanBeDrawn(t *testing.T) {
	elements(t, SVG(&figures.Run{}))
}
