// What happens to a VM between its start and its end: changes, renames, templates, upgrades, removal.

package main

import (
	"fmt"
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// ReconfigVMTask starts a task that changes a VM as a spec says.
func (d *desk) ReconfigVMTask(ctx *simulator.Context, req *types.ReconfigVM_Task) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	task := d.start(ctx, vm, "ReconfigVM_Task", vm.Name, func(j *job) (types.AnyType, *refusal) {
		return nil, j.reconfigure(vm, &req.Spec)
	})
	return &methods.ReconfigVM_TaskBody{Res: &types.ReconfigVM_TaskResponse{Returnval: task}}
}

// reconfigure applies the spec whole or not at all. Of a template only name and notes can be changed.
func (j *job) reconfigure(vm *simulator.VirtualMachine, spec *types.VirtualMachineConfigSpec) *refusal {
	if vm.Config.Template && !onlyTexts(spec) {
		return notSupported()
	}
	if spec.Name != "" && spec.Name != vm.Name {
		if refused := j.freeName(vm, spec.Name); refused != nil {
			return refused
		}
	}
	config := copied(vm.Config)
	on := vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
	if refused := j.configure(config, spec, j.place(vm), on); refused != nil {
		return refused
	}
	j.change(vm, config)
	return nil
}

// onlyTexts is true when a spec changes nothing but the name and the notes.
func onlyTexts(spec *types.VirtualMachineConfigSpec) bool {
	rest := *spec
	rest.Name, rest.Annotation = "", ""
	raw := fmt.Sprintf("%+v", rest)
	return raw == fmt.Sprintf("%+v", types.VirtualMachineConfigSpec{})
}

// freeName refuses a name that is not valid, or that another object of the VM's folder has.
func (w *world) freeName(vm *simulator.VirtualMachine, name string) *refusal {
	if !validName(name) {
		return invalidName(name)
	}
	folder := w.registry.Get(*vm.Parent).(*simulator.Folder)
	if taken := w.childNamed(folder, name); taken != nil && taken.Reference() != vm.Self {
		return duplicateName(name, taken.Reference())
	}
	return nil
}

// RenameTask starts a task that renames a VM.
func (d *desk) RenameTask(ctx *simulator.Context, req *types.Rename_Task) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	task := d.start(ctx, vm, "Rename_Task", vm.Name, func(j *job) (types.AnyType, *refusal) {
		if refused := j.freeName(vm, req.NewName); refused != nil {
			return nil, refused
		}
		config := copied(vm.Config)
		config.Name = req.NewName
		j.change(vm, config)
		return nil, nil
	})
	return &methods.Rename_TaskBody{Res: &types.Rename_TaskResponse{Returnval: task}}
}

// MarkAsTemplate turns a VM that is powered off into a template, which is in no resource pool.
func (d *desk) MarkAsTemplate(ctx *simulator.Context, req *types.MarkAsTemplate) soap.HasFault {
	vm := d.findVM(req.This)
	switch {
	case vm == nil:
		return gone(req.This).answer()
	case vm.Config.Template:
		return notSupported().answer()
	case vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff:
		return wrongPower(vm.Runtime.PowerState, types.VirtualMachinePowerStatePoweredOff).answer()
	}
	site := d.place(vm)
	config := copied(vm.Config)
	config.Template = true
	d.link(site, vm.Self, false)
	site.pool = nil
	d.link(site, vm.Self, true)
	d.locked(ctx, vm, func() { vm.ResourcePool = nil })
	d.change(vm, config)
	return &methods.MarkAsTemplateBody{Res: &types.MarkAsTemplateResponse{}}
}

// MarkAsVirtualMachine turns a template into a VM of a resource pool.
func (d *desk) MarkAsVirtualMachine(ctx *simulator.Context, req *types.MarkAsVirtualMachine) soap.HasFault {
	vm := d.findVM(req.This)
	switch {
	case vm == nil:
		return gone(req.This).answer()
	case !vm.Config.Template:
		return notSupported().answer()
	}
	c := d.clusterOfPool(req.Pool)
	if c == nil {
		return invalidArgument("pool").answer()
	}
	site := d.place(vm)
	d.link(site, vm.Self, false)
	if req.Host != nil && d.hosts[*req.Host] != nil {
		site.host = d.hosts[*req.Host]
	}
	site.pool = &req.Pool
	config := copied(vm.Config)
	config.Template = false
	d.locked(ctx, vm, func() { vm.ResourcePool, vm.Runtime.Host = &req.Pool, &site.host.ref })
	d.link(site, vm.Self, true)
	d.change(vm, config)
	return &methods.MarkAsVirtualMachineBody{Res: &types.MarkAsVirtualMachineResponse{}}
}

// UpgradeVMTask starts a task that raises the hardware version of a VM.
func (d *desk) UpgradeVMTask(ctx *simulator.Context, req *types.UpgradeVM_Task) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	task := d.start(ctx, vm, "UpgradeVM_Task", vm.Name, func(j *job) (types.AnyType, *refusal) { return nil, j.upgrade(vm, req.Version) })
	return &methods.UpgradeVM_TaskBody{Res: &types.UpgradeVM_TaskResponse{Returnval: task}}
}

// upgrade sets the hardware version: up only, and no higher than the host knows.
func (j *job) upgrade(vm *simulator.VirtualMachine, asked string) *refusal {
	newest := j.hosts[*vm.Runtime.Host].hardwareVersion()
	if vm.Config.Template {
		return invalidState()
	}
	if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff {
		return wrongPower(vm.Runtime.PowerState, types.VirtualMachinePowerStatePoweredOff)
	}
	wanted := newest
	if asked != "" {
		parsed, err := types.ParseHardwareVersion(asked)
		if err != nil || !parsed.IsSupported() {
			return invalidArgument("version")
		}
		wanted = parsed
	}
	have, _ := types.ParseHardwareVersion(vm.Config.Version)
	if wanted > newest {
		return notSupported()
	}
	if wanted <= have {
		return &refusal{&types.AlreadyUpgraded{}, "The virtual machine's hardware is already up-to-date."}
	}
	config := copied(vm.Config)
	config.Version = wanted.String()
	j.change(vm, config)
	return nil
}

// DestroyTask starts a task that removes a VM with its disks, or a folder with all that is in it.
func (d *desk) DestroyTask(ctx *simulator.Context, req *types.Destroy_Task) soap.HasFault {
	if folder, ok := d.registry.Get(req.This).(*simulator.Folder); ok {
		task := d.start(ctx, folder, "Destroy_Task", folder.Name, func(j *job) (types.AnyType, *refusal) { return nil, j.removeFolder(folder) })
		return &methods.Destroy_TaskBody{Res: &types.Destroy_TaskResponse{Returnval: task}}
	}
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	task := d.start(ctx, vm, "Destroy_Task", vm.Name, func(j *job) (types.AnyType, *refusal) { return nil, j.remove(vm, true) })
	return &methods.Destroy_TaskBody{Res: &types.Destroy_TaskResponse{Returnval: task}}
}

// UnregisterVM removes a VM from the inventory and keeps its disks.
func (d *desk) UnregisterVM(ctx *simulator.Context, req *types.UnregisterVM) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	if refused := d.remove(vm, false); refused != nil {
		return refused.answer()
	}
	return &methods.UnregisterVMBody{Res: &types.UnregisterVMResponse{}}
}

// remove takes a VM that is powered off out of the inventory, and its files from the datastore if `files` is true.
func (w *world) remove(vm *simulator.VirtualMachine, files bool) *refusal {
	if w.findVM(vm.Self) == nil {
		return gone(vm.Self)
	}
	if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff {
		return wrongPower(vm.Runtime.PowerState, types.VirtualMachinePowerStatePoweredOff)
	}
	site := w.place(vm)
	w.link(site, vm.Self, false)
	w.dropChild(&w.registry.Get(site.folder).(*simulator.Folder).Folder, vm.Self)
	if files {
		w.freeDisks(vm.Config)
	}
	return nil
}

// removeFolder takes what is in it along.
func (w *world) removeFolder(folder *simulator.Folder) *refusal {
	if parent, ok := w.registry.Get(*folder.Parent).(*simulator.Folder); !ok || parent.Parent == nil {
		return notSupported()
	}
	for _, child := range slices.Clone(folder.ChildEntity) {
		var refused *refusal
		switch child := w.registry.Get(child).(type) {
		case *simulator.VirtualMachine:
			refused = w.remove(child, true)
		case *simulator.Folder:
			refused = w.removeFolder(child)
		default:
			refused = notSupported() // to take hosts, datastores and datacenters along
		}
		if refused != nil {
			return refused
		}
	}
	w.dropChild(&w.registry.Get(*folder.Parent).(*simulator.Folder).Folder, folder.Self)
	return nil
}
