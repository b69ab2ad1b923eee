package models

// Role says what an API key is for.
type Role string

// The roles of keys.
const (
	// RoleFull does everything that its owner, or an administrator, may do.
	RoleFull Role = "full"
	// RolePublish publishes events and does nothing else.
	RolePublish Role = "publish"
	// RoleRead looks at everything and changes nothing.
	RoleRead Role = "read"
)

// Roles lists all.
func Roles() []Role { return []Role{RoleFull, RolePublish, RoleRead} }
