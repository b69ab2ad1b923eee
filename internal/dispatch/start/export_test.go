package start

// What the tests of this package speak of.
const (
	Workers      = workers
	QueueSize    = queueSize
	StartTimeout = startTimeout
	LongestPause = longestPause
	BulkStarts   = bulkStarts
	EndPatience  = endPatience
	FirstLimit   = firstLimit
	MostUnderWay = mostUnderWay
)

// Queued returns the IDs of the inbound events that wait for their start here.
func (s *Starter) Queued() []string {
	var ids []string
	s.inbound.queued.Range(func(id, _ any) bool {
		ids = append(ids, id.(string))
		return true
	})
	return ids
}

// Limit is how many workflows of inbound events may be under way at present.
func (s *Starter) Limit() float64 {
	s.inbound.pacer.mu.Lock()
	defer s.inbound.pacer.mu.Unlock()
	return s.inbound.pacer.limit
}
