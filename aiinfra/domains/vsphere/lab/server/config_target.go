// The environment browser: which vGPUs, passthrough devices and device groups VMs of a cluster can be given.

package main

import (
	"fmt"

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

// installBrowser puts ours in the place of the cluster's environment browser, with the hardware versions of its hosts.
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

// QueryConfigTarget answers for one host, or for all hosts of the cluster together.
func (b *browser) QueryConfigTarget(ctx *simulator.Context, req *types.QueryConfigTarget) soap.HasFault {
	b.world.mu.Lock()
	defer b.world.mu.Unlock()
	hosts := b.cluster.hosts
	if req.Host != nil {
		one := b.world.hosts[*req.Host]
		if one == nil || one.cluster != b.cluster {
			return invalidArgument("host").answer()
		}
		if one.spec.Disconnected {
			fault := &types.HostNotConnected{}
			return (&refusal{fault, "Unable to communicate with the remote host, since it is disconnected."}).answer()
		}
		hosts = []*host{one}
	}
	target := &types.ConfigTarget{SupportedMaxMemMB: 24 << 20, MaxMemMBOptimalPerf: 24 << 20, AutoVmotion: types.NewBool(false)}
	seen := map[string]bool{}
	for _, h := range hosts {
		target.NumCpus += 2
		target.NumCpuCores += h.spec.Cpus
		target.NumNumaNodes += 2
		target.MaxCpusPerHost = max(target.MaxCpusPerHost, h.spec.Cpus)
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

// addVgpus adds what the host offers of vGPUs, each thing once.
func (h *host) addVgpus(target *types.ConfigTarget, seen map[string]bool) {
	for _, name := range h.startable() {
		if once(seen, "startable %s", name) {
			target.SharedGpuPassthroughTypes = append(target.SharedGpuPassthroughTypes, types.VirtualMachinePciSharedGpuPassthroughInfo{
				VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: name}, Vgpu: name,
			})
		}
	}
	if versionBelow(h.spec.Version, 7, 0, 3) {
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
			VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: c.spec.Name},
			DeviceName:               c.spec.Name,
			DeviceVendorId:           c.deviceVendor(),
			TimeSlicedCapable:        true,
			MigCapable:               c.spec.MigCapable,
		}
		for _, profile := range c.spec.Profiles {
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

// addPassthrough adds the cards of the host that are passed through, and those with virtual functions.
func (h *host) addPassthrough(target *types.ConfigTarget, seen map[string]bool) {
	for _, c := range h.cards {
		own := types.VirtualMachinePciPassthroughInfo{
			VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: c.spec.PciID},
			PciDevice:                c.pciDevice(),
			SystemId:                 h.systemID(),
		}
		if c.spec.Sriov != nil && c.spec.Sriov.Active && !h.passthroughActive(c) {
			target.Sriov = append(target.Sriov, types.VirtualMachineSriovInfo{VirtualMachinePciPassthroughInfo: own})
		}
		if !h.passthroughActive(c) {
			continue
		}
		target.PciPassthrough = append(target.PciPassthrough, &own)
		if once(seen, "dynamic %d %s", c.deviceVendor(), c.passthrough.Label) {
			target.DynamicPassthrough = append(target.DynamicPassthrough, types.VirtualMachineDynamicPassthroughInfo{
				VirtualMachineTargetInfo: types.VirtualMachineTargetInfo{Name: c.spec.Name},
				VendorName:               vendorName(c.spec.VendorID),
				DeviceName:               c.spec.Name,
				CustomLabel:              c.passthrough.Label,
				VendorId:                 int32(c.spec.VendorID),
				DeviceId:                 int32(c.spec.DeviceID),
			})
		}
	}
}

// systemID names the host in the backing of a device that is passed through statically.
func (h *host) systemID() string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("system/"+h.spec.Name)).String()
}

// cardOf is the name of a card of the host that has the profile; empty when none has.
func (h *host) cardOf(profile string) string {
	for _, c := range h.cards {
		if c.profile(profile) != nil {
			return c.spec.Name
		}
	}
	return ""
}

// addGroups adds the device groups of the host.
func (h *host) addGroups(target *types.ConfigTarget, seen map[string]bool) {
	if versionBelow(h.spec.Version, 8) {
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
				Type: "nvidiaVgpu", VendorName: "NVIDIA", DeviceName: h.cardOf(profile), Device: &types.VirtualPCIPassthrough{
					VirtualDevice: types.VirtualDevice{Backing: &types.VirtualPCIPassthroughVmiopBackingInfo{Vgpu: profile}},
				},
			})
		}
		target.VendorDeviceGroupInfo = append(target.VendorDeviceGroupInfo, info)
	}
}
