package storetest

import (
	"github.com/postrider/postrider/models"
)

// ErrorClasses lists every error class.
func ErrorClasses() []models.ErrorClass {
	return models.ErrorClasses()
}

// Statuses lists every status.
func Statuses() []models.Status {
	return []models.Status{models.StatusPending, models.StatusFailed, models.StatusDelivered, models.StatusPermanentlyFailed, models.StatusCancelled}
}
