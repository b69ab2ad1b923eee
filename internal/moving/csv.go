package moving

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// csvColumns are the columns of a table; header.NAME and metadata.NAME come in addition.
var csvColumns = []string{
	"owner", "owner_name", "owner_email", "external_id", "url", "events", "secret", "description", "active", "format",
	"rate_limit", "timeout", "filter",
}

var csvNeeded = []string{"owner", "external_id", "url", "secret"}

const (
	headerColumn   = "header."
	metadataColumn = "metadata."
)

// readCSV reads a table whose first row names the columns.
func readCSV(f *file, choices Choices) ([]Endpoint, error) {
	reader := csv.NewReader(bytes.NewReader(f.content))
	reader.FieldsPerRecord = -1 // a short row is a fault of that row
	names, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; its first row names the columns")
	}
	if err == nil {
		err = checkColumns(names)
	}
	if err != nil {
		return nil, notCSV(err)
	}
	var endpoints []Endpoint
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return endpoints, nil
		}
		if err != nil {
			return nil, notCSV(err)
		}
		line, _ := reader.FieldPos(0)
		e := Endpoint{Line: line}
		if len(row) != len(names) {
			e.fault("the row has %d cells, the first row has %d; write a cell that holds a comma in quotes", len(row), len(names))
		} else {
			e.row(names, row)
			e.sign(choices.Signature, nil)
		}
		endpoints = append(endpoints, e)
	}
}

// notCSV says in plain words what is wrong with the table.
func notCSV(err error) error {
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse) && (errors.Is(parse.Err, csv.ErrQuote) || errors.Is(parse.Err, csv.ErrBareQuote)):
		return fmt.Errorf(`line %d, column %d: a quote stands in the middle of a cell; write the whole cell in quotes, and "" for each quote in it`, parse.Line, parse.Column)
	case errors.As(err, &parse):
		return fmt.Errorf("line %d, column %d: the table cannot be read: %w", parse.Line, parse.Column, parse.Err)
	}
	return err
}

// checkColumns says what is wrong with the first row.
func checkColumns(names []string) error {
	if len(names) == 1 && strings.ContainsAny(names[0], ";\t") {
		return errors.New("line 1: cells are separated by something else than commas; save the table with commas")
	}
	for i, name := range names {
		switch {
		case slices.Contains(names[:i], name):
			return fmt.Errorf("line 1: the column %q is there twice", name)
		case !slices.Contains(csvColumns, name) && !isNamed(name, headerColumn) && !isNamed(name, metadataColumn):
			return fmt.Errorf("line 1: there is no column %q; take %s, header.NAME or metadata.NAME", name, strings.Join(csvColumns, ", "))
		}
	}
	for _, name := range csvNeeded {
		if !slices.Contains(names, name) {
			return fmt.Errorf("line 1: the column %s is missing", name)
		}
	}
	return nil
}

func isNamed(column, begin string) bool {
	return strings.HasPrefix(column, begin) && column != begin
}

// row fills the endpoint from a row. Empty cells say nothing; the body is what is published, as receivers know it.
func (e *Endpoint) row(names, row []string) {
	e.Webhook = map[string]any{"events": []string{"*"}, "format": "raw"}
	metadata := map[string]string{}
	for i, cell := range row {
		name := names[i]
		if cell == "" {
			continue
		}
		switch {
		case isNamed(name, headerColumn):
			e.setHeader(strings.TrimPrefix(name, headerColumn), cell)
		case isNamed(name, metadataColumn):
			metadata[strings.TrimPrefix(name, metadataColumn)] = cell
		default:
			e.cell(name, cell)
		}
	}
	e.setMetadata(metadata)
	if e.Owner.ExternalID != "" && e.Owner.Fields["name"] == nil {
		e.ownerField("name", e.Owner.ExternalID)
	}
}

// cell sets what a cell says.
func (e *Endpoint) cell(name, cell string) {
	switch name {
	case "owner":
		e.Owner.ExternalID = cell
	case "owner_name", "owner_email":
		e.ownerField(strings.TrimPrefix(name, "owner_"), cell)
	case "external_id":
		e.ID = cell
	case "events":
		e.Webhook["events"] = splitList(cell)
	case "active":
		active, err := strconv.ParseBool(strings.ToLower(cell))
		if err != nil {
			e.fault("column active: expected true or false")
		}
		e.Webhook["active"] = active
	case "rate_limit":
		if _, err := strconv.ParseFloat(cell, 64); err != nil || !json.Valid([]byte(cell)) {
			e.fault("column rate_limit: expected a number, requests a second, such as 10 or 0.5")
		}
		e.Webhook["rate_limit"] = json.Number(cell)
	default:
		e.Webhook[name] = cell
	}
}

func (e *Endpoint) ownerField(name, value string) {
	if e.Owner.Fields == nil {
		e.Owner.Fields = map[string]any{}
	}
	e.Owner.Fields[name] = value
}

// splitList reads words that are separated by commas or blanks.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
}
