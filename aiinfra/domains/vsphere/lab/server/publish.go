// What a host shows of its cards: graphics, passthrough and PCI devices.

package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// publish shows on the host object what follows from its cards and VMs. world.mu is held. Values are replaced, never
// changed, so that who reads them meanwhile reads one state.
func (w *world) publish(h *host) {
	object := w.registry.Get(h.ref).(*simulator.HostSystem)
	var infos []types.HostGraphicsInfo
	var configured []types.HostGraphicsConfigDeviceType
	var passthru []types.BaseHostPciPassthruInfo
	for _, c := range h.cards {
		if !h.passthroughActive(c) {
			infos = append(infos, h.graphicsInfo(c))
			configured = append(configured, h.graphicsDevice(c))
		}
		passthru = append(passthru, h.passthruInfo(c))
	}
	startable := h.startable()
	capabilities := make([]types.HostSharedGpuCapabilities, 0, len(startable))
	for _, name := range startable {
		capabilities = append(capabilities, types.HostSharedGpuCapabilities{
			Vgpu: name, SuspendSupported: true, MigrateSupported: true,
		})
	}
	config := *object.Config
	config.GraphicsInfo = infos
	config.GraphicsConfig = &types.HostGraphicsConfig{
		HostDefaultGraphicsType:        h.defaultNext,
		SharedPassthruAssignmentPolicy: h.policy,
		DeviceType:                     configured,
	}
	config.SharedPassthruGpuTypes = startable
	config.SharedGpuCapabilities = capabilities
	config.PciPassthruInfo = passthru
	config.AssignableHardwareBinding = h.bindings()
	hardware := *object.Hardware
	hardware.PciDevice = h.pciDevices()
	summary := object.Summary
	summary.RebootRequired = h.reboot || h.pendingFault
	summary.QuickStats.OverallMemoryUsage = int32(h.spec.MemoryMib - h.freeMemory())
	runtime := object.Runtime
	runtime.InMaintenanceMode = h.maintenance
	summary.Runtime = &runtime
	ctx := w.newContext(nil)
	w.locked(ctx, object, func() {
		object.Config, object.Hardware, object.Summary, object.Runtime = &config, &hardware, summary, runtime
	})
}

// bindings tell who holds cards that dynamic DirectPath I/O gave away.
func (h *host) bindings() []types.HostAssignableHardwareBinding {
	var all []types.HostAssignableHardwareBinding
	for _, c := range h.cards {
		if c.owner != nil && c.assigned {
			all = append(all, types.HostAssignableHardwareBinding{InstanceId: c.spec.PciID, Vm: *c.owner})
		}
	}
	return all
}

// graphicsInfo is a card as the host shows it now.
func (h *host) graphicsInfo(c *card) types.HostGraphicsInfo {
	info := types.HostGraphicsInfo{
		DeviceName:     c.spec.Name,
		VendorName:     vendorName(c.spec.VendorID),
		PciId:          c.spec.PciID,
		GraphicsType:   c.graphics,
		MemorySizeInKB: c.spec.MemoryMib << 10,
	}
	mode := c.vgpuMode()
	if h.pendingFault && c.graphics == graphicsSharedDirect {
		info.GraphicsType, mode = graphicsShared, vgpuNone
	}
	if h.tellsVgpuMode() {
		info.VgpuMode = mode
	}
	seen := map[ref]bool{}
	for _, one := range c.vgpus {
		if !seen[one.vm] {
			seen[one.vm] = true
			info.Vm = append(info.Vm, one.vm)
		}
	}
	return info
}

// graphicsDevice is a card as it is configured, for after the next restart.
func (h *host) graphicsDevice(c *card) types.HostGraphicsConfigDeviceType {
	device := types.HostGraphicsConfigDeviceType{DeviceId: c.spec.PciID, GraphicsType: c.graphicsNext}
	if h.tellsVgpuMode() {
		device.VgpuMode = vgpuSameSize
		if c.mixedNext {
			device.VgpuMode = vgpuMixedSize
		}
	}
	return device
}

// tellsVgpuMode: the API has it since 8.0.3.
func (h *host) tellsVgpuMode() bool { return !versionBelow(h.spec.Version, 8, 0, 3) }

// passthruInfo is a card as a PCI device that can be passed through.
func (h *host) passthruInfo(c *card) types.BaseHostPciPassthruInfo {
	info := types.HostPciPassthruInfo{
		Id:              c.spec.PciID,
		DependentDevice: c.spec.PciID,
		PassthruCapable: c.passthrough.Capable,
		PassthruEnabled: c.passthroughNext,
		PassthruActive:  h.passthroughActive(c),
		HardwareLabel:   c.passthrough.Label,
	}
	if c.spec.Sriov == nil {
		return &info
	}
	return &types.HostSriovInfo{
		HostPciPassthruInfo:         info,
		SriovCapable:                c.spec.Sriov.Capable,
		SriovEnabled:                c.spec.Sriov.Enabled,
		SriovActive:                 c.spec.Sriov.Active,
		NumVirtualFunctionRequested: c.spec.Sriov.Functions,
		NumVirtualFunction:          c.spec.Sriov.Functions,
		MaxVirtualFunctionSupported: c.spec.Sriov.Functions,
	}
}

// besides is what a server has on its PCI buses next to its cards.
var besides = []types.HostPciDevice{
	{Id: "0000:00:00.0", ClassId: 0x600, VendorId: -32634, DeviceId: 0x2020, VendorName: "Intel Corporation", DeviceName: "Sky Lake-E DMI3 Registers"},
	{Id: "0000:00:1f.0", ClassId: 0x601, VendorId: -32634, DeviceId: -24127, VendorName: "Intel Corporation", DeviceName: "C621 Series Chipset LPC/eSPI Controller"},
	{Id: "0000:02:00.0", ClassId: 0x300, VendorId: 0x1a03, DeviceId: 0x2000, VendorName: "ASPEED Technology, Inc.", DeviceName: "ASPEED Graphics Family"},
	{Id: "0000:17:00.0", ClassId: 0x200, VendorId: 0x15b3, DeviceId: 0x101d, VendorName: "Mellanox Technologies", DeviceName: "MT2892 Family [ConnectX-6 Dx]"},
	{Id: "0000:5e:00.0", ClassId: 0x108, VendorId: 0x144d, DeviceId: -22524, VendorName: "Samsung Electronics Co Ltd", DeviceName: "NVMe SSD Controller PM173X"},
}

// pciDevices are all PCI devices of the host.
func (h *host) pciDevices() []types.HostPciDevice {
	devices := append([]types.HostPciDevice(nil), besides...)
	for i := range devices {
		address(&devices[i])
	}
	for _, c := range h.cards {
		devices = append(devices, c.pciDevice())
	}
	return devices
}

// pciDevice has its numbers as the API gives them: signed shorts, so that 0x8086 reads as -32634.
func (c *card) pciDevice() types.HostPciDevice {
	device := types.HostPciDevice{
		Id:          c.spec.PciID,
		ClassId:     0x302,
		VendorId:    int16(uint16(c.spec.VendorID)),
		DeviceId:    int16(uint16(c.spec.DeviceID)),
		SubVendorId: int16(uint16(c.spec.SubVendorID)),
		SubDeviceId: int16(uint16(c.spec.SubDeviceID)),
		VendorName:  vendorName(c.spec.VendorID),
		DeviceName:  c.spec.Name,
	}
	address(&device)
	return device
}

// address sets bus, slot and function of a device from its PCI id.
func address(device *types.HostPciDevice) {
	fmt.Sscanf(device.Id[5:], "%02x:%02x.%d", &device.Bus, &device.Slot, &device.Function)
}

func vendorName(id int) string {
	if id == 0x10de {
		return "NVIDIA Corporation"
	}
	return fmt.Sprintf("Vendor %04x", id)
}

// versionBelow compares `8.0.3` number by number.
func versionBelow(version string, floor ...int) bool {
	parts := strings.Split(version, ".")
	for i, want := range floor {
		have := 0
		if i < len(parts) {
			have, _ = strconv.Atoi(parts[i])
		}
		if have != want {
			return have < want
		}
	}
	return false
}
