package accounts

// Carried is an error as it comes out of the wire.
func Carried(err error) error { return failureOf(err).err() }
