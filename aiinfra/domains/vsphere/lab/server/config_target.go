package main

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// browser tells what VMs of a cluster, or of one host, can be given.
type browser struct {
	simulator.EnvironmentBrowser
	world   *world
	cluster *cluster
}

func (w *world) installBrowser(c *cluster, object *simulator.ClusterComputeResource) {
	theirs := w.registry.Get(*object.EnvironmentBrowser).(*simulator.EnvironmentBrowser)
	ours := &browser{EnvironmentBrowser: *theirs, world: w, cluster: c}
	newest := types.VMX15
	for _, h := range c.hosts {
		newest = max(newest, h.hardwareVersion())
	}
	for _, version := range types.GetHardwareVersions() {
		if version > newest {
			break
		}
		option := types.VirtualMachineConfigOptionDescriptor{
			Key: version.String(), Description: version.String(), DefaultConfigOption: version == newest,
			CreateSupported: true, RunSupported: true, UpgradeSupported: true,
		}
		for _, h := range c.hosts {
			if h.hardwareVersion() >= version {
				option.Host = append(option.Host, h.ref)
			}
		}
		ours.QueryConfigOptionDescriptorResponse.Returnval = append(ours.QueryConfigOptionDescriptorResponse.Returnval, option)
	}
	w.registry.Put(ours)
}

func (b *browser) QueryConfigTarget(ctx *simulator.Context, req *types.QueryConfigTarget) soap.HasFault {
	b.world.mu.Lock()
	defer b.world.mu.Unlock()
	hosts := b.cluster.hosts
	if req.Host != nil {
		one := b.world.hosts[*req.Host]
		if one == nil || one.cluster != b.cluster {
			return invalidArgument("host").answer()
		}
		if one.said.Disconnected {
			fault := &types.HostNotConnected{}
			return (&refusal{fault, "Unable to communicate with the remote host, since it is disconnected."}).answer()
		}
		hosts = []*host{one}
	}
	target := &types.ConfigTarget{SupportedMaxMemMB: 24 << 20, MaxMemMBOptimalPerf: 24 << 20, AutoVmotion: types.NewBool(false)}
	seen := map[string]bool{}
	for _, h := range hosts {
		target.NumCpus += 2
		target.NumCpuCores += h.said.Cpus
		target.NumNumaNodes += 2
		target.MaxCpusPerHost = max(target.MaxCpusPerHost, h.said.Cpus)
		h.addVgpus(target, seen)
		h.addPassthrough(target, seen)
		h.addGroups(target, seen)
	}
	return &methods.QueryConfigTargetBody{Res: &types.QueryConfigTargetResponse{Returnval: target}}
}

// once says whether the key is new.
func once(seen map[string]bool, format string, args ...any) bool {
	key := fmt.Sprintf(format, args...)
	known := seen[key]
	seen[key] = true
	return !known
}

func (h *host) addVgpus(target *types.ConfigTarget, seen map[string]bool) {
	for _, name := range h.startable() {
		if once(seen, "startable %s", name) {
			target.SharedGpuPassthroughTypes = append(target.SharedGpuPassthroughTypes, types.VirtualMachinePciSharedGpuPassthroughInfo{
				VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: name}, Vgpu: name,
			})
		}
	}
	if versionBelow(h.said.Version, 7, 0, 3) {
		return
	}
	for _, device := range h.vgpuDevices() {
		if once(seen, "device %d", device.DeviceVendorId) {
			target.VgpuDeviceInfo = append(target.VgpuDeviceInfo, device)
		}
	}
	for _, profile := range h.vgpuProfiles() {
		if once(seen, "profile %s %d", profile.ProfileName, profile.DeviceVendorId) {
			target.VgpuProfileInfo = append(target.VgpuProfileInfo, profile)
		}
	}
}

func (h *host) vgpuDevices() []types.VirtualMachineVgpuDeviceInfo {
	var devices []types.VirtualMachineVgpuDeviceInfo
	seen := map[string]bool{}
	for _, c := range h.serving() {
		if !once(seen, "%d", c.deviceVendor()) {
			continue
		}
		device := types.VirtualMachineVgpuDeviceInfo{
			VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: c.said.Name},
			DeviceName:               c.said.Name,
			DeviceVendorId:           c.deviceVendor(),
			TimeSlicedCapable:        true,
			MigCapable:               c.said.MigCapable,
		}
		for _, profile := range c.said.Profiles {
			device.MaxFbSizeInGib = max(device.MaxFbSizeInGib, profile.FrameBufferGib)
			device.ComputeProfileCapable = device.ComputeProfileCapable || profile.Class == "compute"
			device.QuadroProfileCapable = device.QuadroProfileCapable || profile.Class == "quadro"
		}
		devices = append(devices, device)
	}
	return devices
}

func (h *host) vgpuProfiles() []types.VirtualMachineVgpuProfileInfo {
	var profiles []types.VirtualMachineVgpuProfileInfo
	for _, listed := range h.profiles() {
		profiles = append(profiles, types.VirtualMachineVgpuProfileInfo{
			VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: listed.Name},
			ProfileName:              listed.Name,
			DeviceVendorId:           listed.card.deviceVendor(),
			FbSizeInGib:              listed.FrameBufferGib,
			ProfileSharing:           listed.Sharing,
			ProfileClass:             listed.Class,
		})
	}
	return profiles
}

func (h *host) addPassthrough(target *types.ConfigTarget, seen map[string]bool) {
	for _, c := range h.cards {
		own := types.VirtualMachinePciPassthroughInfo{
			VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: c.said.PciID},
			PciDevice:                c.pciDevice(),
			SystemId:                 h.systemID(),
		}
		if c.said.Sriov != nil && c.said.Sriov.Active && !h.passthroughActive(c) {
			target.Sriov = append(target.Sriov, types.VirtualMachineSriovInfo{VirtualMachinePciPassthroughInfo: own})
		}
		if !h.passthroughActive(c) {
			continue
		}
		target.PciPassthrough = append(target.PciPassthrough, &own)
		if once(seen, "dynamic %d %s", c.deviceVendor(), c.passthrough.Label) {
			target.DynamicPassthrough = append(target.DynamicPassthrough, types.VirtualMachineDynamicPassthroughInfo{
				VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: c.said.Name},
				VendorName:               vendorName(c.said.VendorID),
				DeviceName:               c.said.Name,
				CustomLabel:              c.passthrough.Label,
				VendorId:                 int32(c.said.VendorID),
				DeviceId:                 int32(c.said.DeviceID),
			})
		}
	}
}

// systemID names the host in the backing of a device that is passed through statically.
func (h *host) systemID() string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("system/"+h.said.Name)).String()
}

func (h *host) addGroups(target *types.ConfigTarget, seen map[string]bool) {
	if versionBelow(h.said.Version, 8) {
		return
	}
	for _, group := range h.groups {
		if !once(seen, "group %s", group.Name) {
			continue
		}
		info := types.VirtualMachineVendorDeviceGroupInfo{
			VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: group.Name},
			DeviceGroupName:          group.Name,
			DeviceGroupDescription:   group.Description,
		}
		for _, profile := range group.Profiles {
			info.ComponentDeviceInfo = append(info.ComponentDeviceInfo, types.VirtualMachineVendorDeviceGroupInfoComponentDeviceInfo{
				Type: "vmiop", VendorName: "NVIDIA", DeviceName: strings.ToLower(profile), Device: &types.VirtualPCIPassthrough{
					VirtualDevice: types.VirtualDevice{Backing: &types.VirtualPCIPassthroughVmiopBackingInfo{Vgpu: profile}},
				},
			})
		}
		target.VendorDeviceGroupInfo = append(target.VendorDeviceGroupInfo, info)
	}
}
