package record

import (
	"errors"
	"fmt"
)

// ErrLabel says that a user has a device with this label already.
var ErrLabel = errors.New("there is a device with this label already")

// LabelTaken is an ErrLabel with the label.
type LabelTaken string

func (l LabelTaken) Error() string { return fmt.Sprintf("there is a device %q already", string(l)) }

// Is reports that it is an ErrLabel.
func (LabelTaken) Is(target error) bool { return target == ErrLabel }
