// Maintenance mode and restarts of hosts.

package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// startMaintenance: a host that VMs run on waits until they are gone; here the task is refused instead of waiting.
func (d *desk) startMaintenance(ctx *simulator.Context, of ref, method string, on bool) (ref, *refusal) {
	object, ok := d.registry.Get(of).(*simulator.HostSystem)
	if !ok {
		return ref{}, gone(of)
	}
	return d.start(ctx, object, method, object.Name, func(j *job) (types.AnyType, *refusal) {
		j.mu.Lock()
		defer j.mu.Unlock()
		h := j.hosts[of]
		if on && len(h.memory) > 0 {
			return nil, &refusal{&types.InvalidState{}, "The operation is not allowed in the current state: virtual machines run on the host."}
		}
		h.maintenance = on
		j.publish(h)
		return nil, nil
	}), nil
}

// RebootHostTask makes effective what waits for a restart.
func (d *desk) RebootHostTask(ctx *simulator.Context, req *types.RebootHost_Task) soap.HasFault {
	object, ok := d.registry.Get(req.This).(*simulator.HostSystem)
	if !ok {
		return gone(req.This).answer()
	}
	task := d.start(ctx, object, "RebootHost_Task", object.Name, func(j *job) (types.AnyType, *refusal) {
		j.mu.Lock()
		defer j.mu.Unlock()
		h := j.hosts[req.This]
		if !req.Force && !h.maintenance {
			return nil, invalidState()
		}
		if len(h.memory) > 0 {
			return nil, invalidState()
		}
		h.restart()
		j.publish(h)
		return nil, nil
	})
	return &methods.RebootHost_TaskBody{Res: &types.RebootHost_TaskResponse{Returnval: task}}
}

// EnterMaintenanceModeTask starts a task that puts a host into maintenance mode.
func (d *desk) EnterMaintenanceModeTask(ctx *simulator.Context, req *types.EnterMaintenanceMode_Task) soap.HasFault {
	task, refused := d.startMaintenance(ctx, req.This, "EnterMaintenanceMode_Task", true)
	if refused != nil {
		return refused.answer()
	}
	return &methods.EnterMaintenanceMode_TaskBody{Res: &types.EnterMaintenanceMode_TaskResponse{Returnval: task}}
}

// ExitMaintenanceModeTask starts a task that takes a host out of maintenance mode.
func (d *desk) ExitMaintenanceModeTask(ctx *simulator.Context, req *types.ExitMaintenanceMode_Task) soap.HasFault {
	task, refused := d.startMaintenance(ctx, req.This, "ExitMaintenanceMode_Task", false)
	if refused != nil {
		return refused.answer()
	}
	return &methods.ExitMaintenanceMode_TaskBody{Res: &types.ExitMaintenanceMode_TaskResponse{Returnval: task}}
}
