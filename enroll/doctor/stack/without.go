package stack

import "slices"

// CountOn are the services below root in which other lines count on those of the needs: without
// them a right password would not be enough any more, or a wrong one would. A jump that lands
// elsewhere does that.
func CountOn(root string, needs []Need) []string {
	var names []string
	for _, name := range Services(root) {
		s, err := Read(root, name)
		if err != nil {
			continue
		}
		after := s.without(needs)
		if len(after.Auth) == len(s.Auth) || len(after.Auth) == 0 {
			continue
		}
		if passable, asks := after.AsksPassword(); !passable || !asks {
			names = append(names, name)
		}
	}
	return names
}

func (s *Service) without(needs []Need) *Service {
	gone := func(l *Line) bool {
		return slices.ContainsFunc(needs, func(n Need) bool {
			return n.File == l.File &&
				n.From <= l.Number && l.Number <= n.To
		})
	}
	return &Service{Name: s.Name, Auth: slices.DeleteFunc(slices.Clone(s.Auth), gone)}
}
