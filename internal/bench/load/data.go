package load

import (
	"strconv"
	"strings"
)

// numberMark precedes an event's number in its data. The receiver looks for it instead of parsing JSON.
const (
	numberMark   = `"n":"`
	numberDigits = 9
)

// Data is the data of the n-th event: its number and a text.
func Data(n int, filler string) string {
	digits := strconv.Itoa(n)
	return `{` + numberMark + strings.Repeat("0", numberDigits-len(digits)) + digits + `","text":"` + filler + `"}`
}

// All is the event type that every webhook of the load gets.
const All = -1

// EventType is the type of the events for one webhook of a load, or for All.
func EventType(prefix string, webhook int) string {
	if webhook == All {
		return prefix + ".all"
	}
	return prefix + "." + strconv.Itoa(webhook)
}

// Filler is the text with which an event's data have so many bytes.
func Filler(payload int) string { return strings.Repeat("x", max(0, payload-len(Data(0, "")))) }
