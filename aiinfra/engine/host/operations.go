package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/blang/semver"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/backend/display"
	changed "github.com/pulumi/pulumi/pkg/v3/display"
	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/pkg/v3/secrets"
	"github.com/pulumi/pulumi/pkg/v3/util/cancel"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// outcome is how a Pulumi operation on a stack ended. It is given with and without an error.
type outcome struct {
	Changes     map[string]int   `json:"changes"`
	Outputs     json.RawMessage  `json:"outputs"`
	Resources   int              `json:"resources"`
	Interrupted bool             `json:"interrupted"`
	Failed      []failedResource `json:"failed"`
}

// importedResource is something that exists already and that a stack shall own.
type importedResource struct {
	Type     string `json:"type"`
	Name     string `json:"name"`
	ID       string `json:"id"`
	Parent   string `json:"parent"`
	Provider string `json:"provider"`
	Version  string `json:"version"`
}

// scopes hands an operation's own cancellation to the engine.
type scopes struct{ context *cancel.Context }

func (s scopes) NewScope(context.Context, chan<- engine.Event, bool) backend.CancellationScope {
	return s
}
func (s scopes) Context() *cancel.Context { return s.context }
func (s scopes) Close()                   {}

func update(ctx context.Context, o *operation) (any, error) {
	return o.write(ctx, true, func(s backend.Stack, op backend.UpdateOperation, w *watch) (changed.ResourceChanges, error) {
		events, forwarded := w.channel()
		defer func() { close(events); <-forwarded }()
		return backend.UpdateStack(ctx, s, op, events)
	})
}

func destroy(ctx context.Context, o *operation) (any, error) {
	return o.write(ctx, false, func(s backend.Stack, op backend.UpdateOperation, w *watch) (changed.ResourceChanges, error) {
		return o.heard(ctx, s, &op, w, func() (changed.ResourceChanges, error) { return backend.DestroyStack(ctx, s, op) })
	})
}

func refresh(ctx context.Context, o *operation) (any, error) {
	return o.write(ctx, false, func(s backend.Stack, op backend.UpdateOperation, w *watch) (changed.ResourceChanges, error) {
		return o.heard(ctx, s, &op, w, func() (changed.ResourceChanges, error) { return backend.RefreshStack(ctx, s, op) })
	})
}

func importResources(ctx context.Context, o *operation) (any, error) {
	imports, err := imports(o.Resources)
	if err != nil {
		return nil, err
	}
	return o.write(ctx, true, func(s backend.Stack, op backend.UpdateOperation, w *watch) (changed.ResourceChanges, error) {
		return o.heard(ctx, s, &op, w, func() (changed.ResourceChanges, error) {
			return backend.ImportStack(ctx, s, op, imports)
		})
	})
}

func imports(wanted []importedResource) ([]deploy.Import, error) {
	found := make([]deploy.Import, 0, len(wanted))
	for _, one := range wanted {
		if one.Type == "" || one.Name == "" || one.ID == "" {
			return nil, fail(codeBadRequest, "an imported resource needs a type, a name and an id")
		}
		imported := deploy.Import{
			Type: tokens.Type(one.Type), Name: one.Name, ID: resource.ID(one.ID),
			Parent: resource.URN(one.Parent), Provider: resource.URN(one.Provider),
		}
		if one.Version != "" {
			version, err := semver.ParseTolerant(one.Version)
			if err != nil {
				return nil, fail(codeBadRequest, "the version of an imported resource is not valid: "+one.Version)
			}
			imported.Version = &version
		}
		found = append(found, imported)
	}
	return found, nil
}

type stackWork func(backend.Stack, backend.UpdateOperation, *watch) (changed.ResourceChanges, error)

// write does an operation that changes state. One on a stack that does not exist, and that does not make it, is done
// already.
func (o *operation) write(ctx context.Context, makes bool, do stackWork) (any, error) {
	if o.stopped.Load() {
		return o.neverStarted()
	}
	s, err := o.stack(ctx, makes)
	if err != nil {
		return nil, stateFailure(o.Stack, err)
	}
	if s == nil {
		return outcome{Changes: map[string]int{}, Outputs: json.RawMessage("{}"), Failed: []failedResource{}}, nil
	}
	manager, err := o.host.environment.keys.forWriting(ctx)
	if err != nil {
		return nil, err
	}
	w := newWatch(o)
	changes, err := do(s, o.describe(manager), w)
	return o.conclude(ctx, w, changes, err)
}

func (o *operation) stack(ctx context.Context, makes bool) (backend.Stack, error) {
	if makes {
		return o.host.environment.make(ctx, o.Stack)
	}
	return o.host.environment.find(ctx, o.Stack)
}

func (o *operation) neverStarted() (any, error) {
	none := outcome{Changes: map[string]int{}, Outputs: json.RawMessage("{}"), Failed: []failedResource{}, Interrupted: true}
	return none, fail(codeInterrupted, "stopped before it began")
}

// conclude reads what the operation left in the state.
func (o *operation) conclude(ctx context.Context, w *watch, changes changed.ResourceChanges, err error) (any, error) {
	ended := outcome{Changes: countChanges(changes), Failed: w.failures(), Outputs: json.RawMessage("{}")}
	s, reading := o.host.environment.find(ctx, o.Stack)
	if reading == nil && s != nil {
		var tree json.RawMessage
		if tree, ended.Resources, reading = o.storedOutputs(ctx, s); reading == nil {
			ended.Outputs = tree
		}
	}
	if late := o.steps.overran(); late != nil {
		ended.Failed = []failedResource{*late}
		return ended, fail(codeFailed, late.Message)
	}
	if err == nil && o.cutShort(ended) {
		err = fail(codeInterrupted, "stopped")
	}
	if err == nil {
		return ended, reading
	}
	return o.failed(ended, w, err)
}

// cutShort tells whether an operation that was stopped may have ended early without an error: Pulumi gives none when
// it is stopped while it deletes (pkg/v3 v3.259.0 resource/deploy/deployment_executor.go, performPostSteps).
func (o *operation) cutShort(ended outcome) bool {
	return o.stopped.Load() && !(o.Op == "destroy" && ended.Resources == 0)
}

func (o *operation) failed(ended outcome, w *watch, err error) (any, error) {
	ended.Interrupted = o.stopped.Load()
	if known := stateFailure(o.Stack, err); known.Code != codeState {
		return ended, known
	}
	if ended.Interrupted {
		return ended, fail(codeInterrupted, "stopped: "+w.because(err))
	}
	return ended, fail(codeFailed, w.because(err))
}

// preview gives the outputs that an update would have, as far as they are known. It writes nothing.
func preview(ctx context.Context, o *operation) (any, error) {
	if o.stopped.Load() {
		return o.neverStarted()
	}
	e := o.host.environment
	manager, err := e.keys.forPreview(ctx)
	if err != nil {
		return nil, err
	}
	s, err := e.find(ctx, o.Stack)
	if err == nil && s == nil {
		s, err = e.scratch(ctx, o.Stack)
	}
	if err != nil {
		return nil, stateFailure(o.Stack, err)
	}
	w := newWatch(o)
	events, forwarded := w.channel()
	_, changes, err := backend.PreviewStack(ctx, s, o.describe(manager), events)
	close(events)
	<-forwarded
	ended := outcome{Changes: countChanges(changes), Failed: w.failures()}
	if err != nil {
		ended.Outputs = json.RawMessage("{}")
		return o.failed(ended, w, err)
	}
	ended.Outputs, err = w.outputs()
	return ended, err
}

// channel passes the engine's own events to the watch. The second channel closes when all were heard.
func (w *watch) channel() (chan engine.Event, chan struct{}) {
	events, forwarded := make(chan engine.Event), make(chan struct{})
	go func() {
		defer close(forwarded)
		for e := range events {
			w.raw(e)
		}
	}()
	return events, forwarded
}

// heard runs an operation whose call takes no channel: its events come over the event server, in public form. The
// secrets that the mask must know are read from the state first.
func (o *operation) heard(
	ctx context.Context, s backend.Stack, op *backend.UpdateOperation, w *watch,
	do func() (changed.ResourceChanges, error),
) (changed.ResourceChanges, error) {
	if snapshot, err := s.Snapshot(ctx, o.host.environment.keys); err == nil && snapshot != nil {
		for _, state := range snapshot.Resources {
			w.mask.learnProperties(state.Inputs)
			w.mask.learnProperties(state.Outputs)
		}
	}
	path, forget := o.host.environment.events.listen(w.told)
	defer forget()
	op.Opts.Display.EventLogPath = path
	return do()
}

// describe puts together what Pulumi's backend needs to know.
func (o *operation) describe(manager secrets.Manager) backend.UpdateOperation {
	e := o.host.environment
	program := o.Program
	if program == "" {
		program = e.events.address
	}
	return backend.UpdateOperation{
		Proj: e.project(program), Root: os.TempDir(),
		M:              &backend.UpdateMetadata{Environment: map[string]string{}},
		SecretsManager: manager, SecretsProvider: e.keys, Scopes: scopes{o.context},
		StackConfiguration: backend.StackConfiguration{Config: config.Map{}, Decrypter: manager.Decrypter()},
		Opts: backend.UpdateOptions{
			AutoApprove: true, SkipPreview: true,
			Engine: engine.UpdateOptions{
				Parallel: o.parallel(), Refresh: o.Refresh, SkipPluginPreInstall: true,
				HostFactory: e.pluginHost,
			},
			Display: display.Options{
				Color: colors.Never, Stdout: io.Discard, Stderr: io.Discard, Type: display.DisplayProgress,
				SuppressProgress: true, SuppressOutputs: true, SuppressPermalink: true,
			},
		},
	}
}

// parallel is how many resources of one stack are worked on at once: they wait for the world, not for this machine.
func (o *operation) parallel() int32 {
	const usual = 32
	for _, asked := range []int32{o.Parallel, o.host.environment.Parallel} {
		if asked > 0 {
			return asked
		}
	}
	return usual
}

func countChanges(changes changed.ResourceChanges) map[string]int {
	counted := map[string]int{}
	for kind, count := range changes {
		counted[string(kind)] = count
	}
	return counted
}

// stateFailure names what the backend refuses in words that a caller can act on.
func stateFailure(stack string, err error) *failure {
	var known *failure
	switch {
	case errors.As(err, &known):
		return known
	case strings.Contains(err.Error(), "the stack is currently locked by"):
		return fail(codeLocked, "stack "+stack+" is locked: "+holders(err.Error()))
	case strings.Contains(err.Error(), "failed to load checkpoint"):
		return fail(codeDamaged, "the state of stack "+stack+" is damaged: "+outside(err))
	}
	return fail(codeState, outside(err))
}

// outside says what a state that is not on this machine answered.
func outside(err error) string {
	short := shortly(err)
	switch {
	case short == err.Error():
		return parameters.ReplaceAllString(short, "$1$2$3")
	case unanswered(err):
		return "the state does not answer: " + short
	}
	return "the state refused: " + short
}

// parameters are the parts of a URL that may be secret: user and password before, parameters behind.
var parameters = regexp.MustCompile(`(\w+://)(?:[^\s/@"]*@)?([^\s?#"]*)[?#][^\s"]*?(:?(?:[\s"]|$))`)

func unanswered(err error) bool {
	var unreachable *net.OpError
	return errors.As(err, &unreachable) || errors.Is(err, context.DeadlineExceeded)
}

// shortly says why something outside did not do what it was asked, without the ways that the answer took.
func shortly(err error) string {
	var unreachable *net.OpError
	var refused interface {
		ErrorCode() string
		ErrorMessage() string
	}
	switch {
	case errors.As(err, &refused):
		return refused.ErrorCode() + ": " + refused.ErrorMessage()
	case strings.Contains(err.Error(), "get credentials:"): // aws-sdk-go-v2, before it asks the service itself
		return "no credentials are found"
	case errors.As(err, &unreachable):
		return unreachable.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return errSilent.Error()
	}
	return err.Error()
}

// holders takes the lines that name who holds a lock from Pulumi's message.
func holders(message string) string {
	lines := strings.Split(message, "\n")
	named := make([]string, 0, len(lines))
	for _, line := range lines[1:] {
		if _, who, found := strings.Cut(line, "created by "); found {
			named = append(named, "by "+who)
		}
	}
	return strings.Join(named, ", ")
}
