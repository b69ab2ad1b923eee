package models

import "strings"

// MaxExternalID is in bytes.
const MaxExternalID = 128

// IsExternalID says whether a text can be the external_id of something whose own IDs begin with the prefix. It begins with
// a letter or a digit, has nothing that a path or a list separated by commas would have to escape, and cannot be taken for
// an ID.
func IsExternalID(text, prefix string) bool {
	if text == "" || len(text) > MaxExternalID || strings.HasPrefix(strings.ToLower(text), prefix) {
		return false
	}
	for i, r := range []byte(text) {
		alphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !alphanumeric && (i == 0 || !strings.ContainsRune("-_.:@+|~", rune(r))) {
			return false
		}
	}
	return true
}
