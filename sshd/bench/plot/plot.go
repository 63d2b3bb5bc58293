// Package plot draws what a benchmark has measured: one SVG without fonts, scripts or anything else
// from elsewhere, on a card of its own, so that it can be read on a light and on a dark page.
package plot

import (
	"fmt"
	"html"
	"strings"

	"latchkey/sshd/bench/figures"
)

// The size of the drawing.
const (
	width  = 960.0
	height = 740.0
)

// style has the colors of light and dark pages. Those of the stacks can be told apart by people who
// are color-blind, and each stack has its place and shape, too.
const style = `
text { font-family: -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif;
 fill: #1f2328 }
.title { font-size: 19px; font-weight: 600 } .head { font-size: 15px; font-weight: 600 }
.label { font-size: 13px; font-weight: 600 } .value { font-size: 12px } .small { font-size: 12px }
.small { fill: #59636e } .end { text-anchor: end } .middle { text-anchor: middle }
.card { fill: #ffffff; stroke: #d1d9e0 } .grid { stroke: #d1d9e0 }
.spread { stroke: #1f2328; stroke-width: 1.5 } .way { fill: none; stroke-width: 2 }
.s0 { fill: #8c959f } .s1 { fill: #0072b2 } .s2 { fill: #d55e00 } .s3 { fill: #009e73 }
.w0 { stroke: #8c959f } .w1 { stroke: #0072b2 } .w2 { stroke: #d55e00 } .w3 { stroke: #009e73 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .small { fill: #9198a1 } .card { fill: #0d1117; stroke: #3d444d }
.grid { stroke: #3d444d } .spread { stroke: #f0f6fc }
.s0 { fill: #848d97 } .s1 { fill: #4aa8e0 } .s2 { fill: #f0833a } .s3 { fill: #2fc79a }
.w0 { stroke: #848d97 } .w1 { stroke: #4aa8e0 } .w2 { stroke: #f0833a } .w3 { stroke: #2fc79a }
}
`

// SVG draws a run.
func SVG(r *figures.Run) string {
	c := &canvas{}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" `+
		`aria-labelledby="title desc">`+"\n<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n"+
		"<style>%s</style>\n", coord(width), coord(height), heading,
		html.EscapeString(describe(r)), style)
	fmt.Fprintf(c, `<rect x="0.5" y="0.5" width="%s" height="%s" rx="10" class="card"/>`+"\n",
		coord(width-1), coord(height-1))
	c.text(28, 38, "title start", heading)
	c.text(28, 60, "small start", subtitle(r.Machine))
	c.legend(28, 84)
	upper, lower := panel{c, 28, 108, 468, 398}, panel{c, 28, 424, 468, 726}
	upper.head("Whole login", "milliseconds, from the connection to the end of authentication")
	upper.bars(r, figures.Whole)
	lower.head("Logins a second", "with 1, 8 and 32 in parallel; refused ones do not count")
	lower.columns(r, figures.Rate)
	upper.left, upper.right, lower.left, lower.right = 504, 932, 504, 932
	upper.head("From the typed code to success", "milliseconds; a part of the whole login")
	upper.bars(r, figures.Code)
	lower.head("Whole login by number of users", "milliseconds; both axes by powers of ten")
	lower.lines(r, figures.Crowd)
	c.WriteString("</svg>\n")
	return c.String()
}

const heading = "SSH logins with a second factor"

func subtitle(m figures.Machine) string {
	return fmt.Sprintf("Medians, with a line from quartile to quartile. %s, %d CPUs, %s, %s",
		m.Processor, m.CPUs, m.FileSystem, m.Date.Format("2 January 2006"))
}

// legend names the stacks.
func (c *canvas) legend(x, y float64) {
	for i, s := range figures.Stacks() {
		c.mark(point{x + 5, y - 4}, i, fill(i))
		name := string(s)
		if s == figures.Unix {
			name += " alone"
		}
		c.text(x+16, y, "small start", name)
		x += 34 + 6.6*float64(len(name))
	}
}

// describe says in words what the drawing shows.
func describe(r *figures.Run) string {
	var b strings.Builder
	b.WriteString("Medians.")
	for _, f := range r.Figures {
		if f.Kind == figures.CPU || f.Kind == figures.Peak {
			continue
		}
		fmt.Fprintf(&b, " %s, %s:", f.Host, f.Label())
		for i, s := range figures.Stacks() {
			if values := f.Values[s]; len(values) > 0 {
				fmt.Fprintf(&b, "%s %s %s", map[bool]string{true: "", false: ","}[i == 0], s,
					figures.Digits(figures.Median(values)))
			}
		}
		b.WriteString(".")
	}
	return b.String()
}
