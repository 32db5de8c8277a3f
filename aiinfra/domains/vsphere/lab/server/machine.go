// VMs as objects of the inventory: where they stand, their summaries, and their names.

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

// machine is where a VM stands: what making one needs besides its configuration.
type machine struct {
	dc        *datacenter
	folder    ref
	pool      *ref // nil for a template
	host      *host
	datastore ref
	config    *types.VirtualMachineConfigInfo
}

// add puts the VM in its folder, unless one of that name is there.
func (w *world) add(m machine) (*simulator.VirtualMachine, *refusal) {
	vm := &simulator.VirtualMachine{DataSets: map[string]*simulator.DataSet{}}
	vm.Name = m.config.Name
	vm.Config = m.config
	vm.ResourcePool = m.pool
	vm.Datastore = []ref{m.datastore}
	vm.Guest = &types.GuestInfo{
		ToolsStatus:        types.VirtualMachineToolsStatusToolsNotInstalled,
		ToolsRunningStatus: string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning),
		ToolsVersion:       "0", GuestState: string(types.VirtualMachineGuestStateNotRunning),
	}
	vm.Runtime = types.VirtualMachineRuntimeInfo{
		Host:                &m.host.ref,
		ConnectionState:     types.VirtualMachineConnectionStateConnected,
		PowerState:          types.VirtualMachinePowerStatePoweredOff,
		FaultToleranceState: types.VirtualMachineFaultToleranceStateNotConfigured,
		RecordReplayState:   types.VirtualMachineRecordReplayStateInactive,
	}
	vm.Layout = &types.VirtualMachineFileLayout{}
	vm.LayoutEx = &types.VirtualMachineFileLayoutEx{Timestamp: time.Now()}
	vm.Storage = &types.VirtualMachineStorageInfo{Timestamp: time.Now()}
	vm.EnvironmentBrowser = *w.registry.Get(m.host.cluster.ref).(*simulator.ClusterComputeResource).EnvironmentBrowser
	for _, network := range sortedKeys(m.dc.networks) {
		if hasNetwork(m.config, network) {
			vm.Network = append(vm.Network, m.dc.networks[network])
		}
	}
	folder := w.registry.Get(m.folder).(*simulator.Folder)
	ctx := w.newContext(nil)
	var refused *refusal
	w.locked(ctx, folder.Self, func() {
		if taken := w.registry.FindByName(vm.Name, folder.ChildEntity); taken != nil {
			refused = duplicateName(vm.Name, taken.Reference())
			return
		}
		vm.Self = ref{Type: "VirtualMachine", Value: fmt.Sprintf("vm-%d", w.next())}
		vm.Summary.Vm = &vm.Self
		summarize(vm)
		folder.ChildEntity = entered(folder.ChildEntity, vm.Self) // first: open views look there when it is put
		w.registry.PutEntity(folder, vm)
	})
	if refused != nil {
		return nil, refused
	}
	w.link(m, vm.Self, true)
	return vm, nil
}

// link enters the VM in the lists of its host, datastore and pool, or takes it out of them.
func (w *world) link(m machine, vm ref, enter bool) {
	ctx := w.newContext(nil)
	change := func(at ref, list func() *[]ref) {
		w.locked(ctx, at, func() {
			kept := append([]ref(nil), *list()...)
			if enter {
				kept = append(kept, vm)
			} else {
				simulator.RemoveReference(&kept, vm)
			}
			*list() = kept
		})
	}
	change(m.host.ref, func() *[]ref { return &w.registry.Get(m.host.ref).(*simulator.HostSystem).Vm })
	change(m.datastore, func() *[]ref { return &w.registry.Get(m.datastore).(*simulator.Datastore).Vm })
	if m.pool == nil {
		return
	}
	if pool, ok := w.registry.Get(*m.pool).(*simulator.ResourcePool); ok {
		change(pool.Self, func() *[]ref { return &pool.Vm })
	}
}

// summarize makes the summary of the VM say what its configuration says.
func summarize(vm *simulator.VirtualMachine) {
	config := vm.Config
	vm.Summary.Config = types.VirtualMachineConfigSummary{
		Name: config.Name, Template: config.Template, VmPathName: config.Files.VmPathName, MemorySizeMB: config.Hardware.MemoryMB,
		NumCpu: config.Hardware.NumCPU, Uuid: config.Uuid, InstanceUuid: config.InstanceUuid, GuestId: config.GuestId,
		GuestFullName: config.GuestFullName, Annotation: config.Annotation, HwVersion: config.Version,
		ManagedBy: config.ManagedBy, TpmPresent: types.NewBool(false),
	}
	for _, device := range config.Hardware.Device {
		switch device := device.(type) {
		case *types.VirtualDisk:
			vm.Summary.Config.NumVirtualDisks++
		case types.BaseVirtualEthernetCard:
			vm.Summary.Config.NumEthernetCards++
		case *types.VirtualPCIPassthrough:
			if _, ok := device.Backing.(*types.VirtualPCIPassthroughVmiopBackingInfo); ok {
				vm.Summary.Config.NumVmiopBackings++
			}
		}
	}
	vm.Summary.Runtime = vm.Runtime
	vm.Summary.Guest = &types.VirtualMachineGuestSummary{ToolsStatus: vm.Guest.ToolsStatus, GuestId: config.GuestId}
	vm.Summary.Storage = &types.VirtualMachineStorageSummary{Timestamp: time.Now(), Committed: diskBytes(config)}
	vm.Summary.OverallStatus = types.ManagedEntityStatusGreen
	vm.Summary.QuickStats.GuestHeartbeatStatus = types.ManagedEntityStatusGray
}

// change replaces the configuration of a VM; who reads it meanwhile reads the old one or the new one.
func (w *world) change(vm *simulator.VirtualMachine, config *types.VirtualMachineConfigInfo) {
	ctx := w.newContext(nil)
	now := time.Now()
	config.Modified, config.ChangeVersion = now, now.UTC().Format(time.RFC3339Nano)
	w.locked(ctx, vm, func() {
		vm.Config, vm.Name = config, config.Name
		summarize(vm)
		w.registry.Update(ctx, vm, []types.PropertyChange{{Name: "config.modified", Val: now}})
	})
}

// findVM is nil when there is no such VM.
func (w *world) findVM(of ref) *simulator.VirtualMachine {
	vm, _ := w.registry.Get(of).(*simulator.VirtualMachine)
	return vm
}

func (w *world) isTemplate(of ref) bool {
	vm := w.findVM(of)
	return vm != nil && vm.Config.Template
}

// place is where a VM is now.
func (w *world) place(vm *simulator.VirtualMachine) machine {
	return machine{
		dc: w.datacenterOf(vm), folder: *vm.Parent, pool: vm.ResourcePool, host: w.hosts[*vm.Runtime.Host],
		datastore: vm.Datastore[0], config: vm.Config,
	}
}

var escaped = regexp.MustCompile(`^([^%/\\]|%2[fF]|%5[cC]|%25)+$`)

// validName: at most 80 characters; slash, backslash and percent sign only as %2f, %5c, %25.
func validName(name string) bool {
	return utf8.RuneCountInString(name) <= 80 && escaped.MatchString(name)
}

// copied is a deep copy, by way of the wire's format.
func copied[T any](source *T) *T {
	raw, err := xml.Marshal(source)
	if err != nil {
		panic(err)
	}
	decoder := xml.NewDecoder(bytes.NewReader(raw))
	decoder.TypeFunc = types.TypeFunc()
	into := new(T)
	if err := decoder.Decode(into); err != nil {
		panic(err)
	}
	return into
}

// renamed gives a configuration the identity of a VM of its own: name, ids, files.
func renamed(config *types.VirtualMachineConfigInfo, name, datastore string) {
	now := time.Now()
	config.Name, config.CreateDate = name, &now
	config.Uuid, config.InstanceUuid = uuid.NewString(), uuid.NewString()
	folder := fmt.Sprintf("[%s] %s/", datastore, strings.ReplaceAll(name, "%2f", "_"))
	config.Files = types.VirtualMachineFileInfo{
		VmPathName: folder + name + ".vmx", SnapshotDirectory: folder, SuspendDirectory: folder, LogDirectory: folder,
	}
}

func hasNetwork(config *types.VirtualMachineConfigInfo, name string) bool {
	for _, device := range config.Hardware.Device {
		backing, ok := device.GetVirtualDevice().Backing.(*types.VirtualEthernetCardNetworkBackingInfo)
		if ok && backing.DeviceName == name {
			return true
		}
	}
	return false
}
