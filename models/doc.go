// Package models holds what Postrider speaks of: owners, webhooks, events, deliveries, their attempts and the rules
// that need nothing but them. How they are kept is package store's matter; struct tags name the columns.
package models
