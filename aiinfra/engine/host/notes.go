package main

import (
	"context"
	"strings"
)

// notesRoot is the folder beside Pulumi's own in which notes lie; the callers give each environment a folder of its own.
const notesRoot = ".aiinfra/"

func notesGet(ctx context.Context, o *operation) (any, error) {
	value, err := o.host.environment.storage.read(ctx, notesRoot+o.Key)
	return map[string]any{"found": value != nil, "value": value}, err
}

// notesPut writes a note; with `absent`, only where there is none.
func notesPut(ctx context.Context, o *operation) (any, error) {
	if o.Key == "" {
		return nil, fail(codeBadRequest, "a note needs a key")
	}
	if o.Absent {
		made, err := o.host.environment.storage.create(ctx, notesRoot+o.Key, o.Value)
		return map[string]bool{"written": made}, err
	}
	return map[string]bool{"written": true}, o.host.environment.storage.write(ctx, notesRoot+o.Key, o.Value)
}

func notesDelete(ctx context.Context, o *operation) (any, error) {
	return struct{}{}, o.host.environment.storage.remove(ctx, notesRoot+o.Key)
}

func notesList(ctx context.Context, o *operation) (any, error) {
	found, err := o.host.environment.storage.list(ctx, notesRoot+o.Prefix)
	keys := make([]string, 0, len(found))
	for _, key := range found {
		keys = append(keys, strings.TrimPrefix(key, notesRoot))
	}
	return map[string]any{"keys": keys}, err
}
