// What happens when a handler panics. VMware's simulator keeps the locks of the objects that the handler had, and its
// HTTP server drops the connection: the caller sees an end of file, and every later caller waits for ever. Here each
// panic is written to the log with its stack, is answered with a fault that says whose bug it is, and leaves no lock.

package main

import (
	"fmt"
	"log"
	"net/http"
	"reflect"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// simulatorBug logs a panic with the stack of the caller, and returns the fault that stands for it.
func simulatorBug(where string, cause any) *refusal {
	log.Printf("panic in %s: %v\n%s", where, cause, debug.Stack())
	text := fmt.Sprintf("This is a bug of the simulated vCenter, not of its client: panic in %s: %v. Its log has the stack.", where, cause)
	return &refusal{&types.SystemError{Reason: text}, text}
}

// guarded runs a handler. When it panics, its context holds no lock any more and the result is a simulatorBug.
func guarded[T any](w *world, ctx *simulator.Context, where string, handle func() (T, *refusal)) (result T, refused *refusal) {
	defer func() {
		if cause := recover(); cause != nil {
			refused = simulatorBug(where, cause)
			releaseLocks(w.registry, ctx, ref{})
		}
	}()
	return handle()
}

// locked runs f while the object is locked on behalf of the context, and unlocks it also when f panics, which the
// registry's own WithLock does not.
func (w *world) locked(ctx *simulator.Context, object mo.Reference, f func()) {
	defer w.registry.AcquireLock(ctx, object)()
	f()
}

// update changes properties of an object and tells those who wait for changes of it.
func (w *world) update(ctx *simulator.Context, object mo.Reference, changes []types.PropertyChange) {
	w.locked(ctx, object, func() { w.registry.Update(ctx, object, changes) })
}

// releaseLocks unlocks all objects of the registry that are locked on behalf of the context; of `keep`, whose holder
// will unlock it once more, one level stays. The simulator has no function for it, so this reads its private fields;
// TestAPanicLeavesNoLock fails when a new version has others.
func releaseLocks(registry *simulator.Registry, ctx *simulator.Context, keep ref) {
	fields := reflect.ValueOf(registry).Elem()
	guard := private(fields.FieldByName("m")).Addr().Interface().(*sync.Mutex)
	held := map[ref]reflect.Value{}
	guard.Lock()
	for at := private(fields.FieldByName("locks")).MapRange(); at.Next(); {
		held[at.Key().Interface().(ref)] = at.Value()
	}
	guard.Unlock()
	for object, lock := range held {
		levels := heldLevels(lock.Elem(), ctx)
		if object == keep {
			levels--
		}
		for range levels {
			lock.MethodByName("Release").Call([]reflect.Value{reflect.ValueOf(ctx)})
		}
	}
}

// heldLevels is how often the context has taken a lock, 0 when another one holds it or nobody.
func heldLevels(lock reflect.Value, ctx *simulator.Context) int64 {
	guard := private(lock.FieldByName("stateLock")).Addr().Interface().(*sync.Mutex)
	guard.Lock()
	defer guard.Unlock()
	if holder := private(lock.FieldByName("heldBy")); holder.IsNil() || holder.Elem().Interface() != any(ctx) {
		return 0
	}
	return private(lock.FieldByName("count")).Int()
}

// private gives access to a field that is not exported.
func private(field reflect.Value) reflect.Value {
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
}

// guardTask lets a task of VMware's simulator end in a fault when it panics, which would end the process.
func guardTask(registry *simulator.Registry, task *simulator.Task) {
	execute := task.Execute
	if execute == nil { // one of our jobs
		return
	}
	task.Execute = func(t *simulator.Task) (result types.AnyType, fault types.BaseMethodFault) {
		defer func() {
			if cause := recover(); cause != nil {
				result, fault = nil, simulatorBug(t.Info.DescriptionId, cause).fault
				ctx := private(reflect.ValueOf(t).Elem().FieldByName("ctx")).Interface().(*simulator.Context)
				releaseLocks(registry, ctx, *t.Info.Entity)
			}
		}()
		return execute(t)
	}
}

// guardHTTP answers a request whose handler panics, if nothing has been answered yet.
func guardHTTP(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		defer func() {
			if cause := recover(); cause != nil {
				http.Error(out, simulatorBug(in.Method+" "+in.URL.Path, cause).message, http.StatusInternalServerError)
			}
		}()
		handler.ServeHTTP(out, in)
	})
}
