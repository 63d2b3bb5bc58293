package plot

import (
	"fmt"
	"html"
	"strings"
)

// canvas is a drawing to which elements of SVG are added. Colors come from classes, so that one
// drawing serves light and dark pages.
type canvas struct{ strings.Builder }

// rect draws a rectangle; class names its color.
func (c *canvas) rect(x, y, wide, high float64, class string) {
	fmt.Fprintf(c, `<rect x="%s" y="%s" width="%s" height="%s" class="%s"/>`+"\n", coord(x),
		coord(y), coord(wide), coord(high), class)
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(c, `<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s"/>`+"\n", coord(x1),
		coord(y1), coord(x2), coord(y2), class)
}

// text writes a line of text; class says how, and where its x is (start, middle or end).
func (c *canvas) text(x, y float64, class, text string) {
	fmt.Fprintf(c, `<text x="%s" y="%s" class="%s">%s</text>`+"\n", coord(x), coord(y), class,
		html.EscapeString(text))
}

// point is a place on the canvas.
type point struct{ x, y float64 }

// path draws a line through points.
func (c *canvas) path(points []point, class string) {
	var b strings.Builder
	for i, p := range points {
		fmt.Fprintf(&b, "%c%s %s", "ML"[min(i, 1)], coord(p.x), coord(p.y))
	}
	fmt.Fprintf(c, `<path d="%s" class="%s"/>`+"\n", b.String(), class)
}

// mark draws a stack's own shape, for those who cannot tell the colors apart.
func (c *canvas) mark(p point, i int, class string) {
	const r = 4.5
	switch i {
	case 0:
		fmt.Fprintf(c, `<circle cx="%s" cy="%s" r="%s" class="%s"/>`+"\n", coord(p.x), coord(p.y),
			coord(r), class)
	case 1:
		c.rect(p.x-r+0.5, p.y-r+0.5, 2*r-1, 2*r-1, class)
	case 2:
		c.shape(class, point{p.x, p.y - r}, point{p.x + r, p.y + r - 1}, point{p.x - r, p.y + r - 1})
	default:
		c.shape(class, point{p.x, p.y - r - 1}, point{p.x + r + 1, p.y}, point{p.x, p.y + r + 1},
			point{p.x - r - 1, p.y})
	}
}

// shape draws a filled polygon.
func (c *canvas) shape(class string, points ...point) {
	var corners []string
	for _, p := range points {
		corners = append(corners, coord(p.x)+","+coord(p.y))
	}
	fmt.Fprintf(c, `<polygon points="%s" class="%s"/>`+"\n", strings.Join(corners, " "), class)
}

// coord writes a coordinate.
func coord(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }
