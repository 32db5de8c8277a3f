package main

import (
	"context"
	"encoding/json"
	"path"
	"strings"
	"time"
)

// stackLock is Pulumi's lock of one stack (pkg/v3 v3.259.0 backend/diy/lock.go, lockContent).
type stackLock struct {
	Stack string    `json:"stack"`
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	User  string    `json:"user"`
	Since time.Time `json:"since"`
	key   string
}

func (e *environment) lockPrefix() string { return ".pulumi/locks/organization/" + e.Project + "/" }

func (e *environment) readLocks(ctx context.Context, prefix string) ([]stackLock, error) {
	keys, err := e.storage.list(ctx, prefix)
	if err != nil {
		return nil, err
	}
	found := []stackLock{}
	for _, key := range keys {
		raw, err := e.storage.read(ctx, key)
		if err != nil {
			return nil, err
		}
		if raw == nil || !strings.HasSuffix(key, ".json") {
			continue
		}
		var content struct {
			PID       int       `json:"pid"`
			Username  string    `json:"username"`
			Hostname  string    `json:"hostname"`
			Timestamp time.Time `json:"timestamp"`
		}
		_ = json.Unmarshal(raw, &content) // a torn lock is a lock of nobody known
		stack := path.Base(path.Dir(key))
		found = append(found, stackLock{stack, content.PID, content.Hostname, content.Username, content.Timestamp, key})
	}
	return found, nil
}

func locks(ctx context.Context, o *operation) (any, error) {
	found, err := o.host.environment.readLocks(ctx, o.host.environment.lockPrefix())
	return map[string]any{"locks": found}, err
}

// clearLocks deletes the locks of one stack. The caller knows that their holders are dead.
func clearLocks(ctx context.Context, o *operation) (any, error) {
	if o.Stack == "" {
		return nil, fail(codeBadRequest, "clear_locks needs a stack")
	}
	e := o.host.environment
	found, err := e.readLocks(ctx, e.lockPrefix()+o.Stack+"/")
	if err != nil {
		return nil, err
	}
	for _, lock := range found {
		if err := e.storage.remove(ctx, lock.key); err != nil {
			return nil, err
		}
	}
	return map[string]any{"cleared": found}, nil
}
