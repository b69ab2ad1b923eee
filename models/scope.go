package models

// Scope limits a store call to what one owner may see. Its zero value sees everything.
type Scope struct{ OwnerID string }
