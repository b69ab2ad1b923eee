package app

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// byteSize is a number of bytes. As text it has a unit, such as 5MiB or 25MB; without one it counts bytes.
type byteSize int64

// byteUnits are the units, the longest first.
var byteUnits = []struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// UnmarshalText reads a size from a flag or an environment variable.
func (s *byteSize) UnmarshalText(text []byte) error {
	for _, unit := range byteUnits {
		number, ok := strings.CutSuffix(string(text), unit.name)
		if !ok {
			continue
		}
		count, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || count < 0 || count > math.MaxInt64/unit.bytes {
			break
		}
		*s = byteSize(count * unit.bytes)
		return nil
	}
	return errors.New("expected a size such as 5MiB, 25MB or a number of bytes")
}

// String writes what UnmarshalText reads.
func (s byteSize) String() string {
	for _, unit := range byteUnits[:3] {
		if count := int64(s) / unit.bytes; count > 0 && count < 1<<10 && int64(s)%unit.bytes == 0 {
			return strconv.FormatInt(count, 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}
