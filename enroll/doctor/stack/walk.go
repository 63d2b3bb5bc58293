package stack

import "latchkey/enroll/doctor/stack/control"

// node is a position and what has been shown on the way there.
type node struct {
	position
	proved  bool // pam_latchkey returned success, or what is as good
	checked bool // a password, or a key, was right
}

// edge is one line run with one code.
type edge struct {
	from, to int // of the nodes
	line     int
	code     control.Code
}

// walk is every way through a stack: all codes that modules can return, in all combinations. Their
// number stays small, since nodes that agree in everything are one.
type walk struct {
	stack Stack
	nodes []node
	edges []edge
	// the edge by which each node was first reached: a shortest way, as nodes come in this order
	first []int
}

// explore walks. checks tells which lines check a password or a key.
func (s *Service) explore(checks func(*Line) bool) *walk {
	w := &walk{stack: s.Auth, nodes: []node{{}}, first: []int{-1}}
	known := map[node]int{{}: 0}
	for at := 0; at < len(w.nodes); at++ {
		from := w.nodes[at]
		if from.ended(s.Auth) {
			continue
		}
		for _, code := range s.choices(s.Auth[from.next], checks) {
			to := s.after(from, code, checks)
			id, seen := known[to]
			if !seen {
				id = len(w.nodes)
				known[to] = id
				w.nodes, w.first = append(w.nodes, to), append(w.first, len(w.edges))
			}
			w.edges = append(w.edges, edge{at, id, from.next, code})
		}
	}
	return w
}

// choices are the codes of a line that make a difference.
func (s *Service) choices(l *Line, checks func(*Line) bool) []control.Code {
	if l.substack {
		return []control.Code{control.Success}
	}
	type effect struct {
		do   control.Action
		code control.Code
	}
	seen := map[effect]bool{}
	var all []control.Code
	for _, c := range s.codes(l, checks(l)) {
		e := effect{l.control[c], control.AuthErr}
		if right(c) {
			e.code = c
		}
		if !seen[e] {
			seen[e] = true
			all = append(all, c)
		}
	}
	return all
}

// right: a password module says "right, but to be changed" too, and libpam's keywords take that
// for success.
func right(c control.Code) bool { return c == control.Success || c == control.NewAuthtokReqd }

func (s *Service) after(from node, code control.Code, checks func(*Line) bool) node {
	l := s.Auth[from.next]
	to := node{s.Auth.step(from.position, code), from.proved, from.checked}
	if l.substack {
		return to
	}
	proves := l.role() == factor || l.asGood()
	to.proved = to.proved || proves && code == control.Success
	to.checked = to.checked || checks(l) && right(code)
	return to
}

// leading marks the nodes from which a way leads to a node that is wanted.
func (w *walk) leading(wanted func(node) bool) []bool {
	back := make([][]int, len(w.nodes))
	for _, e := range w.edges {
		back[e.to] = append(back[e.to], e.from)
	}
	marked := make([]bool, len(w.nodes))
	var open []int
	mark := func(id int) {
		if !marked[id] {
			marked[id] = true
			open = append(open, id)
		}
	}
	for id, n := range w.nodes {
		if wanted(n) {
			mark(id)
		}
	}
	for len(open) > 0 {
		id := open[len(open)-1]
		open = open[:len(open)-1]
		for _, from := range back[id] {
			mark(from)
		}
	}
	return marked
}

// way is a shortest way from the beginning to a node, the last edge first.
func (w *walk) way(id int) []edge {
	var all []edge
	for w.first[id] >= 0 {
		e := w.edges[w.first[id]]
		all, id = append(all, e), e.from
	}
	return all
}
