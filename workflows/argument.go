package workflows

import "encoding/json"

// argumentOf reads the argument of a signal. People write it in the Web UI too: one of another form counts as none,
// where a channel that is asked for a T would drop the signal. Decoding gives the same each time, which workflowcheck
// cannot see.
//
//workflowcheck:ignore
func argumentOf[T any](argument json.RawMessage) (value T) {
	_ = json.Unmarshal(argument, &value)
	return value
}
