package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// jsonFormat reads bodies strictly, where encoding/json is lenient, so that nothing is misread. Member names match by case,
// no member may be there twice, and text must be complete UTF-8. The range of a number is that of its field; data has none.
var jsonFormat = huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: readJSON}

// huma compares names for validation through this variable, and words its messages in the others.
func init() {
	huma.ValidateStrictCasing = true
	validation.MsgExpectedRFC3339DateTime = timeHint
	validation.MsgUnexpectedProperty = "unexpected property: names match by case"
	validation.MsgExpectedMatchExactlyOneSchema = durationHint // only durations have more than one type
}

// readJSON is called twice for a body: for the value that is validated, and then for the operation's type.
func readJSON(body []byte, into any) error {
	if value, ok := into.(*any); ok {
		return readValue(body, value)
	}
	err := json.Unmarshal(body, into)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return bodyError{wrong.Field, expectation(wrong.Type)}
	case err != nil:
		return err
	}
	if member, message := lostMember(body, reflect.TypeOf(into)); member != "" {
		return bodyError{member, message}
	}
	return nil
}

// bodyError is a fault of a member. Its text begins with the location, which fieldError takes off again: huma passes on
// nothing but the text.
type bodyError struct{ member, message string }

func (e bodyError) Error() string { return "body." + e.member + ": " + e.message }

// expectation says what a member should be that has the right type and is out of range.
func expectation(of reflect.Type) string {
	switch of.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "expected a whole number, written in digits"
	case reflect.Float32, reflect.Float64:
		return "expected a smaller number"
	}
	if of == reflect.TypeFor[time.Time]() || of == reflect.TypeFor[Time]() {
		return timeHint
	}
	return "expected another type of value"
}

// checkText says what keeps a body from being JSON.
func checkText(body []byte) error {
	if utf8.Valid(body) && json.Valid(body) {
		return nil
	}
	var value json.RawMessage
	return readText(body, &value)
}

// readText is json.Unmarshal for text that must be in UTF-8.
func readText(body []byte, value any) error {
	if !utf8.Valid(body) {
		return errors.New("expected text in UTF-8")
	}
	if bytes.HasPrefix(body, []byte("\ufeff")) {
		return errors.New("expected JSON without a byte order mark before it")
	}
	err := json.Unmarshal(body, value)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w, at byte %d", syntax, syntax.Offset)
	}
	return err
}

// readValue reads a body as an untyped value.
func readValue(body []byte, value *any) error {
	err := readText(body, value)
	var outOfRange *json.UnmarshalTypeError
	if !errors.As(err, &outOfRange) {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	*value = nil
	if err := decoder.Decode(value); err != nil {
		return err
	}
	*value = withInfinities(*value)
	return nil
}

// withInfinities converts the numbers of a value for validation: those that are too large become infinite.
func withInfinities(value any) any {
	switch of := value.(type) {
	case json.Number:
		number, err := strconv.ParseFloat(of.String(), 64)
		if err != nil && !math.IsInf(number, 0) {
			return of
		}
		return number
	case []any:
		for i := range of {
			of[i] = withInfinities(of[i])
		}
	case map[string]any:
		for name := range of {
			of[name] = withInfinities(of[name])
		}
	}
	return value
}
