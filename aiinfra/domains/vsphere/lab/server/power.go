// Power: PowerOnVM_Task, PowerOnMultiVM_Task by way of DRS, PowerOffVM_Task.

package main

import (
	"slices"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// PowerOnVMTask starts a task that starts a VM on the host that it is on.
func (d *desk) PowerOnVMTask(ctx *simulator.Context, req *types.PowerOnVM_Task) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	if vm.Config.Template {
		return invalidState().answer()
	}
	return &methods.PowerOnVM_TaskBody{Res: &types.PowerOnVM_TaskResponse{Returnval: d.startPowerOn(ctx, vm, false)}}
}

func (d *desk) startPowerOn(ctx *simulator.Context, vm *simulator.VirtualMachine, automatic bool) ref {
	return d.start(ctx, vm, "PowerOnVM_Task", vm.Name, func(j *job) (types.AnyType, *refusal) { return nil, j.powerOn(vm, automatic) })
}

// PowerOnMultiVMTask: DRS chooses the hosts. Where it may only recommend, it says so and starts nothing, unless the
// caller overrides that (OverrideAutomationLevel).
func (d *desk) PowerOnMultiVMTask(ctx *simulator.Context, req *types.PowerOnMultiVM_Task) soap.HasFault {
	dc, ok := d.registry.Get(req.This).(*simulator.Datacenter)
	if !ok {
		return gone(req.This).answer()
	}
	override := types.DrsBehavior("")
	for _, option := range req.Option {
		if value := option.GetOptionValue(); value.Key == "OverrideAutomationLevel" {
			behavior, ok := value.Value.(string)
			if !ok {
				return invalidArgument("option").answer()
			}
			override = types.DrsBehavior(behavior)
		}
	}
	task := d.start(ctx, dc, "PowerOnMultiVM_Task", dc.Name, func(j *job) (types.AnyType, *refusal) {
		return d.powerOnEach(ctx, req.Vm, override), nil
	})
	return &methods.PowerOnMultiVM_TaskBody{Res: &types.PowerOnMultiVM_TaskResponse{Returnval: task}}
}

// powerOnEach starts a task for each VM that finds a host, and says why not for each other one.
func (d *desk) powerOnEach(ctx *simulator.Context, vms []ref, override types.DrsBehavior) types.ClusterPowerOnVmResult {
	var result types.ClusterPowerOnVmResult
	for _, each := range vms {
		vm := d.findVM(each)
		if vm == nil {
			result.NotAttempted = append(result.NotAttempted, types.ClusterNotAttemptedVmInfo{Vm: each, Fault: *gone(each).localized()})
			continue
		}
		if vm.Config.Template {
			result.NotAttempted = append(result.NotAttempted, types.ClusterNotAttemptedVmInfo{Vm: each, Fault: *invalidState().localized()})
			continue
		}
		drs := d.hosts[*vm.Runtime.Host].cluster.spec.Drs
		behavior := types.DrsBehavior(drs.Behavior)
		if override != "" {
			behavior = override
		}
		if drs.Enabled && behavior == types.DrsBehaviorManual {
			result.Recommendations = append(result.Recommendations, types.ClusterRecommendation{
				Key: "1", Type: "V1", Time: time.Now(), Rating: 5, Reason: string(types.RecommendationReasonCodePowerOnVm),
				ReasonText: "Power on virtual machine", Target: &each,
			})
			continue
		}
		if refused := d.whyNowhere(vm); refused != nil && drs.Enabled {
			result.NotAttempted = append(result.NotAttempted, types.ClusterNotAttemptedVmInfo{Vm: each, Fault: *refused.localized()})
			continue
		}
		task := d.startPowerOn(ctx, vm, drs.Enabled)
		result.Attempted = append(result.Attempted, types.ClusterAttemptedVmInfo{Vm: each, Task: &task})
	}
	return result
}

// powerOn finds a host, takes what the VM needs there, and shows it running. With `placed` DRS may move it first.
func (w *world) powerOn(vm *simulator.VirtualMachine, placed bool) *refusal {
	if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff {
		return wrongPower(vm.Runtime.PowerState, types.VirtualMachinePowerStatePoweredOn)
	}
	if file := w.missingFile(vm.Config); file != "" {
		return &refusal{&types.FileNotFound{FileFault: types.FileFault{File: file}}, "File " + file + " was not found"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	chosen, grant, refused := w.choose(vm, placed)
	if refused != nil {
		return refused
	}
	was := w.hosts[*vm.Runtime.Host]
	chosen.take(vm.Self, grant)
	w.showPower(vm, types.VirtualMachinePowerStatePoweredOn, chosen, grant)
	w.move(vm, was, chosen)
	w.publish(chosen)
	return nil
}

// showPower sets the power state, and in dynamic devices which card they were given.
func (w *world) showPower(vm *simulator.VirtualMachine, state types.VirtualMachinePowerState, h *host, given *grant) {
	config := assigned(vm.Config, given)
	ctx := w.newContext(nil)
	now := time.Now()
	w.locked(ctx, vm, func() {
		runtime := vm.Runtime
		runtime.PowerState, runtime.Host, runtime.BootTime = state, &h.ref, nil
		if state == types.VirtualMachinePowerStatePoweredOn {
			runtime.BootTime = &now
		}
		vm.Config, vm.Runtime = config, runtime
		summarize(vm)
		w.registry.Update(ctx, vm, []types.PropertyChange{{Name: "runtime.powerState", Val: state}})
	})
}

// assigned writes into dynamic devices which card they have; nothing given takes it out again.
func assigned(config *types.VirtualMachineConfigInfo, given *grant) *types.VirtualMachineConfigInfo {
	dynamic := func(device types.BaseVirtualDevice) *types.VirtualPCIPassthroughDynamicBackingInfo {
		backing, _ := device.GetVirtualDevice().Backing.(*types.VirtualPCIPassthroughDynamicBackingInfo)
		return backing
	}
	if !slices.ContainsFunc(config.Hardware.Device, func(device types.BaseVirtualDevice) bool { return dynamic(device) != nil }) {
		return config
	}
	config = copied(config)
	for i, device := range passthroughDevices(config) {
		if backing := dynamic(device); backing != nil {
			backing.AssignedId = ""
			if given != nil {
				backing.AssignedId = given.assigned[i]
			}
		}
	}
	return config
}

// move puts a VM into the list of another host.
func (w *world) move(vm *simulator.VirtualMachine, from, to *host) {
	if from == to {
		return
	}
	site := w.place(vm)
	site.pool = nil
	site.host = from
	w.link(site, vm.Self, false)
	site.host = to
	w.link(site, vm.Self, true)
}

// PowerOffVMTask starts a task that stops a VM.
func (d *desk) PowerOffVMTask(ctx *simulator.Context, req *types.PowerOffVM_Task) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	task := d.start(ctx, vm, "PowerOffVM_Task", vm.Name, func(j *job) (types.AnyType, *refusal) { return nil, j.powerOff(vm) })
	return &methods.PowerOffVM_TaskBody{Res: &types.PowerOffVM_TaskResponse{Returnval: task}}
}

// powerOff gives back what the VM took of its host.
func (w *world) powerOff(vm *simulator.VirtualMachine) *refusal {
	if vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOff {
		return wrongPower(vm.Runtime.PowerState, types.VirtualMachinePowerStatePoweredOff)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hosts[*vm.Runtime.Host]
	h.release(vm.Self)
	w.showPower(vm, types.VirtualMachinePowerStatePoweredOff, h, nil)
	w.publish(h)
	return nil
}
