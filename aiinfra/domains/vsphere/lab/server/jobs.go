// Tasks: their ids, progress, delays, results and cancellation.

package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// job is a task that runs. Unlike those of VMware's simulator it holds no lock while it waits, and can be canceled.
type job struct {
	*world
	ctx      *simulator.Context
	task     *simulator.Task
	method   string
	subject  string // name of the object that it works on or makes
	canceled chan struct{}
	once     sync.Once
}

// work is what a job does: its result, or why not.
type work func(*job) (types.AnyType, *refusal)

// start begins a task and returns its reference. Its name is the method's, which clients look up among their types.
func (w *world) start(ctx *simulator.Context, entity mo.Entity, method, subject string, do work) ref {
	about := entity.Reference()
	task := &simulator.Task{}
	task.Self = ref{Type: "Task", Value: fmt.Sprintf("task-%d", 1_000_000+w.next())}
	user := ""
	if ctx.Session != nil {
		user = ctx.Session.UserName
	}
	now := time.Now()
	task.Info = types.TaskInfo{
		Key: task.Self.Value, Task: task.Self, Name: method, DescriptionId: descriptionID(about.Type, method),
		Entity: &about, EntityName: entity.Entity().Name, State: types.TaskInfoStateRunning, Cancelable: cancelable[method],
		Reason: &types.TaskReasonUser{UserName: user}, QueueTime: now, StartTime: &now,
	}
	j := &job{
		world: w, ctx: w.newContext(ctx.Session), task: task, method: method, subject: subject, canceled: make(chan struct{}),
	}
	w.jobs.Store(task.Self, j)
	w.registry.Put(task)
	go j.run(do)
	return task.Self
}

// descriptionID is the id that a vCenter gives a task, one of the keys of TaskManager.description.methodInfo. Clients
// know tasks by it: OpenShift's machine controller powers a VM on after a task `VirtualMachine.clone`.
func descriptionID(kind, method string) string {
	switch method {
	case "PowerOnMultiVM_Task":
		return "Datacenter.powerOnVm"
	case "ImportVApp_Task":
		return "ResourcePool.ImportVAppLRO"
	case "CreateVM_Task":
		return "Folder.createVm"
	case "UpgradeVM_Task":
		return "VirtualMachine.upgradeVirtualHardware"
	case "ReconfigVM_Task":
		return "VirtualMachine.reconfigure"
	case "RebootHost_Task":
		return "HostSystem.reboot"
	}
	name := strings.TrimSuffix(strings.TrimSuffix(method, "_Task"), "VM")
	return kind + "." + strings.ToLower(name[:1]) + name[1:]
}

var cancelable = map[string]bool{"CloneVM_Task": true, "CreateVM_Task": true, "RelocateVM_Task": true, "PowerOnVM_Task": true}

// run does the work of a task, and writes into the task how it ended.
func (j *job) run(do work) {
	defer j.jobs.Delete(j.task.Self)
	result, refused := types.AnyType(nil), j.linger()
	if refused == nil {
		result, refused = guarded(j.world, j.ctx, j.method, func() (types.AnyType, *refusal) { return j.inTurn(do) })
	}
	changes := []types.PropertyChange{{Name: "info.completeTime", Val: time.Now()}}
	if refused == nil {
		changes = append(changes,
			types.PropertyChange{Name: "info.progress", Val: int32(100)},
			types.PropertyChange{Name: "info.result", Val: result},
			types.PropertyChange{Name: "info.state", Val: types.TaskInfoStateSuccess})
	} else {
		_, stopped := refused.fault.(*types.RequestCanceled)
		changes = append(changes,
			types.PropertyChange{Name: "info.cancelled", Val: stopped},
			types.PropertyChange{Name: "info.error", Val: *refused.localized()},
			types.PropertyChange{Name: "info.state", Val: types.TaskInfoStateError})
	}
	j.update(j.ctx, j.task, changes)
}

// inTurn lets one change of a VM end before the next begins; clones of it only read.
func (j *job) inTurn(do work) (types.AnyType, *refusal) {
	if j.method != "CloneVM_Task" && j.task.Info.Entity.Type == "VirtualMachine" {
		turn, _ := j.turns.LoadOrStore(*j.task.Info.Entity, &sync.Mutex{})
		turn.(*sync.Mutex).Lock()
		defer turn.(*sync.Mutex).Unlock()
	}
	return do(j)
}

// linger is the time that the work takes on disks and hosts, with progress; and the fault of a task that hangs.
func (j *job) linger() *refusal {
	for {
		changed := j.faults.changed()
		if !j.faults.hangs(j.method, j.subject) {
			break
		}
		j.tell(types.PropertyChange{Name: "info.cancelable", Val: true})
		select {
		case <-j.canceled:
			return canceled()
		case <-changed:
		}
	}
	const steps = 10
	each := time.Duration(j.faults.taskDelay(j.description.Delays, j.method)) * time.Millisecond / steps
	for i := 0; each > 0 && i < steps; i++ {
		select {
		case <-j.canceled:
			return canceled()
		case <-time.After(each):
		}
		j.progress(int32((i + 1) * 90 / steps))
	}
	return nil
}

func (j *job) progress(percent int32) {
	j.tell(types.PropertyChange{Name: "info.progress", Val: percent})
}

func (j *job) tell(change types.PropertyChange) {
	j.update(j.ctx, j.task, []types.PropertyChange{change})
}

// CancelTask stops a task that can be cancelled, before it does its work.
func (d *desk) CancelTask(ctx *simulator.Context, req *types.CancelTask) soap.HasFault {
	found, running := d.jobs.Load(req.This)
	if !running {
		return invalidState().answer()
	}
	j := found.(*job)
	cancelable := false
	d.locked(ctx, j.task, func() { cancelable = j.task.Info.Cancelable })
	if !cancelable {
		return notSupported().answer()
	}
	j.once.Do(func() { close(j.canceled) })
	return &methods.CancelTaskBody{Res: &types.CancelTaskResponse{}}
}

// taskNames repairs the tasks that VMware's simulator makes: a real one has the method's name, and pyVmomi breaks on
// others; and one that panics must not end the process.
type taskNames struct{}

func (*taskNames) Reference() ref { return ref{Type: "TaskNames", Value: "taskNames"} }

func (*taskNames) PutObject(ctx *simulator.Context, object mo.Reference) {
	task, ok := object.(*simulator.Task)
	if !ok {
		return
	}
	if task.Info.Name != "" && !strings.HasSuffix(task.Info.Name, "_Task") {
		task.Info.Name += "_Task"
	}
	guardTask(ctx.Map, task)
}

func (*taskNames) UpdateObject(*simulator.Context, mo.Reference, []types.PropertyChange) {}
func (*taskNames) RemoveObject(*simulator.Context, ref)                                  {}
