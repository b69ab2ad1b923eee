package service

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/models"
)

// Bounds of metadata: lengths in characters, the size, of all names and values together, in bytes. Receivers get an
// event's metadata as headers, of which some servers read no more than 8 KiB.
const (
	maxMetadata      = 20
	maxMetadataName  = 40
	maxMetadataValue = 255
	maxMetadataSize  = 4 << 10
)

// metadata checks the metadata of a thing.
func (f *faults) metadata(metadata models.Metadata) {
	const location = "metadata"
	if len(metadata) > maxMetadata {
		f.add(location, fmt.Sprintf("expected at most %d values; these are %d", maxMetadata, len(metadata)))
		return
	}
	size, seen := 0, make(map[string]string, len(metadata))
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[name]
		size += len(name) + len(value)
		if !isMetadataName(name) {
			f.add(location, fmt.Sprintf("expected names of 1 to %d letters, digits, _, - and dots", maxMetadataName))
			continue
		}
		alike := strings.Map(asCGI, strings.ToLower(name))
		if other, ok := seen[alike]; ok {
			f.add(location+"."+name, "is the same header as "+other+": names differ by more than case, _, - and dots")
		} else if fault := metadataFault(value); fault != "" {
			f.add(location+"."+name, fault)
		}
		seen[alike] = name
	}
	if size > maxMetadataSize {
		f.add(location, fmt.Sprintf("expected at most %d bytes, names and values together; these have %d", maxMetadataSize, size))
	}
}

// metadataFault says what is wrong with a value; empty when nothing is.
func metadataFault(value string) string {
	if utf8.RuneCountInString(value) > maxMetadataValue || !storable(value) {
		return fmt.Sprintf("expected at most %d characters, and no NUL among them", maxMetadataValue)
	}
	if fault := endFault(value); fault != "" {
		return fault
	}
	return unseenFault(value, false)
}

// isMetadataName says whether a name can end the name of a header.
func isMetadataName(name string) bool {
	return name != "" && len(name) <= maxMetadataName && !strings.ContainsFunc(name, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && r != '_' && r != '-' && r != '.'
	})
}

// mergedMetadata is metadata with a patch merged into it (RFC 7396): null removes a value, or all.
func mergedMetadata(metadata models.Metadata, patch Patch[map[string]*string]) models.Metadata {
	if !patch.Set {
		return metadata
	}
	merged := models.Metadata{}
	if !patch.Null {
		maps.Copy(merged, metadata)
	}
	for name, value := range patch.Value {
		if delete(merged, name); value != nil {
			merged[name] = *value
		}
	}
	return merged
}
