// New VMs: their first configuration, and the spec of a VM of the description.

package main

import (
	"fmt"

	"github.com/vmware/govmomi/vim25/types"
)

// blank is the configuration of a new VM before a spec is applied to it.
func blank(name, datastore string) *types.VirtualMachineConfigInfo {
	config := &types.VirtualMachineConfigInfo{
		Version:  types.VMX15.String(),
		Firmware: string(types.GuestOsDescriptorFirmwareTypeBios),
		GuestId:  string(types.VirtualMachineGuestOsIdentifierOtherGuest64),
		Tools:    &types.ToolsConfigInfo{},
		Flags: types.VirtualMachineFlagInfo{
			EnableLogging: types.NewBool(true), DiskUuidEnabled: types.NewBool(false), MonitorType: "release",
			VirtualMmuUsage: "automatic", VirtualExecUsage: "hvAuto", SnapshotPowerOffBehavior: "powerOff",
		},
		Hardware: types.VirtualHardware{
			NumCPU: 1, NumCoresPerSocket: types.NewInt32(1), MemoryMB: 1024, VirtualICH7MPresent: types.NewBool(false),
			VirtualSMCPresent: types.NewBool(false), Device: blankDevices(),
		},
		CpuAllocation:                allocation(),
		MemoryAllocation:             allocation(),
		MemoryHotAddEnabled:          types.NewBool(false),
		CpuHotAddEnabled:             types.NewBool(false),
		CpuHotRemoveEnabled:          types.NewBool(false),
		MemoryReservationLockedToMax: types.NewBool(false),
		NestedHVEnabled:              types.NewBool(false),
		BootOptions: &types.VirtualMachineBootOptions{
			EnterBIOSSetup: types.NewBool(false), EfiSecureBootEnabled: types.NewBool(false), BootRetryEnabled: types.NewBool(false),
			BootRetryDelay: 10000, NetworkBootProtocol: "ipv4",
		},
		SwapPlacement:      "inherit",
		LatencySensitivity: &types.LatencySensitivity{Level: types.LatencySensitivitySensitivityLevelNormal},
	}
	renamed(config, name, datastore)
	return config
}

func allocation() *types.ResourceAllocationInfo {
	return &types.ResourceAllocationInfo{
		Reservation: types.NewInt64(0), ExpandableReservation: types.NewBool(false), Limit: types.NewInt64(-1),
		Shares: &types.SharesInfo{Level: types.SharesLevelNormal, Shares: 1000},
	}
}

const (
	pciControllerKey  = 100
	scsiControllerKey = 1000
)

// blankDevices are those that every VM has.
func blankDevices() []types.BaseVirtualDevice {
	device := func(key int32, label string) types.VirtualDevice {
		return types.VirtualDevice{Key: key, DeviceInfo: &types.Description{Label: label, Summary: label}}
	}
	controller := func(key int32, label string, bus int32) types.VirtualController {
		return types.VirtualController{VirtualDevice: device(key, label), BusNumber: bus}
	}
	below := func(one types.VirtualDevice, parent, unit int32) types.VirtualDevice {
		one.ControllerKey, one.UnitNumber = parent, types.NewInt32(unit)
		return one
	}
	return []types.BaseVirtualDevice{
		&types.VirtualIDEController{VirtualController: controller(200, "IDE 0", 0)},
		&types.VirtualIDEController{VirtualController: controller(201, "IDE 1", 1)},
		&types.VirtualPS2Controller{VirtualController: controller(300, "PS2 controller 0", 0)},
		&types.VirtualPCIController{VirtualController: controller(pciControllerKey, "PCI controller 0", 0)},
		&types.VirtualSIOController{VirtualController: controller(400, "SIO controller 0", 0)},
		&types.VirtualKeyboard{VirtualDevice: below(device(600, "Keyboard"), 300, 0)},
		&types.VirtualPointingDevice{VirtualDevice: below(device(700, "Pointing device"), 300, 1)},
		&types.VirtualMachineVideoCard{VirtualDevice: below(device(500, "Video card"), pciControllerKey, 0), VideoRamSizeInKB: 4096},
		&types.VirtualMachineVMCIDevice{VirtualDevice: below(device(12000, "VMCI device"), pciControllerKey, 17)},
	}
}

// configSpec is the spec by which a client would make this VM of the description.
func (v *vmSpec) configSpec(datastore ref, network string, h *host) (*types.VirtualMachineConfigSpec, error) {
	spec := &types.VirtualMachineConfigSpec{
		Version: fmt.Sprintf("vmx-%02d", v.HardwareVersion), GuestId: v.GuestID, Firmware: v.Firmware,
		BootOptions: &types.VirtualMachineBootOptions{EfiSecureBootEnabled: types.NewBool(v.SecureBoot)},
		NumCPUs:     v.Cpus, MemoryMB: v.MemoryMib, Annotation: v.Annotation,
	}
	for _, key := range sortedKeys(v.ExtraConfig) {
		spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: key, Value: v.ExtraConfig[key]})
	}
	v.addDisks(spec, datastore)
	addTo(spec, &types.VirtualVmxnet3{VirtualVmxnet: types.VirtualVmxnet{VirtualEthernetCard: types.VirtualEthernetCard{
		AddressType: "assigned", VirtualDevice: types.VirtualDevice{Backing: &types.VirtualEthernetCardNetworkBackingInfo{
			VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: network},
		}},
	}}})
	if err := v.addGpus(spec, h); err != nil {
		return nil, err
	}
	return spec, nil
}

// addTo adds a device to a spec, with a negative key of its own, as clients do.
func addTo(spec *types.VirtualMachineConfigSpec, device types.BaseVirtualDevice) {
	device.GetVirtualDevice().Key = -int32(len(spec.DeviceChange)) - 1
	spec.DeviceChange = append(spec.DeviceChange, &types.VirtualDeviceConfigSpec{
		Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: device,
	})
}

// addDisks adds a SCSI controller, and the disks at it.
func (v *vmSpec) addDisks(spec *types.VirtualMachineConfigSpec, datastore ref) {
	scsi := &types.ParaVirtualSCSIController{VirtualSCSIController: types.VirtualSCSIController{
		SharedBus: types.VirtualSCSISharingNoSharing, ScsiCtlrUnitNumber: 7,
	}}
	addTo(spec, scsi)
	for i, size := range v.DiskMib {
		addTo(spec, &types.VirtualDisk{CapacityInKB: size << 10, VirtualDevice: types.VirtualDevice{
			ControllerKey: scsi.Key, UnitNumber: types.NewInt32(int32(i)), Backing: &types.VirtualDiskFlatVer2BackingInfo{
				DiskMode: "persistent", ThinProvisioned: types.NewBool(true),
				VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{Datastore: &datastore},
			},
		}})
	}
}

// addGpus adds vGPUs and the cards of the host that are passed through, and what a VM with such devices needs.
func (v *vmSpec) addGpus(spec *types.VirtualMachineConfigSpec, h *host) error {
	for _, profile := range v.Gpus {
		addTo(spec, &types.VirtualPCIPassthrough{VirtualDevice: types.VirtualDevice{
			Backing: &types.VirtualPCIPassthroughVmiopBackingInfo{Vgpu: profile},
		}})
	}
	for _, id := range v.Passthrough {
		c := h.card(id)
		if c == nil {
			return fmt.Errorf("host %s has no card %s", h.spec.Name, id)
		}
		addTo(spec, &types.VirtualPCIPassthrough{VirtualDevice: types.VirtualDevice{Backing: h.staticBacking(c)}})
	}
	if len(v.Gpus)+len(v.Passthrough) > 0 {
		spec.MemoryReservationLockedToMax = types.NewBool(true)
		spec.ExtraConfig = append(spec.ExtraConfig,
			&types.OptionValue{Key: "pciPassthru.use64bitMMIO", Value: "TRUE"},
			&types.OptionValue{Key: "pciPassthru.64bitMMIOSizeGB", Value: "4096"})
	}
	return nil
}

// staticBacking pins a device of a VM to one card of the host.
func (h *host) staticBacking(c *card) *types.VirtualPCIPassthroughDeviceBackingInfo {
	return &types.VirtualPCIPassthroughDeviceBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: c.spec.Name},
		Id:                             c.spec.PciID, DeviceId: fmt.Sprintf("%04x", c.spec.DeviceID),
		SystemId: h.systemID(), VendorId: int16(uint16(c.spec.VendorID)),
	}
}
