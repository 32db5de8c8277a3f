package main

import (
	"bytes"
	"context"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// smallWorld has one host and one VM.
func smallWorld(t *testing.T) *world {
	t.Helper()
	d := &description{User: "u", Password: "p", Datacenters: []datacenterSpec{{
		Name:       "dc1",
		Datastores: []datastoreSpec{{Name: "ssd", CapacityMib: 1 << 20, FreeMib: 1 << 20}},
		Clusters:   []clusterSpec{{Name: "gpu", Hosts: []hostSpec{{Name: "esx-0", Cards: []cardSpec{*a100()}}}}},
		VMs:        []vmSpec{{Name: "vm", DiskMib: []int64{1024}}},
	}}}
	d.complete()
	w, err := newWorld(d)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// logged is what the server's log holds afterwards.
func logged(t *testing.T) *bytes.Buffer {
	t.Helper()
	var text bytes.Buffer
	log.SetOutput(&text)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	return &text
}

// lockable fails the test when somebody still holds the lock of an object.
func lockable(t *testing.T, w *world, object mo.Reference) {
	t.Helper()
	free := make(chan bool)
	go func() {
		w.locked(w.newContext(nil), object, func() {})
		close(free)
	}()
	select {
	case <-free:
	case <-time.After(5 * time.Second):
		t.Errorf("%s is still locked", object.Reference())
	}
}

func boom() int {
	var nothing []int
	return nothing[0]
}

// trap is a search index that panics while it holds the lock of another object twice.
type trap struct {
	mo.SearchIndex
	w     *world
	other mo.Reference
}

func (t *trap) FindByIp(ctx *simulator.Context, _ *types.FindByIp) soap.HasFault {
	t.w.registry.WithLock(ctx, t.other, func() { t.w.registry.WithLock(ctx, t.other, func() { boom() }) })
	return nil
}

func TestAPanicLeavesNoLock(t *testing.T) {
	w, text := smallWorld(t), logged(t)
	index := &trap{SearchIndex: mo.SearchIndex{Self: w.registry.SearchIndex().Self}, w: w}
	index.other = w.registry.Any("VirtualMachine")
	w.registry.Put(index)
	request := &methods.FindByIpBody{Req: &types.FindByIp{This: index.Self, Ip: "192.0.2.1"}}
	err := w.service.RoundTrip(context.Background(), request, &methods.FindByIpBody{})
	if err == nil || !soap.IsSoapFault(err) {
		t.Fatalf("it is answered with %v", err)
	}
	fault := soap.ToSoapFault(err)
	const want = "This is a bug of the simulated vCenter, not of its client: panic in SearchIndex.FindByIp: " +
		"runtime error: index out of range [0] with length 0. Its log has the stack."
	if _, ok := fault.VimFault().(*types.SystemError); !ok || fault.String != want {
		t.Errorf("%T %s", fault.VimFault(), fault.String)
	}
	if !strings.Contains(text.String(), "panic in SearchIndex.FindByIp") || !strings.Contains(text.String(), ".boom(") {
		t.Errorf("the log holds\n%s", text)
	}
	lockable(t, w, index)
	lockable(t, w, index.other)
}

func TestAJobThatPanicsEndsInAFault(t *testing.T) {
	w, text := smallWorld(t), logged(t)
	vm := w.registry.Any("VirtualMachine")
	task := w.start(w.newContext(nil), vm, "ReconfigVM_Task", "vm", func(j *job) (types.AnyType, *refusal) {
		w.registry.WithLock(j.ctx, vm, func() { boom() })
		return nil, nil
	})
	failed := ended(t, w, task)
	if _, ok := failed.Fault.(*types.SystemError); !ok || !strings.Contains(failed.LocalizedMessage, "panic in ReconfigVM_Task: runtime error") {
		t.Errorf("%T %s", failed.Fault, failed.LocalizedMessage)
	}
	if !strings.Contains(text.String(), ".boom(") {
		t.Errorf("the log holds\n%s", text)
	}
	lockable(t, w, vm)
}

func TestATaskOfVMwaresSimulatorThatPanicsEndsInAFault(t *testing.T) {
	w, _ := smallWorld(t), logged(t)
	vm, host := w.registry.Any("VirtualMachine"), w.registry.Any("HostSystem")
	ctx := w.newContext(nil)
	task := simulator.CreateTask(vm, "anything", func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		w.registry.WithLock(ctx, host, func() { w.registry.WithLock(ctx, vm, func() { boom() }) })
		return nil, nil
	}).Run(ctx)
	if failed := ended(t, w, task); failed == nil {
		t.Error("it did not fail")
	}
	lockable(t, w, vm)
	lockable(t, w, host)
}

// ended waits for the end of a task, and returns its fault.
func ended(t *testing.T, w *world, task ref) *types.LocalizedMethodFault {
	t.Helper()
	done := make(chan *types.LocalizedMethodFault)
	go func() {
		for over := false; !over; time.Sleep(time.Millisecond) {
			w.locked(w.newContext(nil), task, func() {
				info := w.registry.Get(task).(*simulator.Task).Info
				if over = info.State == types.TaskInfoStateError || info.State == types.TaskInfoStateSuccess; over {
					done <- info.Error
				}
			})
		}
	}()
	select {
	case fault := <-done:
		return fault
	case <-time.After(5 * time.Second):
		t.Fatal("the task does not end")
		return nil
	}
}

func TestARequestWhoseHandlerPanicsIsAnswered(t *testing.T) {
	text := logged(t)
	answer := httptest.NewRecorder()
	handler := guardHTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { boom() }))
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/rest/x", nil))
	if answer.Code != http.StatusInternalServerError || !strings.Contains(answer.Body.String(), "panic in GET /rest/x") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if !strings.Contains(text.String(), ".boom(") {
		t.Errorf("the log holds\n%s", text)
	}
}

func TestVMwaresSimulatorKnowsTheTypeOfEveryObject(t *testing.T) {
	for _, object := range smallWorld(t).registry.AllReference("") {
		if _, known := managed(object); !known {
			t.Errorf("%T embeds no managed object, so that a search through all objects panics", object)
		}
	}
}
