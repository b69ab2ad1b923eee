package signature

import (
	"encoding/base64"
	"encoding/hex"
)

// Encoding is how signature bytes are written in a header.
type Encoding string

// The encodings. Hex is read in either case; Base64 is the standard alphabet
// with padding.
const (
	EncodingHex    Encoding = "hex"
	EncodingBase64 Encoding = "base64"
)

// decode reports false for an empty or unreadable text. Whether the bytes have
// the right length shows when they are compared.
func (e Encoding) decode(text string) ([]byte, bool) {
	var decoded []byte
	var err error
	switch e {
	case EncodingHex:
		decoded, err = hex.DecodeString(text)
	case EncodingBase64:
		// Strict refuses stray trailing bits. The length check refuses line
		// breaks, which the decoder would skip.
		decoded, err = base64.StdEncoding.Strict().DecodeString(text)
		if base64.StdEncoding.EncodedLen(len(decoded)) != len(text) {
			return nil, false
		}
	default:
		return nil, false
	}
	return decoded, err == nil && len(decoded) > 0
}

func (e Encoding) encode(raw []byte) string {
	if e == EncodingBase64 {
		return base64.StdEncoding.EncodeToString(raw)
	}
	return hex.EncodeToString(raw)
}
