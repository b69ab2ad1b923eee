package view

import (
	"regexp"
	"strconv"
	"unicode/utf8"
)

// beginningOf is as much of a description as a list shows.
func beginningOf(text string) string {
	const most = 200
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "…"
}

// The bars of days: each 8 wide with 2 between, and 24 high when it is the highest.
const dayHigh = 24

func daysBox(days int) string { return "0 0 " + strconv.Itoa(days*10) + " " + strconv.Itoa(dayHigh) }

func dayAt(i int) string { return strconv.Itoa(i * 10) }

// dayHeight is a bar's height; anything at all is to be seen.
func dayHeight(count, most int64) int64 {
	if count == 0 {
		return 0
	}
	return max(2, count*dayHigh/most)
}

func dayTop(count, most int64) string { return strconv.FormatInt(dayHigh-dayHeight(count, most), 10) }

func dayTall(count, most int64) string { return strconv.FormatInt(dayHeight(count, most), 10) }

var eventPlace = regexp.MustCompile(`^body\.events\[[0-9]+\]\.?`)

// ofEvent is a place within one event of a batch.
func ofEvent(location string) string { return eventPlace.ReplaceAllString(location, "") }
