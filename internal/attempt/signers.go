package attempt

import (
	"strings"

	"github.com/postrider/postrider/signature"
)

// signersOf returns what signs with each of the secrets. While one kind takes over from the other, both sign.
func signersOf(secrets []string) (of keys, err error) {
	var shared, private []string
	for _, secret := range secrets {
		if strings.HasPrefix(secret, signature.PrefixSigningKey) {
			private = append(private, secret)
		} else {
			shared = append(shared, secret)
		}
	}
	if len(shared) > 0 || len(private) == 0 {
		if of.hmac, err = signature.NewSigner(shared...); err != nil {
			return keys{}, err
		}
	}
	if len(private) > 0 {
		of.ed25519, err = signature.NewEd25519Signer(private...)
	}
	return of, err
}
