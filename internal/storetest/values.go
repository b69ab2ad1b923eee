package storetest

import (
	"github.com/postrider/postrider/models"
)

// ErrorClasses lists every error class.
func ErrorClasses() []models.ErrorClass {
	return []models.ErrorClass{models.ErrorDNS, models.ErrorConnectionRefused, models.ErrorConnectTimeout, models.ErrorTimeout, models.ErrorTLS,
		models.ErrorReset, models.ErrorBlocked, models.ErrorHTTPStatus, models.ErrorTransform, models.ErrorAuth}
}

// Statuses lists every status.
func Statuses() []models.Status {
	return []models.Status{models.StatusPending, models.StatusFailed, models.StatusDelivered, models.StatusPermanentlyFailed, models.StatusCancelled}
}
