package figures

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func load(t *testing.T) *Run {
	t.Helper()
	r, err := Load("../testdata/run.json")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMedianAndQuartilesAreThoseOfTheValues(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.25: 2, 0.5: 3, 0.9: 4.6, 1: 5} {
		if got := Quantile(values, q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %v: got %v, want %v", q, got, want)
		}
	}
	if got := Median([]float64{1, 2}); got != 1.5 {
		t.Errorf("median of 1 and 2: got %v", got)
	}
	if got := Median(nil); got != 0 {
		t.Errorf("median of nothing: got %v", got)
	}
}

func TestWhatSlowsARoundForBothDoesNotWidenTheInterval(t *testing.T) {
	var a, b, c []float64
	for i := range 50 {
		slow := 100 + float64(i*37%50) // from 100 to 149
		a, b, c = append(a, slow*1.02), append(b, slow), append(c, 100+float64(i*11%50))
	}
	paired, ok := Compare(a, b)
	if !ok || math.Abs(paired.Value-1.02) > 1e-9 || paired.High-paired.Low > 1e-9 {
		t.Errorf("got %+v, %v; want 1.02 and nothing around it", paired, ok)
	}
	loose, ok := Compare(a, c)
	if !ok || loose.Low > loose.Value || loose.High < loose.Value || loose.High-loose.Low < 0.02 {
		t.Errorf("got %+v, %v; want an interval around the ratio", loose, ok)
	}
	if again, _ := Compare(a, c); again != loose {
		t.Errorf("got %+v, and then %+v", loose, again)
	}
}

func TestNothingIsComparedWithWhatWasNotMeasured(t *testing.T) {
	for _, c := range [][2][]float64{{nil, {1, 2}}, {{1, 2}, nil}, {{1}, {1}}, {{1, 2}, {0, 0}}} {
		if r, ok := Compare(c[0], c[1]); ok {
			t.Errorf("%v to %v: got %+v", c[0], c[1], r)
		}
	}
}

func TestTableHasEachFigureOfTheRun(t *testing.T) {
	r := load(t)
	got := r.Markdown() + "\n" + r.Spread()
	want, err := os.ReadFile("../testdata/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, f := range r.Figures {
		if !strings.Contains(got, "| "+f.Label()+" |") {
			t.Errorf("no row of %q", f.Label())
		}
	}
}

func TestSavedRunIsTheSameWhenItIsLoaded(t *testing.T) {
	r := load(t)
	path := filepath.Join(t.TempDir(), "bench.json")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := again.Markdown(), r.Markdown(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTextIsPutBetweenTheLinesOfAPageAndNowhereElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	for page, want := range map[string]string{
		"a\n" + begin + "old\n" + end + "b\n": "a\n" + begin + "new\n" + end + "b\n",
		begin + end:                           begin + "new\n" + end,
		"a\n" + end + begin:                   "",
		"a\n" + begin:                         "",
		"a\n":                                 "",
	} {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		err := Put(path, "new\n")
		got, _ := os.ReadFile(path)
		if want == "" && (err == nil || string(got) != page) {
			t.Errorf("%q: got %q, %v; want an error and the page as it was", page, got, err)
		}
		if want != "" && (err != nil || string(got) != want) {
			t.Errorf("%q: got %q, %v; want %q", page, got, err, want)
		}
	}
}

func TestNumbersHaveThreeDigitsThatCount(t *testing.T) {
	for v, want := range map[float64]string{
		0.1234: "0.12", 2.404: "2.40", 75.24: "75.2", 152.4: "152", 1077.5: "1,078",
		1_000_000: "1,000,000",
	} {
		if got := Digits(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}
