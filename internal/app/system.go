package app

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/postrider/postrider/console"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/worker"
)

// system tells the console of what it does not know itself.
func (p *process) system() console.System {
	return console.System{
		Settings: shownSettings(p.settings), TemporalAddress: p.options.HostPort, Namespace: p.options.Namespace,
		TemporalURL: p.settings.TemporalUIURL, Identity: p.identity,
		Temporal: p.describeTemporal,
	}
}

func (p *process) describeTemporal(ctx context.Context) (console.Temporal, error) {
	facts, err := worker.Describe(ctx, p.temporal, p.options.Namespace)
	shown := console.Temporal{ServerVersion: facts.ServerVersion}
	for _, queue := range facts.Queues {
		of := console.Queue{Name: queue.Name, Kind: queue.Kind, Backlog: queue.Backlog, Oldest: queue.Oldest}
		for _, poller := range queue.Pollers {
			of.Pollers = append(of.Pollers, console.Poller(poller))
		}
		shown.Queues = append(shown.Queues, of)
	}
	for _, schedule := range facts.Schedules {
		shown.Schedules = append(shown.Schedules, console.Schedule(schedule))
	}
	return shown, err
}

// shownSettings are the flags with their values. Of one that is or may hold a secret, they say whether it is set.
func shownSettings(settings Settings) []console.Setting {
	parser, err := newParser(&settings, productionVars())
	if err != nil {
		panic(err) // the command line was read in the same way
	}
	var shown []console.Setting
	for _, flag := range parser.Model.Flags {
		if len(flag.Envs) == 0 {
			continue // of kong
		}
		help, _, _ := strings.Cut(flag.Help, " Default:")
		of := console.Setting{Flag: "--" + flag.Name, Variable: flag.Envs[0], Help: strings.TrimSuffix(help, " Required."), Value: settingText(flag.Target)}
		if flag.Tag.Has("secret") {
			of.Secret, of.Value = true, ""
			of.Set = !flag.Target.IsZero()
		}
		shown = append(shown, of)
	}
	return shown
}

// settingText writes a value as its flag takes it.
func settingText(value reflect.Value) string {
	switch of := value.Interface().(type) {
	case time.Duration:
		return models.FormatDuration(of)
	case logLevel:
		return strings.ToLower(slog.Level(of).String())
	case proxyNetwork:
		return prefixes([]proxyNetwork{of})[0].String()
	case fmt.Stringer:
		return of.String()
	}
	if value.Kind() != reflect.Slice {
		return fmt.Sprint(value.Interface())
	}
	texts := make([]string, value.Len())
	for i := range texts {
		texts[i] = settingText(value.Index(i))
	}
	return strings.Join(texts, ",")
}
