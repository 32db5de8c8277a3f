package main

import (
	"context"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/backend/diy"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// environment is the one project and backend that this process works for.
type environment struct {
	settings
	sink    diag.Sink
	keys    *keyring
	events  *eventServer
	storage *storage

	lock     sync.Mutex
	backend  diy.Backend
	attached map[string]int // ports of the providers that the caller serves, by name
}

func newEnvironment(ctx context.Context, s settings) (*environment, error) {
	for name, value := range pulumiEnvironment(s) {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	events, err := newEventServer()
	if err != nil {
		return nil, err
	}
	e := &environment{
		settings: s, events: events, storage: &storage{url: s.Backend}, attached: s.Attached,
		sink: diag.DefaultSink(io.Discard, os.Stderr, diag.FormatOptions{Color: colors.Never}),
	}
	e.keys = newKeyring(e)
	if len(s.Attached) > 0 {
		go e.keys.warm(ctx)
	}
	return e, nil
}

func (e *environment) close() { e.events.stop() }

// pulumiEnvironment is what Pulumi's packages read from variables; nothing else of ours goes that way.
func pulumiEnvironment(s settings) map[string]string {
	variables := map[string]string{
		attachVariable: attachList(s.Attached),
		"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "1",
		"PULUMI_DIY_BACKEND_NO_LEGACY_WARNING":          "1",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION":   "true",
		"PULUMI_IGNORE_AMBIENT_PLUGINS":                 "true",
		"PULUMI_DEV":                                    "true", // the next one needs it; nothing else linked here reads it but one warning
		"PULUMI_GOROUTINE_PANIC_RECOVERY":               "true",
		"PULUMI_SKIP_UPDATE_CHECK":                      "true",
	}
	if s.PulumiHome != "" {
		variables["PULUMI_HOME"] = s.PulumiHome
	}
	return variables
}

// attachVariable is where Pulumi looks, at each operation, for providers that run already.
const attachVariable = "PULUMI_DEBUG_PROVIDERS"

func attachList(ports map[string]int) string {
	attached := make([]string, 0, len(ports))
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		attached = append(attached, name+":"+strconv.Itoa(ports[name]))
	}
	return strings.Join(attached, ",")
}

// attach names the providers that the caller serves, for the operations that begin after it.
func attach(_ context.Context, o *operation) (any, error) {
	e := o.host.environment
	go e.keys.warm(o.host.ctx)
	e.lock.Lock()
	defer e.lock.Unlock()
	e.attached = o.Attached
	return struct{}{}, os.Setenv(attachVariable, attachList(o.Attached))
}

func (e *environment) served() map[string]int {
	e.lock.Lock()
	defer e.lock.Unlock()
	return e.attached
}

func (e *environment) project(program string) *workspace.Project {
	return &workspace.Project{
		Name:    tokens.PackageName(e.Project),
		Backend: &workspace.ProjectBackend{URL: e.Backend},
		Runtime: workspace.NewProjectRuntimeInfo("client", map[string]any{"address": program}),
	}
}

// open gives the backend and makes it where it does not exist.
func (e *environment) open(ctx context.Context) (diy.Backend, error) {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.backend != nil {
		return e.backend, nil
	}
	if err := e.storage.makeRoot(); err != nil {
		return nil, err
	}
	opened, err := diy.New(ctx, e.sink, e.storage.address(), e.project(""))
	if err != nil {
		return nil, formatFailure(err)
	}
	e.backend = opened
	return opened, nil
}

// formatFailure gives a state of a format that we do not work on a code; Pulumi has only words for it (pkg/v3 v3.259.0
// backend/diy/backend.go, newDIYBackend).
func formatFailure(err error) error {
	switch {
	case strings.Contains(err.Error(), "state store unsupported"):
		return fail(codeNewer, "the state is of a newer format than this aiinfra knows")
	case strings.Contains(err.Error(), "Legacy DIY state"):
		return fail(codeLegacy, "the state is of Pulumi's old format, whose stacks belong to no project")
	}
	return err
}

// existing gives the backend, or nil when nothing was ever written there. It writes nothing.
func (e *environment) existing(ctx context.Context) (diy.Backend, error) {
	e.lock.Lock()
	known := e.backend
	e.lock.Unlock()
	if known != nil {
		return known, nil
	}
	found, err := e.storage.exists(ctx, ".pulumi/meta.yaml")
	if err != nil || !found {
		return nil, err
	}
	return e.open(ctx)
}

// find gives the stack, or nil when it does not exist.
func (e *environment) find(ctx context.Context, name string) (backend.Stack, error) {
	b, err := e.existing(ctx)
	if err != nil || b == nil {
		return nil, err
	}
	ref, err := b.ParseStackReference(name)
	if err != nil {
		return nil, fail(codeBadRequest, err.Error())
	}
	return b.GetStack(ctx, ref)
}

// make gives the stack and makes it where it does not exist.
func (e *environment) make(ctx context.Context, name string) (backend.Stack, error) {
	b, err := e.open(ctx)
	if err != nil {
		return nil, err
	}
	return findOrMake(ctx, b, name)
}

func findOrMake(ctx context.Context, b backend.Backend, name string) (backend.Stack, error) {
	ref, err := b.ParseStackReference(name)
	if err != nil {
		return nil, fail(codeBadRequest, err.Error())
	}
	stack, err := b.GetStack(ctx, ref)
	if err != nil || stack != nil {
		return stack, err
	}
	return b.CreateStack(ctx, ref, "", nil, nil)
}

// scratch gives an empty stack in memory: a preview of a stack that does not exist leaves nothing behind.
func (e *environment) scratch(ctx context.Context, name string) (backend.Stack, error) {
	b, err := diy.New(ctx, e.sink, "mem://", e.project(""))
	if err != nil {
		return nil, err
	}
	return findOrMake(ctx, b, name)
}
