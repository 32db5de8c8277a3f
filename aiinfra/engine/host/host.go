package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pulumi/pulumi/pkg/v3/util/cancel"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// operation is a request that was accepted and is not answered yet. It can be cancelled from that moment on.
type operation struct {
	request
	host    *host
	context *cancel.Context
	source  *cancel.Source
	stopped atomic.Bool
	steps   *steps
}

func (o *operation) cancel() {
	if !o.stopped.Swap(true) {
		o.steps.cancelled()
	}
	o.source.Cancel()
}

func (o *operation) terminate() {
	o.stopped.Store(true)
	o.source.Terminate()
}

// tell says something about the operation as a whole.
func (o *operation) tell(text string) {
	o.host.replies.say(reply{ID: o.ID, Event: &apitype.EngineEvent{
		DiagnosticEvent: &apitype.DiagnosticEvent{Message: text, Color: "never", Severity: "warning"},
	}})
}

// work answers one kind of request.
type work func(ctx context.Context, o *operation) (any, error)

// host accepts requests and knows which ones run.
type host struct {
	ctx     context.Context
	replies *replies
	works   map[string]work
	ended   chan struct{}

	lock        sync.Mutex
	environment *environment
	running     map[string]*operation
	busy        map[string]string // stack → the request that works on it
	closing     bool
	all         sync.WaitGroup
}

func newHost(ctx context.Context, out *replies) *host {
	h := &host{
		ctx: ctx, replies: out, ended: make(chan struct{}),
		running: map[string]*operation{}, busy: map[string]string{},
	}
	h.works = map[string]work{
		"up": update, "preview": preview, "refresh": refresh, "destroy": destroy, "import": importResources,
		"outputs": outputs, "stacks": stacks, "remove_stack": removeStack, "export": export,
		"pending": pending, "repair": repair, "locks": locks, "clear_locks": clearLocks,
		"notes_get": notesGet, "notes_put": notesPut, "notes_list": notesList, "notes_delete": notesDelete,
		"ready": ready, "attach": attach,
	}
	return h
}

// handle answers one line. It never blocks on work.
func (h *host) handle(line []byte) {
	r, err := parse(line)
	if err == nil {
		err = h.accept(r)
	}
	if err != nil {
		h.replies.say(reply{ID: r.ID, Done: true, Error: asFailure(err, codeBadRequest)})
	}
}

func (h *host) accept(r request) error {
	switch r.Op {
	case "open":
		return h.open(r)
	case "cancel":
		return h.stop(r, (*operation).cancel)
	case "terminate":
		return h.stop(r, (*operation).terminate)
	case "shutdown":
		return h.shutdown(r)
	}
	todo, known := h.works[r.Op]
	if !known {
		return fail(codeBadRequest, fmt.Sprintf("no operation is named %q", r.Op))
	}
	o, err := h.start(r)
	if err != nil {
		return err
	}
	go h.perform(o, todo)
	return nil
}

func (h *host) open(r request) error {
	if r.Settings == nil || r.Settings.Backend == "" || r.Settings.Project == "" {
		return fail(codeBadRequest, "open needs settings with a backend and a project")
	}
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.environment != nil {
		return fail(codeBadRequest, "the host is open already")
	}
	opened, err := newEnvironment(h.ctx, *r.Settings)
	if err != nil {
		return err
	}
	h.environment = opened
	h.replies.say(reply{ID: r.ID, Done: true, Result: struct{}{}})
	return nil
}

func (h *host) start(r request) (*operation, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	switch {
	case h.closing:
		return nil, fail(codeInterrupted, "the engine host is shutting down")
	case h.environment == nil:
		return nil, fail(codeBadRequest, "the host is not open yet")
	case h.running[r.ID] != nil:
		return nil, fail(codeBadRequest, fmt.Sprintf("the id %q is in use", r.ID))
	case changesState[r.Op] && h.busy[r.Stack] != "":
		return nil, fail(codeBusy, fmt.Sprintf("another operation runs on stack %s", r.Stack))
	}
	context, source := cancel.NewContext(h.ctx)
	o := &operation{request: r, host: h, context: context, source: source}
	o.steps = &steps{limit: time.Duration(r.Limit * float64(time.Second)), terminate: source.Terminate, told: o.tell}
	h.running[r.ID] = o
	if changesState[r.Op] {
		h.busy[r.Stack] = r.ID
	}
	h.all.Add(1)
	return o, nil
}

// changesState names the operations of which a stack may have one at a time.
var changesState = map[string]bool{
	"up": true, "refresh": true, "destroy": true, "import": true,
	"remove_stack": true, "repair": true, "clear_locks": true,
}

// perform does the work, answers, and forgets the request. A panic fails this request only.
func (h *host) perform(o *operation, todo work) {
	defer h.all.Done()
	answer := reply{ID: o.ID, Done: true}
	answer.Result, answer.Error = attempt(h.ctx, o, todo)
	h.lock.Lock()
	delete(h.running, o.ID)
	if h.busy[o.Stack] == o.ID {
		delete(h.busy, o.Stack)
	}
	h.lock.Unlock()
	o.steps.close()
	h.replies.say(answer)
	o.source.Terminate() // frees the contexts
}

func attempt(ctx context.Context, o *operation, todo work) (result any, failed *failure) {
	defer func() {
		if what := recover(); what != nil {
			diary.Printf("panic in %s of stack %q: %T\n%s", o.Op, o.Stack, what, debug.Stack())
			result, failed = nil, fail(codePanic, fmt.Sprintf("the engine failed in %s: %v", o.Op, what))
		}
	}()
	result, err := todo(ctx, o)
	if err != nil {
		return result, stateFailure(o.Stack, err)
	}
	return result, nil
}

// stop cancels or terminates another request. One that has ended already is no error.
func (h *host) stop(r request, how func(*operation)) error {
	h.lock.Lock()
	o := h.running[r.Target]
	h.lock.Unlock()
	if o != nil {
		how(o)
	}
	h.replies.say(reply{ID: r.ID, Done: true, Result: map[string]bool{"running": o != nil}})
	return nil
}

func (h *host) stopAll(how func(*operation)) {
	h.lock.Lock()
	defer h.lock.Unlock()
	for _, o := range h.running {
		how(o)
	}
}

func (h *host) shutdown(r request) error {
	h.lock.Lock()
	again := h.closing
	h.closing = true
	h.lock.Unlock()
	if again {
		return fail(codeBadRequest, "the engine host is shutting down")
	}
	go func() {
		h.stopAll((*operation).cancel)
		h.all.Wait()
		h.replies.say(reply{ID: r.ID, Done: true, Result: struct{}{}})
		close(h.ended)
	}()
	return nil
}

// finish cancels what runs and waits until it is saved.
func (h *host) finish() {
	h.lock.Lock()
	h.closing = true
	opened := h.environment
	h.lock.Unlock()
	h.stopAll((*operation).cancel)
	h.all.Wait()
	if opened != nil {
		opened.close()
	}
}
