package eventschema

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Numbers are compared exactly, digit by digit: 1e999999999 would have a billion. Longer ones than these are refused.
const (
	maxDigits   = 400
	maxExponent = 400
)

// findHuge returns where a number is that is too long to be compared.
func findHuge(value any, at []string) ([]string, bool) {
	switch value := value.(type) {
	case json.Number:
		return at, isHuge(string(value))
	case map[string]any:
		for name, member := range value {
			if found, ok := findHuge(member, append(at, name)); ok {
				return found, true
			}
		}
	case []any:
		for i, item := range value {
			if number, ok := item.(json.Number); ok && !isHuge(string(number)) {
				continue // most lists that are long have numbers
			}
			if found, ok := findHuge(item, append(at, strconv.Itoa(i))); ok {
				return found, true
			}
		}
	}
	return nil, false
}

func isHuge(number string) bool {
	digits, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	if len(digits) > maxDigits || len(exponent) > len("-400") {
		return true
	}
	size, err := strconv.Atoi(exponent)
	return exponent != "" && (err != nil || size > maxExponent || size < -maxExponent)
}
