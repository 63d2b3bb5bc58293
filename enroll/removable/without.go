package removable

import (
	"slices"

	"latchkey/enroll/doctor/stack"
	"latchkey/enroll/doctor/stack/pamd"
)

// countOn are the services below root in which other lines count on those of the needs: without
// them a right password would not be enough any more, or a wrong one would. A jump that lands
// elsewhere does that.
func countOn(root string, needs []need) []string {
	var all []string
	for _, name := range pamd.Services(root) {
		s, err := stack.Read(root, name)
		if err != nil {
			continue
		}
		after := without(s, needs)
		if len(after.Auth) == len(s.Auth) || len(after.Auth) == 0 {
			continue
		}
		if passes, asks := after.AsksPassword(); !passes || !asks {
			all = append(all, name)
		}
	}
	return all
}

func without(s *stack.Service, needs []need) *stack.Service {
	gone := func(l *stack.Line) bool {
		return slices.ContainsFunc(needs, func(n need) bool {
			return n.file == l.File &&
				n.from <= l.Number && l.Number <= n.to
		})
	}
	return &stack.Service{Name: s.Name, Auth: slices.DeleteFunc(slices.Clone(s.Auth), gone)}
}
