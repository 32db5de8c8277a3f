package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// grace is how long deletions may go on after an operation was cancelled.
const grace = 3 * time.Second

// ours is how the types begin whose provider has limits of its own and ends when it is told to.
const ours = "aiinfra:"

// steps ends what a plugin does not end by itself. The official Kubernetes plugin gives an uninstall of Helm neither a
// limit nor a way to cancel it (pulumi-kubernetes v4.32.0 provider/pkg/provider/helm_release.go, Delete): a hook that
// cannot run would hold it for ever.
type steps struct {
	limit     time.Duration // that one step may take; 0 is for ever
	terminate func()
	told      func(text string)

	lock    sync.Mutex
	running map[string]*step
	stopped bool
	late    *failedResource // the step that ended the operation by its length
}

type step struct {
	deletes bool // a deletion by a plugin of others
	timer   *time.Timer
}

// changes are the operations that a limit is for.
var changes = map[apitype.OpType]string{
	apitype.OpCreate: "created", apitype.OpUpdate: "updated", apitype.OpDelete: "deleted",
	apitype.OpCreateReplacement: "created", apitype.OpDeleteReplaced: "deleted",
}

func (s *steps) begin(m apitype.StepEventMetadata) {
	done, changes := changes[m.Op]
	if !changes || strings.HasPrefix(m.Type, "pulumi:") {
		return
	}
	foreign := !strings.HasPrefix(m.Type, ours)
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.running == nil {
		s.running = map[string]*step{}
	}
	began := &step{deletes: foreign && done == "deleted"}
	if foreign && s.limit > 0 {
		began.timer = time.AfterFunc(s.limit, func() { s.overdue(m, done) })
	}
	s.running[key(m)] = began
}

func (s *steps) end(m apitype.StepEventMetadata) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if known := s.running[key(m)]; known != nil {
		if known.timer != nil {
			known.timer.Stop()
		}
		delete(s.running, key(m))
	}
	s.abandon()
}

// overdue ends the operation for a step that takes longer than it may.
func (s *steps) overdue(m apitype.StepEventMetadata, done string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.running[key(m)] == nil || s.late != nil {
		return
	}
	kind, name := m.Type[strings.LastIndex(m.Type, ":")+1:], m.URN[strings.LastIndex(m.URN, "::")+2:]
	s.late = &failedResource{m.URN, fmt.Sprintf("%s %s was not %s after %.0f s", kind, name, done, s.limit.Seconds())}
	s.terminate()
}

// cancelled gives deletions a while to end.
func (s *steps) cancelled() {
	time.AfterFunc(grace, func() {
		s.lock.Lock()
		defer s.lock.Unlock()
		s.stopped = true
		s.abandon()
	})
}

// abandon ends an operation that was cancelled when nothing but deletions runs any more. A deletion that is cut off is
// done again by the next destroy; what a creation that is cut off has made would be lost to the state.
func (s *steps) abandon() {
	if !s.stopped || len(s.running) == 0 {
		return
	}
	for _, running := range s.running {
		if !running.deletes {
			return
		}
	}
	s.stopped = false
	s.told("what is still being deleted is left to itself: the next destroy goes on with it")
	s.terminate()
}

func (s *steps) overran() *failedResource {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.late
}

func (s *steps) close() {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, running := range s.running {
		if running.timer != nil {
			running.timer.Stop()
		}
	}
	s.running = nil
}

func key(m apitype.StepEventMetadata) string { return string(m.Op) + " " + m.URN }
