package main

import (
	"fmt"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// buildVM makes a VM of the description, by the ways that a client has.
func (w *world) buildVM(dc *datacenter, said *vmSaid) error {
	h := dc.hostFor(said)
	if h == nil {
		return fmt.Errorf("there is no host for it")
	}
	store := dc.datastores[dc.said.Datastores[0].Name]
	if said.Datastore != "" {
		store = dc.datastores[said.Datastore]
	}
	network := sortedKeys(dc.networks)[0]
	if len(dc.said.Networks) > 0 {
		network = dc.said.Networks[0]
	}
	spec, err := said.described(store, network, h)
	if err != nil {
		return err
	}
	site := machine{dc: dc, folder: dc.folders[said.Folder], pool: &h.cluster.pool, host: h, datastore: store}
	site.config = blank(said.Name, w.datastoreName(store))
	if refused := w.configure(site.config, spec, site, false); refused != nil {
		return fmt.Errorf("%s", refused.message)
	}
	if said.Template {
		site.config.Template, site.pool = true, nil
	}
	vm, refused := w.add(site)
	if refused != nil {
		return fmt.Errorf("%s", refused.message)
	}
	for i := range said.Snapshots {
		w.snapshot(vm, fmt.Sprintf("snapshot-%d", i+1), "")
	}
	if said.PoweredOn {
		if refused := w.powerOn(vm, false); refused != nil {
			return fmt.Errorf("%s", refused.message)
		}
	}
	return nil
}

func (dc *datacenter) hostFor(said *vmSaid) *host {
	for _, c := range dc.clusters {
		for _, h := range c.hosts {
			if said.Host == h.said.Name || said.Host == "" && (said.Cluster == "" || said.Cluster == c.said.Name) {
				return h
			}
		}
	}
	return nil
}

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

func onlyTexts(spec *types.VirtualMachineConfigSpec) bool {
	rest := *spec
	rest.Name, rest.Annotation = "", ""
	raw := fmt.Sprintf("%+v", rest)
	return raw == fmt.Sprintf("%+v", types.VirtualMachineConfigSpec{})
}

func (w *world) freeName(vm *simulator.VirtualMachine, name string) *refusal {
	if !validName(name) {
		return invalidName(name)
	}
	folder := w.registry.Get(*vm.Parent).(*simulator.Folder)
	if taken := w.registry.FindByName(name, folder.ChildEntity); taken != nil && taken.Reference() != vm.Self {
		return duplicateName(name, taken.Reference())
	}
	return nil
}

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
	vm.ResourcePool = nil
	d.change(vm, config)
	return &methods.MarkAsTemplateBody{Res: &types.MarkAsTemplateResponse{}}
}

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
	vm.ResourcePool, vm.Runtime.Host = &req.Pool, &site.host.ref
	d.link(site, vm.Self, true)
	d.change(vm, config)
	return &methods.MarkAsVirtualMachineBody{Res: &types.MarkAsVirtualMachineResponse{}}
}

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

func (d *desk) DestroyTask(ctx *simulator.Context, req *types.Destroy_Task) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	task := d.start(ctx, vm, "Destroy_Task", vm.Name, func(j *job) (types.AnyType, *refusal) { return nil, j.remove(vm, true) })
	return &methods.Destroy_TaskBody{Res: &types.Destroy_TaskResponse{Returnval: task}}
}

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

func (d *desk) RelocateVMTask(ctx *simulator.Context, req *types.RelocateVM_Task) soap.HasFault {
	return notSupported().answer()
}

func (d *desk) CreateVMTask(ctx *simulator.Context, req *types.CreateVM_Task) soap.HasFault {
	folder, ok := d.registry.Get(req.This).(*simulator.Folder)
	if !ok {
		return gone(req.This).answer()
	}
	task := d.start(ctx, folder, "CreateVM_Task", req.Config.Name, func(j *job) (types.AnyType, *refusal) {
		vm, refused := j.create(&req.Config, folder.Self, req.Pool, req.Host)
		if refused != nil {
			return nil, refused
		}
		return vm.Self, nil
	})
	return &methods.CreateVM_TaskBody{Res: &types.CreateVM_TaskResponse{Returnval: task}}
}

// create makes a VM from nothing but a spec.
func (w *world) create(spec *types.VirtualMachineConfigSpec, folder, pool ref, on *ref) (*simulator.VirtualMachine, *refusal) {
	c := w.clusterOfPool(pool)
	if c == nil {
		return nil, gone(pool)
	}
	if !validName(spec.Name) {
		return nil, invalidName(spec.Name)
	}
	site := machine{dc: c.dc, folder: folder, pool: &pool, host: c.anyHost()}
	if on != nil && w.hosts[*on] != nil {
		site.host = w.hosts[*on]
	}
	store, refused := datastoreOf(spec, c.dc)
	if refused != nil {
		return nil, refused
	}
	site.datastore = store
	site.config = blank(spec.Name, w.datastoreName(store))
	if refused := w.configure(site.config, spec, site, false); refused != nil {
		w.freeDisks(site.config)
		return nil, refused
	}
	vm, refused := w.add(site)
	if refused != nil {
		w.freeDisks(site.config)
	}
	return vm, refused
}

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
	w.registry.WithLock(w.newContext(nil), vm, func() {
		vm.Snapshot = info
		vm.RootSnapshot = append(vm.RootSnapshot[:len(vm.RootSnapshot):len(vm.RootSnapshot)], made.Self)
	})
	return made.Self
}

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

func (d *desk) RemoveAllSnapshotsTask(ctx *simulator.Context, req *types.RemoveAllSnapshots_Task) soap.HasFault {
	vm := d.findVM(req.This)
	if vm == nil {
		return gone(req.This).answer()
	}
	task := d.start(ctx, vm, "RemoveAllSnapshots_Task", vm.Name, func(j *job) (types.AnyType, *refusal) {
		j.registry.WithLock(j.ctx, vm, func() { vm.Snapshot, vm.RootSnapshot = nil, nil })
		return nil, nil
	})
	return &methods.RemoveAllSnapshots_TaskBody{Res: &types.RemoveAllSnapshots_TaskResponse{Returnval: task}}
}
