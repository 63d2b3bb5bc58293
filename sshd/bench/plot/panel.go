package plot

import (
	"strconv"

	"latchkey/sshd/bench/figures"
)

// panel is a rectangle with one diagram in it.
type panel struct {
	*canvas
	left, top, right, bottom float64
}

// head writes what the panel shows, and in which unit.
func (p panel) head(title, unit string) {
	p.text(p.left, p.top+14, "head start", title)
	p.text(p.left, p.top+31, "small start", unit)
}

// fill is the color of a stack.
func fill(i int) string { return "s" + strconv.Itoa(i) }

// bars draws a bar for each host and stack, from zero to the median, with a line from quartile to
// quartile.
func (p panel) bars(r *figures.Run, kind figures.Kind) {
	const names, values, thick, gap = 150, 46, 15, 6
	all, most := collect(r, kind)
	x := linear(most, p.left+names, p.right-values)
	y := p.top + 46
	bottom := y
	for _, f := range all {
		bottom += 20 + float64(present(f))*(thick+gap) + 8
	}
	p.verticals(x, y, bottom)
	for _, f := range all {
		p.text(p.left, y+13, "label start", f.Host)
		y += 20
		for i, s := range figures.Stacks() {
			if len(f.Values[s]) == 0 {
				continue
			}
			p.text(p.left+names-8, y+12, "small end", string(s))
			p.rect(x.place(0), y, x.place(figures.Median(f.Values[s]))-x.place(0), thick, fill(i))
			p.spread(f.Values[s], func(v float64) point { return point{x.place(v), y + thick/2} })
			p.text(x.place(figures.Quantile(f.Values[s], 0.75))+6, y+12, "value start",
				figures.Digits(figures.Median(f.Values[s])))
			y += thick + gap
		}
		y += 8
	}
}

// columns draws a column for each host, number of logins in parallel, and stack.
func (p panel) columns(r *figures.Run, kind figures.Kind) {
	all, most := collect(r, kind)
	if len(all) == 0 {
		return
	}
	y := linear(most, p.bottom-40, p.top+50)
	p.horizontals(y)
	group := (p.right - p.left - 34) / float64(len(all))
	wide := group / float64(len(figures.Stacks())+1)
	for n, f := range all {
		left := p.left + 34 + float64(n)*group + wide/2
		for i, s := range figures.Stacks() {
			if len(f.Values[s]) == 0 {
				continue
			}
			x, top := left+float64(i)*wide, y.place(figures.Median(f.Values[s]))
			p.rect(x+1, top, wide-2, y.place(0)-top, fill(i))
			p.spread(f.Values[s], func(v float64) point { return point{x + wide/2, y.place(v)} })
		}
		middle := left + wide*float64(len(figures.Stacks()))/2
		p.text(middle, p.bottom-24, "small middle", strconv.Itoa(f.At))
		if n+1 == len(all) || all[n+1].Host != f.Host {
			p.host(all, n, group)
		}
	}
}

// host writes a host's name below its columns, of which the last is number n.
func (p panel) host(all []*figures.Figure, n int, group float64) {
	first := n
	for first > 0 && all[first-1].Host == all[n].Host {
		first--
	}
	middle := p.left + 34 + group*float64(first+n+1)/2
	p.text(middle, p.bottom-7, "label middle", all[n].Host)
}

// lines draws a line for each stack through its medians, by the number of users. Both scales are
// by powers of ten.
func (p panel) lines(r *figures.Run, kind figures.Kind) {
	all, most := collect(r, kind)
	if len(all) == 0 {
		return
	}
	least := most
	for _, f := range all {
		for _, values := range f.Values {
			least = min(least, figures.Median(values))
		}
	}
	x := logarithmic(float64(all[0].At), float64(all[len(all)-1].At), p.left+44, p.right-12)
	y := logarithmic(least, most, p.bottom-40, p.top+50)
	p.horizontals(y)
	for _, v := range x.ticks {
		p.line(x.place(v), y.to, x.place(v), y.from, "grid")
		p.text(x.place(v), p.bottom-24, "small middle", figures.Thousands(int(v+0.5)))
	}
	p.text((x.from+x.to)/2, p.bottom-7, "label middle", "users enrolled ("+all[0].Host+")")
	for i, s := range figures.Stacks() {
		var way []point
		for _, f := range all {
			if len(f.Values[s]) > 0 {
				way = append(way, point{x.place(float64(f.At)), y.place(figures.Median(f.Values[s]))})
			}
		}
		p.path(way, "way w"+strconv.Itoa(i))
		for _, at := range way {
			p.mark(at, i, fill(i))
		}
	}
}

// spread draws a line from quartile to quartile.
func (p panel) spread(values []float64, place func(float64) point) {
	from, to := place(figures.Quantile(values, 0.25)), place(figures.Quantile(values, 0.75))
	p.line(from.x, from.y, to.x, to.y, "spread")
}

// verticals draws a horizontal axis.
func (p panel) verticals(x scale, top, bottom float64) {
	for _, v := range x.ticks {
		p.line(x.place(v), top, x.place(v), bottom, "grid")
		p.text(x.place(v), bottom+15, "small middle", number(v))
	}
}

// horizontals draws a vertical axis.
func (p panel) horizontals(y scale) {
	for _, v := range y.ticks {
		p.line(p.left+34, y.place(v), p.right, y.place(v), "grid")
		p.text(p.left+28, y.place(v)+4, "small end", number(v))
	}
}

// number writes a round number.
func number(v float64) string {
	if v >= 1000 {
		return figures.Thousands(int(v))
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// collect returns the figures of a kind on all hosts, and the largest value to be shown.
func collect(r *figures.Run, kind figures.Kind) (all []*figures.Figure, most float64) {
	for _, h := range r.Hosts {
		all = append(all, r.Find(kind, h.Name)...)
	}
	for _, f := range all {
		for _, values := range f.Values {
			most = max(most, figures.Quantile(values, 0.75))
		}
	}
	return all, most
}

func present(f *figures.Figure) (n int) {
	for _, s := range figures.Stacks() {
		if len(f.Values[s]) > 0 {
			n++
		}
	}
	return n
}
