package first

// What the tests of this package speak of.
const (
	Room        = room
	AttemptSize = attemptSize
	ExtendEvery = extendEvery
)
