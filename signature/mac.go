package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"sync/atomic"
)

// hmacKey computes HMACs with one key. It is safe for concurrent use.
//
// It keeps one idle state, in which the key's two padding blocks are hashed
// already. Who finds it taken makes a new one, so nobody waits; unlike a pool,
// this costs nothing when a key signs once and is dropped.
type hmacKey struct {
	newHash func() hash.Hash
	key     []byte
	idle    atomic.Pointer[hmacState]
}

// hmacState holds the buffers too: what is passed to a hash.Hash escapes to the
// heap, and so does so once per state rather than once per signature.
type hmacState struct {
	hash  hash.Hash
	chunk [128]byte
	sum   [sha512.Size]byte
}

func newHMACKey(newHash func() hash.Hash, key []byte) *hmacKey {
	return &hmacKey{newHash: newHash, key: key}
}

// appendSum appends HMAC(prefix + body) to dst. Prefix and dst may live on the
// caller's stack.
func (k *hmacKey) appendSum(dst, prefix, body []byte) []byte {
	state := k.idle.Swap(nil)
	if state == nil {
		state = &hmacState{hash: hmac.New(k.newHash, k.key)}
	} else {
		state.hash.Reset()
	}
	for len(prefix) > 0 {
		n := copy(state.chunk[:], prefix)
		state.hash.Write(state.chunk[:n])
		prefix = prefix[n:]
	}
	state.hash.Write(body)
	dst = append(dst, state.hash.Sum(state.sum[:0])...)
	k.idle.Store(state)
	return dst
}

// matches reports whether one of the candidates is HMAC(prefix + body).
func (k *hmacKey) matches(candidates [][]byte, prefix, body []byte) bool {
	var buf [sha512.Size]byte
	want := k.appendSum(buf[:0], prefix, body)
	for _, candidate := range candidates {
		if hmac.Equal(candidate, want) {
			return true
		}
	}
	return false
}

// Hash is the hash function of an HMAC.
type Hash string

// The hash functions.
const (
	HashSHA256 Hash = "sha256"
	HashSHA512 Hash = "sha512"
)

func (h Hash) constructor() func() hash.Hash {
	if h == HashSHA512 {
		return sha512.New
	}
	return sha256.New
}
