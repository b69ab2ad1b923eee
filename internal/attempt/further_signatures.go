package attempt

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // some receivers verify nothing newer, and HMAC-SHA1 is not broken
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// addSignatures sets the headers of a webhook's further signatures, which its own headers do not replace.
func addSignatures(header http.Header, signatures []models.FurtherSignature, id string, at time.Time, body []byte) {
	if len(signatures) == 0 {
		return
	}
	unix := strconv.FormatInt(at.Unix(), 10)
	filled := strings.NewReplacer(models.TokenTimestamp, unix, models.TokenID, id)
	for _, s := range signatures {
		header.Set(s.Header, filled.Replace(s.Prefix)+furtherSignature(s, filled, body))
		if s.TimestampHeader != "" {
			header.Set(s.TimestampHeader, unix)
		}
		if s.IDHeader != "" {
			header.Set(s.IDHeader, id)
		}
	}
}

// furtherSignature is the HMAC of what is to be signed, whose parts are hashed one after the other: a body may be large.
func furtherSignature(s models.FurtherSignature, filled *strings.Replacer, body []byte) string {
	key, _ := s.Key() // it was checked when it was set
	mac := hmac.New(hashOf(s.Hash), key)
	signed := s.Signed
	if signed == "" {
		signed = models.TokenBody
	}
	for i, part := range strings.Split(signed, models.TokenBody) {
		if i > 0 {
			mac.Write(body)
		}
		mac.Write([]byte(filled.Replace(part)))
	}
	if s.Encoding == models.EncodingBase64 {
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

func hashOf(name string) func() hash.Hash {
	switch name {
	case models.HashSHA1:
		return sha1.New
	case models.HashSHA512:
		return sha512.New
	}
	return sha256.New
}
