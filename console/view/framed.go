package view

import (
	"context"
	"io"
	"net/url"

	"github.com/a-h/templ"
)

// framed renders a page so that its parts know the frame.
func framed(f Frame, p Page) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return inFrame(f, p).Render(withFrame(ctx, f), w)
	})
}

// streamQuery says what a page's stream tells of, and from when on.
func streamQuery(f Frame, p Page) string {
	return url.Values{"topic": p.Live, "at": {f.Position}}.Encode()
}

// Within renders a part of a page so that it knows the frame.
func Within(f Frame, part templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error { return part.Render(withFrame(ctx, f), w) })
}

// branded renders the portal's door so that its parts know the brand.
func branded(of Brand, said string) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return door(said).Render(withFrame(ctx, Frame{Base: "/portal", Portal: true, Brand: of}), w)
	})
}
