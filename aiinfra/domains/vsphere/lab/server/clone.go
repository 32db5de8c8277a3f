// CloneVM_Task: where a clone will stand, what it has from its source, and what the spec changes.

package main

import (
	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// CloneVMTask starts a task that makes a clone: it has all that its source has, but for names, ids and addresses; then
// what the spec changes.
func (d *desk) CloneVMTask(ctx *simulator.Context, req *types.CloneVM_Task) soap.HasFault {
	source := d.findVM(req.This)
	if source == nil {
		return gone(req.This).answer()
	}
	if _, ok := d.registry.Get(req.Folder).(*simulator.Folder); !ok {
		return gone(req.Folder).answer()
	}
	if !validName(req.Name) {
		return invalidName(req.Name).answer()
	}
	task := d.start(ctx, source, "CloneVM_Task", req.Name, func(j *job) (types.AnyType, *refusal) { return j.clone(source, req) })
	return &methods.CloneVM_TaskBody{Res: &types.CloneVM_TaskResponse{Returnval: task}}
}

// clone is the work of CloneVM_Task; its result is the reference of the new VM.
func (j *job) clone(source *simulator.VirtualMachine, req *types.CloneVM_Task) (types.AnyType, *refusal) {
	site, refused := j.cloneSite(source, req)
	if refused != nil {
		return nil, refused
	}
	if taken := j.childNamed(j.registry.Get(req.Folder).(*simulator.Folder), req.Name); taken != nil {
		return nil, duplicateName(req.Name, taken.Reference())
	}
	config := copied(source.Config)
	config.Template = false
	renamed(config, req.Name, j.datastoreName(site.datastore))
	linked, refused := linkedClone(source, &req.Spec)
	if refused != nil {
		return nil, refused
	}
	if refused := j.cloneDevices(config, site, linked); refused != nil {
		return nil, refused
	}
	halfway := j.faults.failsHalfway(req.Name)
	if refused := j.cloneConfig(config, &req.Spec, site, halfway); refused != nil {
		j.freeDisks(config)
		return nil, refused
	}
	config.Template = req.Spec.Template && !halfway
	if config.Template {
		site.pool = nil
	}
	site.config = config
	made, refused := j.add(site)
	if refused != nil {
		j.freeDisks(config)
		return nil, refused
	}
	if halfway {
		return nil, &refusal{&types.HostCommunication{}, "An error occurred while communicating with the remote host."}
	}
	if req.Spec.PowerOn && !config.Template {
		if refused := j.powerOn(made, false); refused != nil {
			return nil, refused
		}
	}
	return made.Self, nil
}

// cloneConfig applies the spec. What breaks halfway has got no further than the options, the marks among them.
func (j *job) cloneConfig(config *types.VirtualMachineConfigInfo, spec *types.VirtualMachineCloneSpec, site machine, halfway bool) *refusal {
	changes := []*types.VirtualMachineConfigSpec{{DeviceChange: spec.Location.DeviceChange}}
	if spec.Config != nil {
		change := *spec.Config
		change.Name, change.Files = "", nil
		changes = append(changes, &change)
	}
	if halfway {
		only := &types.VirtualMachineConfigSpec{}
		if spec.Config != nil {
			only.ExtraConfig = spec.Config.ExtraConfig
		}
		changes = []*types.VirtualMachineConfigSpec{only}
	}
	for _, change := range changes {
		if refused := j.configure(config, change, site, false); refused != nil {
			return refused
		}
	}
	return nil
}

// cloneSite is where the clone will stand; a template has no pool that it could inherit.
func (j *job) cloneSite(source *simulator.VirtualMachine, req *types.CloneVM_Task) (machine, *refusal) {
	site := j.place(source)
	site.folder = req.Folder
	to := req.Spec.Location
	if to.Pool != nil {
		site.pool = to.Pool
	}
	if site.pool == nil && !req.Spec.Template {
		return site, invalidArgument("spec.location.pool")
	}
	if to.Datastore != nil {
		store, ok := j.registry.Get(*to.Datastore).(*simulator.Datastore)
		if !ok {
			return site, gone(*to.Datastore)
		}
		if store.Summary.MaintenanceMode != string(types.DatastoreSummaryMaintenanceModeStateNormal) {
			fault := &types.InvalidDatastoreState{DatastoreName: store.Name}
			return site, &refusal{fault, "The operation is not allowed in the current state of datastore '" + store.Name + "'."}
		}
		site.datastore = *to.Datastore
	}
	if site.pool != nil {
		c := j.clusterOfPool(*site.pool)
		if c == nil {
			return site, gone(*site.pool)
		}
		if site.host.cluster != c {
			site.host = c.anyHost()
		}
		site.dc = c.dc
	}
	if to.Host != nil {
		h := j.hosts[*to.Host]
		if h == nil {
			return site, gone(*to.Host)
		}
		site.host = h
	}
	if site.host == nil || site.host.spec.Disconnected {
		return site, &refusal{&types.HostNotConnected{}, "Unable to communicate with the remote host, since it is disconnected."}
	}
	return site, nil
}

// clusterOfPool is the cluster that a resource pool belongs to; nil when there is no such pool.
func (w *world) clusterOfPool(pool ref) *cluster {
	at, _ := w.registry.Get(pool).(*simulator.ResourcePool)
	if at == nil {
		return nil
	}
	for _, dc := range w.datacenters {
		for _, c := range dc.clusters {
			if c.ref == at.Owner {
				return c
			}
		}
	}
	return nil
}

// anyHost is the first host that is connected and not in maintenance, or else the first; nil when there is none.
func (c *cluster) anyHost() *host {
	for _, h := range c.hosts {
		if !h.spec.Disconnected && !h.maintenance {
			return h
		}
	}
	if len(c.hosts) > 0 {
		return c.hosts[0]
	}
	return nil
}

const childDisk = string(types.VirtualMachineRelocateDiskMoveOptionsCreateNewChildDiskBacking)

// linkedClone: its disks are children of the source's, as they were at a snapshot.
func linkedClone(source *simulator.VirtualMachine, spec *types.VirtualMachineCloneSpec) (bool, *refusal) {
	if spec.Location.DiskMoveType != childDisk {
		return false, nil
	}
	if spec.Snapshot == nil || source.Snapshot == nil || source.Snapshot.CurrentSnapshot == nil {
		return false, invalidArgument("spec.snapshot")
	}
	return true, nil
}

// cloneDevices gives the copies of disks and network cards an identity of their own.
func (j *job) cloneDevices(config *types.VirtualMachineConfigInfo, site machine, linked bool) *refusal {
	var taken []*types.VirtualDisk
	for _, device := range config.Hardware.Device {
		switch device := device.(type) {
		case *types.VirtualDisk:
			backing := device.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
			if linked {
				parent := *backing
				backing.Parent = &parent
			} else {
				backing.Parent = nil
			}
			backing.Datastore = &site.datastore
			if refused := j.addDisk(config, device, site); refused != nil {
				for _, disk := range taken {
					j.removeDisk(disk, types.VirtualDeviceConfigSpecFileOperationDestroy)
				}
				return refused
			}
			taken = append(taken, device)
		case types.BaseVirtualEthernetCard:
			card := device.GetVirtualEthernetCard()
			card.MacAddress, card.ExternalId = "", ""
			if refused := connect(card, config, site, j.world); refused != nil {
				return refused
			}
		case *types.VirtualPCIPassthrough:
			if backing, ok := device.Backing.(*types.VirtualPCIPassthroughDynamicBackingInfo); ok {
				backing.AssignedId = ""
			}
		}
	}
	config.VmStorageObjectId, config.Uuid = "", uuid.NewString()
	return nil
}

// freeDisks gives back what the disks of a configuration took of datastores.
func (w *world) freeDisks(config *types.VirtualMachineConfigInfo) {
	for _, device := range config.Hardware.Device {
		w.removeDisk(device, types.VirtualDeviceConfigSpecFileOperationDestroy)
	}
}
