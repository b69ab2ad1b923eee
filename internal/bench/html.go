package bench

import "errors"

// writeHTML writes the report as a page.
func (r *Report) writeHTML(string) error { return errors.New("not yet") }
