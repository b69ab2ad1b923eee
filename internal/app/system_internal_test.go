package app

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// The configuration is shown as it is, and of every flag that may hold a secret only whether it is set.
func TestShownSettings(t *testing.T) {
	t.Parallel()
	settings := Settings{}
	settings.AdminKey, settings.EncryptionKey = "s3cret", []string{"s3cret", "s3cret-too"}
	settings.SMTPURL, settings.DatabaseURL = "smtp://user:s3cret@host", "postgres://user:s3cret@host/db"
	settings.PublicURL, settings.RetrySchedule, settings.Retention = "https://postrider.example", models.DefaultRetrySchedule(), 72*time.Hour
	settings.MaxInboundBody, settings.AllowPorts, settings.HTTPSOnly = 5<<20, []uint16{80, 443}, true
	of := map[string]string{}
	// Whatever is called so may be a secret; of URLs, these hold none.
	maybe, public := regexp.MustCompile(`KEY|SECRET|TOKEN|PASSWORD|URL|PROXY$`), regexp.MustCompile(`PUBLIC_URL|TEMPORAL_UI_URL`)
	for _, setting := range shownSettings(settings) {
		require.NotContains(t, setting.Value+setting.Help, "s3cret", setting.Flag)
		require.NotEmpty(t, setting.Help)
		require.Equal(t, maybe.MatchString(setting.Variable) && !public.MatchString(setting.Variable), setting.Secret, "does %s need the tag secret?", setting.Flag)
		of[setting.Flag+" "+setting.Variable] = setting.Value
		if setting.Secret {
			require.Equal(t, setting.Variable != "POSTRIDER_EGRESS_PROXY", setting.Set, setting.Flag)
		}
	}
	for flag, value := range map[string]string{
		"--public-url POSTRIDER_PUBLIC_URL": "https://postrider.example", "--retry-schedule POSTRIDER_RETRY_SCHEDULE": models.DefaultRetrySchedule().String(),
		"--retention POSTRIDER_RETENTION": "72h", "--max-inbound-body POSTRIDER_MAX_INBOUND_BODY": "5MiB", "--allow-ports POSTRIDER_ALLOW_PORTS": "80,443",
		"--https-only POSTRIDER_HTTPS_ONLY": "true", "--log-level POSTRIDER_LOG_LEVEL": "info", "--admin-key POSTRIDER_ADMIN_KEY": "",
	} {
		require.Contains(t, of, flag)
		require.Equal(t, value, of[flag], flag)
	}
}
