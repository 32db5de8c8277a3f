package main

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// failedResource is a resource whose step failed, and what was said about it.
type failedResource struct {
	URN     string `json:"urn"`
	Message string `json:"message"`
}

// watch hears the events of one operation, passes them on masked, and keeps what its result is made of.
type watch struct {
	pass  func(apitype.EngineEvent)
	mask  *mask
	steps *steps

	lock     sync.Mutex
	root     resource.PropertyMap // the stack's own outputs, secrets and unknowns kept
	failed   []string             // URNs, in order
	messages map[string][]string  // by URN; "" is what belongs to no resource
	first    string               // what was said first
}

func newWatch(o *operation) *watch {
	w := &watch{
		mask: &mask{}, steps: o.steps, messages: map[string][]string{},
		pass: func(e apitype.EngineEvent) { o.host.replies.say(reply{ID: o.ID, Event: &e}) },
	}
	for _, secret := range o.Hidden {
		w.mask.add(secret)
	}
	return w
}

// raw hears an event from inside the engine.
func (w *watch) raw(e engine.Event) {
	w.mask.learn(e)
	w.keepOutputs(e)
	if e.Internal() {
		return
	}
	converted, err := convert(e)
	if err != nil {
		diary.Printf("an event was not passed on: %v", err)
		return
	}
	w.told(converted)
}

func (w *watch) keepOutputs(e engine.Event) {
	p, is := e.Payload().(engine.ResourceOutputsEventPayload)
	if !is || p.Metadata.Type != resource.RootStackType || p.Metadata.New == nil || p.Metadata.New.State == nil {
		return
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	w.root = p.Metadata.New.State.Outputs
}

// told hears an event in its public form.
func (w *watch) told(e apitype.EngineEvent) {
	strip(&e)
	switch {
	case e.DiagnosticEvent != nil && e.DiagnosticEvent.Severity == string(diag.Debug):
		return
	case e.DiagnosticEvent != nil:
		told := *e.DiagnosticEvent
		told.Message = w.mask.hide(colors.Never.Colorize(told.Message))
		told.Prefix = w.mask.hide(colors.Never.Colorize(told.Prefix))
		e.DiagnosticEvent = &told
		if told.Severity == string(diag.Error) {
			w.say(told.URN, told.Message)
		}
	case e.StdoutEvent != nil:
		e.StdoutEvent.Message = w.mask.hide(colors.Never.Colorize(e.StdoutEvent.Message))
	case e.ErrorEvent != nil:
		e.ErrorEvent.Error = w.mask.hide(e.ErrorEvent.Error)
	case e.ResourcePreEvent != nil:
		w.steps.begin(e.ResourcePreEvent.Metadata)
	case e.ResOutputsEvent != nil:
		w.steps.end(e.ResOutputsEvent.Metadata)
	case e.ResOpFailedEvent != nil:
		w.steps.end(e.ResOpFailedEvent.Metadata)
		w.lock.Lock()
		w.failed = append(w.failed, e.ResOpFailedEvent.Metadata.URN)
		w.lock.Unlock()
	}
	w.pass(e)
}

// strip drops the states from an event that came with them.
func strip(e *apitype.EngineEvent) {
	if step := stepOf(e); step != nil {
		step.Old, step.New = nil, nil
	}
}

func stepOf(e *apitype.EngineEvent) *apitype.StepEventMetadata {
	switch {
	case e.ResourcePreEvent != nil:
		return &e.ResourcePreEvent.Metadata
	case e.ResOutputsEvent != nil:
		return &e.ResOutputsEvent.Metadata
	case e.ResOpFailedEvent != nil:
		return &e.ResOpFailedEvent.Metadata
	}
	return nil
}

func (w *watch) say(urn, message string) {
	w.lock.Lock()
	defer w.lock.Unlock()
	message = strings.TrimSpace(message)
	w.messages[urn] = append(w.messages[urn], message)
	if w.first == "" {
		w.first = message
	}
}

// failures gives the failed resources with what was said about each.
func (w *watch) failures() []failedResource {
	w.lock.Lock()
	defer w.lock.Unlock()
	found := make([]failedResource, 0, len(w.failed))
	for _, urn := range w.failed {
		found = append(found, failedResource{urn, strings.Join(w.messages[urn], "\n")})
	}
	return found
}

// because gives the first thing that went wrong: of a resource, else of the program, else the engine's own word.
func (w *watch) because(err error) string {
	for _, failed := range w.failures() {
		if failed.Message != "" {
			return failed.Message
		}
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.first != "" {
		return w.first
	}
	return w.mask.hide(err.Error())
}

// outputs gives the stack's outputs as the engine saw them, in preview with unknowns.
func (w *watch) outputs() (json.RawMessage, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	return encodeTree(w.root)
}
