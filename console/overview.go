package console

import "github.com/postrider/postrider/console/view"

func (c *console) overviewPages() map[string]page { return map[string]page{"/{$}": c.overview} }

func (c *console) overview(*request) (view.Page, error) {
	return view.Page{Title: "Overview", Section: "overview", Body: view.Fault("to come")}, nil
}
