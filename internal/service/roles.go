package service

import (
	"fmt"
	"slices"

	"github.com/postrider/postrider/models"
)

// RoleError says that a call needs a key of another role.
type RoleError struct{ Has, Needs models.Role }

// Error names both roles.
func (e *RoleError) Error() string {
	needs := string(models.RoleFull)
	if e.Needs != models.RoleFull {
		needs += " or " + string(e.Needs)
	}
	return fmt.Sprintf("this key has the role %s; a key with the role %s is needed", e.Has, needs)
}

// May returns a *RoleError unless the caller's key has a role that is needed. A caller without a role may nothing.
func (c Caller) May(needed models.Role) error {
	if c.Role == models.RoleFull || c.Role == needed {
		return nil
	}
	return &RoleError{Has: c.Role, Needs: needed}
}

// checkRole returns the role that a new key gets.
func checkRole(role models.Role) (models.Role, error) {
	if role == "" {
		return models.RoleFull, nil
	}
	if !slices.Contains(models.Roles(), role) {
		return "", invalid("role", "expected full, publish or read")
	}
	return role, nil
}
