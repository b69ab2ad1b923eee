package models

import (
	"encoding/binary"
	"math"
	"time"
)

// Statistics are what happened in an hour to a subject: a webhook, an owner, or everything when it is empty. Event is a
// type of events, or empty for all types. Tests do not count.
type Statistics struct {
	Subject string    `gorm:"primaryKey"`
	Event   string    `gorm:"primaryKey"`
	Hour    time.Time `gorm:"primaryKey"`
	Tally   `gorm:"embedded"`
	// PackedLatency and PackedDuration are the histograms as they are stored.
	PackedLatency  []byte `gorm:"column:latency"`
	PackedDuration []byte `gorm:"column:duration"`
}

// Tally counts. Every count is of facts that do not change later, so that an hour is counted once.
type Tally struct {
	// Published counts events; of a webhook, those that went to it.
	Published int64
	// Delivered counts deliveries that reached their receiver for the first time, GivenUp those that were given up.
	Delivered, GivenUp int64
	// Attempts counts attempts that began, and Failed those of them that failed.
	Attempts, Failed int64
	// Latency is the time from publishing to the receiver's answer of what was delivered, Duration that of each attempt.
	Latency  Histogram `gorm:"-"`
	Duration Histogram `gorm:"-"`
}

// Add adds what another tally counted.
func (t *Tally) Add(other Tally) {
	t.Published += other.Published
	t.Delivered += other.Delivered
	t.GivenUp += other.GivenUp
	t.Attempts += other.Attempts
	t.Failed += other.Failed
	t.Latency.Add(other.Latency)
	t.Duration.Add(other.Duration)
}

// Histogram counts times by how long they are, in buckets: each reaches a tenth further than the one before, so that what
// it tells is within 5 % of the truth, rounded to milliseconds. Two can be added. The zero value is empty.
type Histogram []int64

const histogramGrowth = 1.1

// maxBucket is the last bucket: for times of more than ten thousand years.
const maxBucket = 350

// Count adds a time.
func (h *Histogram) Count(took time.Duration) { h.add(bucketOf(took.Milliseconds()), 1) }

func bucketOf(ms int64) int {
	if ms <= 0 {
		return 0
	}
	return 1 + int(math.Ceil(math.Log(float64(ms))/math.Log(histogramGrowth)-1e-9))
}

// msOf is the time that stands for a bucket: as far from its lower as from its upper end, in relation.
func msOf(bucket int) int64 {
	if bucket == 0 {
		return 0
	}
	return int64(math.Round(2 * math.Pow(histogramGrowth, float64(bucket-1)) / (1 + histogramGrowth)))
}

func (h *Histogram) add(bucket int, n int64) {
	for len(*h) <= bucket {
		*h = append(*h, 0)
	}
	(*h)[bucket] += n
}

// Add adds what another histogram counted.
func (h *Histogram) Add(other Histogram) {
	for bucket, n := range other {
		if n > 0 {
			h.add(bucket, n)
		}
	}
}

// Quantile is the time in milliseconds that a share of the times, from 0 to 1, does not exceed; false when there are none.
func (h Histogram) Quantile(share float64) (int64, bool) {
	var all, seen int64
	for _, n := range h {
		all += n
	}
	rank := max(1, int64(math.Ceil(share*float64(all))))
	for bucket, n := range h {
		if seen += n; seen >= rank {
			return msOf(bucket), true
		}
	}
	return 0, false
}

// Pack is the histogram in a few bytes; nil when it is empty.
func (h Histogram) Pack() (packed []byte) {
	last := 0
	for bucket, n := range h {
		if n > 0 {
			packed = binary.AppendUvarint(packed, uint64(bucket-last))
			packed = binary.AppendUvarint(packed, uint64(n))
			last = bucket
		}
	}
	return packed
}

// UnpackHistogram returns what Pack packed. What is not of that form counts nothing from there on.
func UnpackHistogram(packed []byte) (h Histogram) {
	if len(packed) == 0 {
		return nil
	}
	h = make(Histogram, 0, maxBucket+1)
	bucket := 0
	for len(packed) > 0 {
		further, n := binary.Uvarint(packed)
		count, m := binary.Uvarint(packed[max(n, 0):])
		if n <= 0 || m <= 0 || further > maxBucket || bucket+int(further) > maxBucket {
			return h
		}
		bucket += int(further)
		h.add(bucket, int64(count))
		packed = packed[n+m:]
	}
	return h
}

// StatisticsFilter says what is counted; its zero value is everything.
type StatisticsFilter struct {
	WebhookIDs, OwnerIDs, Events []string
	// From and To are whole hours.
	From, To time.Time
}

// StatisticsState is how far the hours are counted. There is one, with the ID 1.
type StatisticsState struct {
	ID           int64 `gorm:"primaryKey"`
	CountedUntil time.Time
}

// StatisticsLate is an hour of which something was recorded after it was counted.
type StatisticsLate struct {
	Hour time.Time `gorm:"primaryKey"`
}
