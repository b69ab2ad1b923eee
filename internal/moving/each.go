package moving

// readEach makes an endpoint of each object that stands in the file, bare, in an array, or in an answer under one of the
// names.
func readEach(f *file, choices Choices, read func(*Endpoint, value, Choices) error, names ...string) ([]Endpoint, error) {
	values, err := f.values()
	if err != nil {
		return nil, err
	}
	var endpoints []Endpoint
	for _, top := range values {
		for _, element := range top.list(names...) {
			e := Endpoint{Line: element.line()}
			if err := read(&e, element, choices); err != nil {
				e.fault("%s", err)
			}
			endpoints = append(endpoints, e)
		}
	}
	return endpoints, nil
}

// ownerFields are the fields of an owner that another system has as well.
func ownerFields(name string, metadata map[string]string) map[string]any {
	fields := map[string]any{"name": name}
	if len(metadata) > 0 {
		fields["metadata"] = anyMap(metadata)
	}
	return fields
}
