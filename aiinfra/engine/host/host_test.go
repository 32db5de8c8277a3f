package main

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// said is an output that a test may read while a host writes.
type said struct {
	sync.Mutex
	bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.Lock()
	defer s.Unlock()
	return s.Buffer.Write(p)
}

// newTestHost gives a host with an environment and one more operation, `try`, that does what the test wants.
func newTestHost(t *testing.T, try work) (*host, *said) {
	t.Helper()
	out := &said{}
	h := newHost(context.Background(), newReplies(out))
	events, err := newEventServer()
	if err != nil {
		t.Fatal(err)
	}
	h.environment = &environment{settings: settings{Project: "p"}, events: events}
	h.works["try"] = try
	changesState["try"] = true
	t.Cleanup(events.stop)
	return h, out
}

func TestAPanicFailsItsOwnRequestOnly(t *testing.T) {
	h, out := newTestHost(t, func(_ context.Context, o *operation) (any, error) {
		if o.Stack == "bad" {
			panic("out of cheese")
		}
		return "fine", nil
	})
	h.handle([]byte(`{"id":"1","op":"try","stack":"bad"}`))
	h.handle([]byte(`{"id":"2","op":"try","stack":"good"}`))
	h.all.Wait()
	answers := map[any]map[string]any{}
	for _, line := range decodeLines(t, out.Bytes()) {
		answers[line["id"]] = line
	}
	failed, _ := answers["1"]["error"].(map[string]any)
	if failed["code"] != codePanic || failed["message"] != "the engine failed in try: out of cheese" {
		t.Errorf("the panic was answered with %v", answers["1"])
	}
	if answers["2"]["result"] != "fine" {
		t.Errorf("the other request was answered with %v", answers["2"])
	}
}

func TestAFinishedIDIsForgotten(t *testing.T) {
	h, _ := newTestHost(t, func(context.Context, *operation) (any, error) { return nil, nil })
	for range 100 {
		h.handle([]byte(`{"id":"same","op":"try","stack":"s"}`))
		h.all.Wait()
	}
	if len(h.running) != 0 || len(h.busy) != 0 {
		t.Errorf("still known: %v, %v", h.running, h.busy)
	}
}

func TestARequestCanBeCancelledFromTheMomentItIsAccepted(t *testing.T) {
	started := make(chan struct{})
	h, out := newTestHost(t, func(_ context.Context, o *operation) (any, error) {
		<-started // the cancel comes before the work has done anything
		select {
		case <-o.context.Canceled():
			return "stopped", nil
		case <-time.After(time.Minute):
			return nil, errors.New("never cancelled")
		}
	})
	h.handle([]byte(`{"id":"1","op":"try","stack":"s"}`))
	h.handle([]byte(`{"id":"2","op":"cancel","target":"1"}`))
	close(started)
	h.all.Wait()
	lines := decodeLines(t, out.Bytes())
	if running := lines[0]["result"].(map[string]any)["running"]; lines[0]["id"] != "2" || running != true {
		t.Errorf("the cancel was answered with %v", lines[0])
	}
	if lines[1]["result"] != "stopped" {
		t.Errorf("the operation was answered with %v", lines[1])
	}
}

func TestAStackHasOneOperationAtATime(t *testing.T) {
	release := make(chan struct{})
	h, out := newTestHost(t, func(context.Context, *operation) (any, error) { <-release; return nil, nil })
	h.handle([]byte(`{"id":"1","op":"try","stack":"s"}`))
	h.handle([]byte(`{"id":"2","op":"try","stack":"s"}`))
	h.handle([]byte(`{"id":"1","op":"try","stack":"other"}`))
	close(release)
	h.all.Wait()
	lines := decodeLines(t, out.Bytes())
	if got := lines[0]["error"].(map[string]any); got["code"] != codeBusy {
		t.Errorf("a second operation was answered with %v", got)
	}
	if got := lines[1]["error"].(map[string]any)["message"]; got != `the id "1" is in use` {
		t.Errorf("a second use of an id was answered with %v", got)
	}
}

func TestNothingStartsWhileTheHostShutsDown(t *testing.T) {
	stopped := make(chan struct{})
	h, out := newTestHost(t, func(_ context.Context, o *operation) (any, error) {
		<-o.context.Canceled()
		<-stopped
		return nil, nil
	})
	h.handle([]byte(`{"id":"1","op":"try","stack":"s"}`))
	h.handle([]byte(`{"id":"2","op":"shutdown"}`))
	h.handle([]byte(`{"id":"3","op":"try","stack":"t"}`))
	close(stopped)
	<-h.ended
	lines := decodeLines(t, out.Bytes())
	if got := lines[0]["error"].(map[string]any)["message"]; got != "the engine host is shutting down" {
		t.Errorf("a late request was answered with %v", got)
	}
	if last := lines[len(lines)-1]; last["id"] != "2" || last["done"] != true {
		t.Errorf("the shutdown was not answered last: %v", last)
	}
}
