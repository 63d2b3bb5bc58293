package qr

// PNG is the code as a black and white picture, with the border of 4 modules that ISO/IEC 18004
// asks for and 8 pixels a module.
func (c *Code) PNG() ([]byte, error) { return c.grid.PNG(), nil }
