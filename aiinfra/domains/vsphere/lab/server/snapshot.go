// Snapshots of VMs.

package main

import (
	"fmt"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// snapshot makes a snapshot of a VM the current one.
func (w *world) snapshot(vm *simulator.VirtualMachine, name, description string) ref {
	made := &simulator.VirtualMachineSnapshot{}
	made.Vm, made.Config = vm.Self, *vm.Config
	made.Self = ref{Type: "VirtualMachineSnapshot", Value: fmt.Sprintf("snapshot-%d", w.next())}
	w.registry.Put(made)
	info := &types.VirtualMachineSnapshotInfo{CurrentSnapshot: &made.Self}
	if vm.Snapshot != nil {
		info.RootSnapshotList = vm.Snapshot.RootSnapshotList
	}
	info.RootSnapshotList = append(info.RootSnapshotList[:len(info.RootSnapshotList):len(info.RootSnapshotList)], types.VirtualMachineSnapshotTree{
		Snapshot: made.Self, Vm: vm.Self, Name: name, Description: description, CreateTime: time.Now(),
		State: vm.Runtime.PowerState, Id: int32(len(info.RootSnapshotList) + 1),
	})
	w.locked(w.newContext(nil), vm, func() {
		vm.Snapshot = info
		vm.RootSnapshot = append(vm.RootSnapshot[:len(vm.RootSnapshot):len(vm.RootSnapshot)], made.Self)
	})
	return made.Self
}

// CreateSnapshotTask starts a task that makes a snapshot.
func (d *desk) CreateSnapshotTask(ctx *simulator.Context, req *types.CreateSnapshot_Task) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	task := d.start(ctx, vm, "CreateSnapshot_Task", vm.Name, func(j *job) (types.AnyType, *refusal) {
		if vm.Config.Template {
			return nil, notSupported()
		}
		return j.snapshot(vm, req.Name, req.Description), nil
	})
	return &methods.CreateSnapshot_TaskBody{Res: &types.CreateSnapshot_TaskResponse{Returnval: task}}
}

// RemoveAllSnapshotsTask starts a task that removes all snapshots of a VM.
func (d *desk) RemoveAllSnapshotsTask(ctx *simulator.Context, req *types.RemoveAllSnapshots_Task) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	task := d.start(ctx, vm, "RemoveAllSnapshots_Task", vm.Name, func(j *job) (types.AnyType, *refusal) {
		j.locked(j.ctx, vm, func() { vm.Snapshot, vm.RootSnapshot = nil, nil })
		return nil, nil
	})
	return &methods.RemoveAllSnapshots_TaskBody{Res: &types.RemoveAllSnapshots_TaskResponse{Returnval: task}}
}
