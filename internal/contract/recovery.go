package contract

// RecoveryProgress is how far a recovery is.
type RecoveryProgress struct {
	Status string `json:"status"`
	// Reason says why it is paused or was cancelled.
	Reason string `json:"reason,omitempty"`
	// Collected says that Total is final.
	Collected bool  `json:"collected"`
	Total     int64 `json:"total"`
	Resent    int64 `json:"resent"`
	Skipped   int64 `json:"skipped"`
	// Rate is how many deliveries are resent per second.
	Rate int `json:"rate"`
}

// RecoveryInput starts a Recovery, whose workflow ID is the recovery's ID.
type RecoveryInput struct {
	RecoveryID string `json:"recovery_id"`
	// Pause and Progress continue a recovery whose history became long.
	Pause    bool              `json:"pause,omitempty"`
	Progress *RecoveryProgress `json:"progress,omitempty"`
}

// RecoveryStatus is the answer to QueryStatus of a recovery.
type RecoveryStatus struct {
	RecoveryID string `json:"recovery_id"`
	RecoveryProgress
}
