package rules_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/models"
)

// BenchmarkFilters asks the filters of 1,000 webhooks about one event. docs/performance.md has what it showed.
func BenchmarkFilters(b *testing.B) {
	const count = 1000
	for name, source := range map[string]string{
		"simple": `data.amount > 100 && data.currency == "EUR"`,
		"list":   `data.items.exists(i, i.sku == "b" && i.n > 0) && event.type.startsWith("order.")`,
		"regexp": `data.currency.matches("^(EUR|USD)$") && data.customer.id > 7`,
	} {
		for _, of := range []struct {
			name string
			data string
		}{
			{"300B", order}, {"64KiB", order[:len(order)-1] + `,"more":"` + strings.Repeat("x", 64<<10) + `"}`},
		} {
			b.Run(name+"/"+of.name, func(b *testing.B) {
				engine := rules.New()
				webhooks := make([]models.Webhook, count)
				for i := range webhooks {
					// Each has a filter of its own.
					webhooks[i] = webhook(fmt.Sprintf("%s && data.amount != %d", source, i), "")
				}
				ask := func() {
					verdicts, err := engine.Filter(b.Context(), event(of.data), webhooks)
					require.NoError(b, err)
					require.Empty(b, verdicts[count-1].Fault)
				}
				ask() // compiles
				before := cpu(b)
				for b.Loop() {
					ask()
				}
				b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1000/float64(b.N)/count, "cpu-µs/filter")
			})
		}
	}
}

// cpu is how much of it the process has used: on a busy machine, the time that has passed says little.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		require.NoError(b, rules.New().Check(rules.Filter, `data.amount > 100 && data.currency == "EUR"`))
	}
}

func BenchmarkTransform(b *testing.B) {
	engine := rules.New()
	to := webhook("", `{"total": data.amount * 2, "customer": data.customer, "skus": data.items.map(i, i.sku)}`)
	for b.Loop() {
		_, err := engine.Transform(b.Context(), event(order), to)
		require.NoError(b, err)
	}
}
