// Where a VM starts: the choice of a host, and of cards on it.

package main

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// grant is what a VM was given on a host.
type grant struct {
	memory   int64
	assigned map[int]string // PCI id of the card, by the place of the device among those passed through
}

// choose finds a host for the VM and takes cards for it there. world.mu is held.
func (w *world) choose(vm *simulator.VirtualMachine, placed bool) (*host, *grant, *refusal) {
	current := w.hosts[*vm.Runtime.Host]
	if !placed {
		granted, refused := current.admit(vm)
		return current, granted, refused
	}
	none := &types.NoCompatibleHost{}
	for _, h := range current.cluster.byRoom() {
		_, refused := h.fits(vm)
		if refused == nil {
			h.release(vm.Self)
			granted, refused := h.admit(vm)
			return h, granted, refused
		}
		none.Host = append(none.Host, h.ref)
		none.Error = append(none.Error, *refused.localized())
	}
	return nil, nil, &refusal{none, "No host is compatible with the virtual machine."}
}

// whyNowhere says why DRS finds no host for the VM; nil when it finds one, or when the VM needs none.
func (w *world) whyNowhere(vm *simulator.VirtualMachine) *refusal {
	w.mu.Lock()
	defer w.mu.Unlock()
	if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff {
		return nil
	}
	none := &types.NoCompatibleHost{}
	for _, h := range w.hosts[*vm.Runtime.Host].cluster.byRoom() {
		_, refused := h.fits(vm)
		h.release(vm.Self)
		if refused == nil {
			return nil
		}
		none.Host = append(none.Host, h.ref)
		none.Error = append(none.Error, *refused.localized())
	}
	return &refusal{none, "No host is compatible with the virtual machine."}
}

// byRoom are the hosts of the cluster, those with most free memory first.
func (c *cluster) byRoom() []*host {
	hosts := slices.Clone(c.hosts)
	slices.SortStableFunc(hosts, func(a, b *host) int { return int(b.freeMemory() - a.freeMemory()) })
	return hosts
}

// admit is the start on this host as ESXi does it: first what is wrong with the VM, then what the host lacks.
func (h *host) admit(vm *simulator.VirtualMachine) (*grant, *refusal) {
	if refused := h.checkState(); refused != nil {
		return nil, refused
	}
	if refused := checkReservation(vm.Config); refused != nil {
		return nil, refused
	}
	if refused := h.checkMmio(vm.Config); refused != nil {
		return nil, refused
	}
	return h.fits(vm)
}

// fits takes the cards that the VM needs on this host, or says what the host lacks. Memory is taken by `take`.
func (h *host) fits(vm *simulator.VirtualMachine) (*grant, *refusal) {
	if refused := h.checkState(); refused != nil {
		return nil, refused
	}
	granted := &grant{memory: *vm.Config.MemoryAllocation.Reservation, assigned: map[int]string{}}
	if free := h.freeMemory(); granted.memory > free {
		return nil, noMemory(free, granted.memory)
	}
	if refused := h.checkGroups(vm.Config); refused != nil {
		return nil, refused
	}
	for i, device := range passthroughDevices(vm.Config) {
		given, refused := h.give(vm, device, i)
		if refused != nil {
			h.release(vm.Self)
			return nil, refused
		}
		granted.assigned[i] = given.spec.PciID
	}
	return granted, nil
}

// give takes a card, or a share of one, for a device of a VM. `index` counts the devices, for faults.
func (h *host) give(vm *simulator.VirtualMachine, device *types.VirtualPCIPassthrough, index int) (*card, *refusal) {
	switch backing := device.Backing.(type) {
	case *types.VirtualPCIPassthroughVmiopBackingInfo:
		return h.giveVgpu(vm.Self, backing.Vgpu)
	case *types.VirtualPCIPassthroughDynamicBackingInfo:
		return h.giveDynamic(vm, backing, index)
	case *types.VirtualPCIPassthroughDeviceBackingInfo:
		return h.giveStatic(vm, backing, index)
	}
	return nil, deviceUnavailable(vm.Name, h.spec.Name, index)
}

// giveVgpu puts a vGPU on a card: on the emptiest for performance, on the fullest that has room to consolidate.
func (h *host) giveVgpu(vm ref, name string) (*card, *refusal) {
	if !licensedForVgpus(h.spec.License) {
		return nil, notLicensed("vGPU")
	}
	if h.brokenVib && h.hasDriver() {
		return nil, pluginFails(name)
	}
	var best *card
	for _, c := range h.serving() {
		profile := c.profile(name)
		if profile == nil || !h.lists(profile) || !c.takes(profile) {
			continue
		}
		fuller := best != nil && len(c.vgpus) > len(best.vgpus)
		emptier := best != nil && len(c.vgpus) < len(best.vgpus)
		if best == nil || h.policy == "consolidation" && fuller || h.policy == "performance" && emptier {
			best = c
		}
	}
	if best == nil {
		return nil, noGraphics(name)
	}
	best.vgpus = append(best.vgpus, vgpu{vm, best.profile(name)})
	return best, nil
}

// giveDynamic takes the first idle card of an allowed model that has the label.
func (h *host) giveDynamic(vm *simulator.VirtualMachine, backing *types.VirtualPCIPassthroughDynamicBackingInfo, index int) (*card, *refusal) {
	for _, c := range h.cards {
		fits := slices.ContainsFunc(backing.AllowedDevice, func(allowed types.VirtualPCIPassthroughAllowedDevice) bool { return c.is(allowed) })
		label := backing.CustomLabel == "" || backing.CustomLabel == c.passthrough.Label
		if fits && label && h.passthroughActive(c) && c.idle() {
			c.owner, c.assigned = &vm.Self, true
			return c, nil
		}
	}
	return nil, deviceUnavailable(vm.Name, h.spec.Name, index)
}

// is compares ids as unsigned numbers of 16 bits; a subsystem that is not given may be any.
func (c *card) is(allowed types.VirtualPCIPassthroughAllowedDevice) bool {
	same := func(asked int32, have int) bool { return asked&0xffff == int32(have)&0xffff }
	return same(allowed.VendorId, c.spec.VendorID) && same(allowed.DeviceId, c.spec.DeviceID) &&
		(allowed.SubVendorId == 0 || same(allowed.SubVendorId, c.spec.SubVendorID)) &&
		(allowed.SubDeviceId == 0 || same(allowed.SubDeviceId, c.spec.SubDeviceID))
}

// giveStatic takes the one card that the backing names.
func (h *host) giveStatic(vm *simulator.VirtualMachine, backing *types.VirtualPCIPassthroughDeviceBackingInfo, index int) (*card, *refusal) {
	c := h.card(backing.Id)
	switch {
	case backing.SystemId != h.systemID() || c == nil:
		return nil, deviceUnavailable(vm.Name, h.spec.Name, index)
	case !h.passthroughActive(c):
		return nil, notPassthrough(backing.Id)
	case !c.idle():
		return nil, deviceInUse(backing.Id)
	}
	c.owner = &vm.Self
	return c, nil
}

// checkGroups refuses a VM with a device group that the host has not.
func (h *host) checkGroups(config *types.VirtualMachineConfigInfo) *refusal {
	if config.DeviceGroups == nil {
		return nil
	}
	for _, wanted := range config.DeviceGroups.DeviceGroup {
		vendor, ok := wanted.(*types.VirtualMachineVirtualDeviceGroupsVendorDeviceGroup)
		if ok && !slices.ContainsFunc(h.groups, func(one groupSpec) bool { return strings.EqualFold(one.Name, vendor.DeviceGroupName) }) {
			return deviceUnavailable(config.Name, h.spec.Name, 0)
		}
	}
	return nil
}

// checkState refuses to start VMs on a host that is disconnected or in maintenance.
func (h *host) checkState() *refusal {
	switch {
	case h.spec.Disconnected:
		return &refusal{&types.HostNotConnected{}, "Unable to communicate with the remote host, since it is disconnected."}
	case h.maintenance:
		return &refusal{&types.InvalidHostState{Host: &h.ref}, "The operation is not allowed in the current state of the host."}
	}
	return nil
}

func (h *host) take(vm ref, granted *grant) { h.memory[vm] = granted.memory }

// release takes from a VM whatever it holds of the host.
func (h *host) release(vm ref) {
	delete(h.memory, vm)
	for _, c := range h.cards {
		c.release(vm)
	}
}

func passthroughDevices(config *types.VirtualMachineConfigInfo) []*types.VirtualPCIPassthrough {
	var devices []*types.VirtualPCIPassthrough
	for _, device := range config.Hardware.Device {
		if pci, ok := device.(*types.VirtualPCIPassthrough); ok {
			devices = append(devices, pci)
		}
	}
	return devices
}
