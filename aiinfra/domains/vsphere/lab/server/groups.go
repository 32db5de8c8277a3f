// Device groups (vSphere 8): several vGPUs that a VM is given as one.

package main

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// configureGroups gives a VM the devices of its device groups, unless the spec brings them itself, and takes those of
// groups away that it has no longer.
func (w *world) configureGroups(config *types.VirtualMachineConfigInfo, spec *types.VirtualMachineConfigSpec, site machine) *refusal {
	if spec.DeviceGroups == nil {
		return nil
	}
	keys := map[int32]bool{}
	for _, each := range spec.DeviceGroups.DeviceGroup {
		keys[each.GetVirtualMachineVirtualDeviceGroupsDeviceGroup().GroupInstanceKey] = true
	}
	config.Hardware.Device = slices.DeleteFunc(slices.Clone(config.Hardware.Device), func(one types.BaseVirtualDevice) bool {
		group := one.GetVirtualDevice().DeviceGroupInfo
		return group != nil && !keys[group.GroupInstanceKey]
	})
	for _, each := range spec.DeviceGroups.DeviceGroup {
		vendor, ok := each.(*types.VirtualMachineVirtualDeviceGroupsVendorDeviceGroup)
		if !ok || groupHasDevices(config, vendor.GroupInstanceKey) {
			continue
		}
		for i, profile := range site.host.cluster.groupProfiles(vendor.DeviceGroupName) {
			device := &types.VirtualPCIPassthrough{VirtualDevice: types.VirtualDevice{
				Backing:         &types.VirtualPCIPassthroughVmiopBackingInfo{Vgpu: profile},
				DeviceGroupInfo: &types.VirtualDeviceDeviceGroupInfo{GroupInstanceKey: vendor.GroupInstanceKey, SequenceId: int32(i)},
			}}
			if refused := w.addDevice(config, device, site, int32(i)); refused != nil {
				return refused
			}
		}
	}
	return nil
}

func groupHasDevices(config *types.VirtualMachineConfigInfo, key int32) bool {
	return slices.ContainsFunc(config.Hardware.Device, func(one types.BaseVirtualDevice) bool {
		group := one.GetVirtualDevice().DeviceGroupInfo
		return group != nil && group.GroupInstanceKey == key
	})
}

// groupProfiles are the devices of a group that a host of the cluster has.
func (c *cluster) groupProfiles(name string) []string {
	for _, h := range c.hosts {
		for _, group := range h.groups {
			if strings.EqualFold(group.Name, name) {
				return group.Profiles
			}
		}
	}
	return nil
}
