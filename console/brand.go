package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Brand is whose portal it is, as its people see it.
type Brand struct {
	// Name stands where Postrider's would.
	Name string `json:"name"`
	// LogoURL is a picture, by HTTPS or as a data: URL; empty for none.
	LogoURL string `json:"logo_url"`
	// Colour of links and buttons, such as #2350d8; Postrider's when empty.
	Colour string `json:"colour"`
}

var hexColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

const (
	maxBrandName = 60
	maxLogoURL   = 64 << 10
)

// ParseBrand reads a brand as JSON; an empty text is Postrider's own.
func ParseBrand(text string) (Brand, error) {
	var b Brand
	if text == "" {
		return b, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&b); err != nil {
		return b, errors.New(`expected JSON such as {"name": "Acme", "logo_url": "https://acme.example/logo.svg", "colour": "#2350d8"}`)
	}
	switch {
	case len(b.Name) > maxBrandName:
		return b, fmt.Errorf("name has at most %d characters", maxBrandName)
	case b.Colour != "" && !hexColour.MatchString(b.Colour):
		return b, errors.New("colour is of the form #2350d8")
	case b.LogoURL != "" && b.logoSource() == "":
		return b, errors.New("logo_url is an https: URL, or a data: URL of a picture of at most 64 KiB")
	}
	return b, nil
}

// logoSource is what the policy of pages has to allow for the logo; empty when it cannot be one.
func (b Brand) logoSource() string {
	parsed, err := url.Parse(b.LogoURL)
	switch {
	case err != nil || len(b.LogoURL) > maxLogoURL:
		return ""
	case parsed.Scheme == "data" && strings.HasPrefix(parsed.Opaque, "image/"):
		return "data:"
	case parsed.Scheme == "https" && parsed.Host != "" && !strings.ContainsAny(parsed.Host, ";, '\""):
		return "https://" + parsed.Host
	}
	return ""
}

// The grounds of the pages, light and dark: see console.css.
var (
	lightGround = colour{0xff, 0xff, 0xff}
	darkGround  = colour{0x12, 0x16, 0x1c}
)

// readable is the contrast that text needs: WCAG 2.2, success criterion 1.4.3.
const readable = 4.5

// style is the style sheet with the brand's colour, as dark or as light as it must be to be read; empty without one.
func (b Brand) style() string {
	if b.Colour == "" {
		return ""
	}
	wanted := parseColour(b.Colour)
	light, dark := wanted.against(lightGround, colour{}), wanted.against(darkGround, lightGround)
	return fmt.Sprintf(":root { --accent: %s; --on-accent: %s; }\n@media (prefers-color-scheme: dark) { :root { --accent: %s; --on-accent: %s; } }\n",
		light, light.text(), dark, dark.text())
}

// colour is red, green and blue.
type colour [3]uint8

func parseColour(hex string) (c colour) {
	for i := range c {
		value, _ := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8) // it was checked
		c[i] = uint8(value)
	}
	return c
}

func (c colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// luminance is the relative luminance of WCAG 2.2.
func (c colour) luminance() float64 {
	var sum float64
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		channel := float64(c[i]) / 255
		if channel <= 0.04045 {
			channel /= 12.92
		} else {
			channel = math.Pow((channel+0.055)/1.055, 2.4)
		}
		sum += weight * channel
	}
	return sum
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func (c colour) contrast(other colour) float64 {
	a, b := c.luminance(), other.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// against is the colour mixed with another one until it can be read on a ground.
func (c colour) against(ground, towards colour) colour {
	mixed := c
	for share := 0; share <= 100 && mixed.contrast(ground) < readable; share++ {
		for i := range mixed {
			mixed[i] = uint8((int(c[i])*(100-share) + int(towards[i])*share) / 100)
		}
	}
	return mixed
}

// text is the colour of text on it: of white and a very dark blue the one that is read more easily.
func (c colour) text() colour {
	dark := colour{0x0d, 0x13, 0x20}
	if c.contrast(lightGround) >= c.contrast(dark) {
		return lightGround
	}
	return dark
}
