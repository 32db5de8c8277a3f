// The faults of a lab: their names and places, and the delays of calls and tasks.

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	faultHostFull       = "vcenter-host-full"
	faultProfileMissing = "profile-missing"
	faultRebootPending  = "reboot-pending"
	faultSessionExpired = "vcenter-session-expired"
	faultCloneHalfway   = "clone-fails-halfway"
	faultTaskHangs      = "task-hangs"
	faultVibMismatch    = "vib-mismatch"
	faultSlow           = "slow"
)

var knownFaults = []string{
	faultHostFull, faultProfileMissing, faultRebootPending, faultSessionExpired, faultCloneHalfway, faultTaskHangs,
	faultVibMismatch, faultSlow,
}

// fault is one thing that is broken now. The place is a host, a host and a profile (`esx-01/grid_a100-40c`), a profile,
// a SOAP method, the name of a VM, or for `slow` a method and milliseconds (`CloneVM_Task:1500`); empty is everywhere.
type fault struct {
	Name  string `json:"name"`
	Place string `json:"place"`
}

func (f fault) check() error {
	if !slices.Contains(knownFaults, f.Name) {
		return fmt.Errorf("no fault is named %q; there are: %s", f.Name, strings.Join(knownFaults, ", "))
	}
	if _, _, ok := f.slow(); f.Name == faultSlow && !ok {
		return fmt.Errorf("the place of %s is a method and milliseconds, such as CloneVM_Task:1500, not %q", faultSlow, f.Place)
	}
	return nil
}

// slow takes the place of a fault `slow` apart: a method, and milliseconds.
func (f fault) slow() (method string, milliseconds int, ok bool) {
	method, text, found := strings.Cut(f.Place, ":")
	milliseconds, err := strconv.Atoi(text)
	return method, milliseconds, found && err == nil && milliseconds >= 0 && method != ""
}

// faults are those that calls and tasks meet; what they do to hosts is done when they are set.
type faults struct {
	mu     sync.Mutex
	now    []fault
	change chan struct{}
}

func newFaults() *faults { return &faults{change: make(chan struct{})} }

// replace lets exactly these faults hold, and wakes who waits for a change.
func (f *faults) replace(all []fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = all
	close(f.change)
	f.change = make(chan struct{})
}

func (f *faults) all() []fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.now)
}

// changed is closed at the next change.
func (f *faults) changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.change
}

func (f *faults) hangs(method, subject string) bool { return f.meets(faultTaskHangs, method, subject) }

func (f *faults) failsHalfway(subject string) bool { return f.meets(faultCloneHalfway, "", subject) }

// meets is true when a fault of the name is everywhere, at the method or at the subject.
func (f *faults) meets(name, method, subject string) bool {
	return slices.ContainsFunc(f.all(), func(one fault) bool {
		return one.Name == name && (one.Place == "" || one.Place == method || one.Place == subject)
	})
}

// delay holds a call up. Those of a task's method are spent in the task.
func (f *faults) delay(delays map[string]int, method string) {
	milliseconds := delays["*"]
	if !strings.HasSuffix(method, "_Task") {
		milliseconds += delays[method]
	}
	for _, one := range f.all() {
		slow, more, _ := one.slow()
		if one.Name == faultSlow && (slow == "*" || slow == method && !strings.HasSuffix(method, "_Task")) {
			milliseconds += more
		}
	}
	pause(milliseconds)
}

// taskDelay is how long a task of the method takes, in milliseconds.
func (f *faults) taskDelay(delays map[string]int, method string) int {
	milliseconds := delays[method]
	for _, one := range f.all() {
		if slow, more, _ := one.slow(); one.Name == faultSlow && slow == method {
			milliseconds += more
		}
	}
	return milliseconds
}
