package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/moving"
)

// How receivers of Convoy let the sender in is carried over once.
func TestImportOfAuthentication(t *testing.T) {
	t.Parallel()
	s := newService(t)
	m := newMover(s, adminKey)
	file, err := moving.Read(moving.Convoy, []byte(`{"endpoints":[
		{"uid":"e1","owner_id":"acme","url":"https://acme.example","secrets":[{"value":"the-secret-that-acme-has"}],"authentication":{"type":"basic_auth","basic_auth":{"username":"u","password":"the-password"}}},
		{"uid":"e2","owner_id":"acme","url":"https://acme.example","secrets":[{"value":"the-secret-that-acme-has"}],"authentication":{"type":"oauth2","oauth2":{"url":"https://id.example/token","client_id":"c","client_secret":"the-client-secret","authentication_type":"shared_secret","scope":"a b","audience":"acme"}}}],
		"subscriptions":[{"uid":"s1","endpoint_metadata":{"uid":"e1"}},{"uid":"s2","endpoint_metadata":{"uid":"e2"}}]}`), moving.Choices{})
	require.NoError(t, err)
	require.Equal(t, []string{"line 4: created acme/s1", "line 4: created acme/s2"}, m.run(file))
	require.Equal(t, []string{"line 4: unchanged acme/s1", "line 4: unchanged acme/s2"}, m.run(file))
}
