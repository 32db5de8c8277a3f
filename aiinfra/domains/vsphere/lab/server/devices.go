// Devices of VMs: how they are added, edited, numbered and attached.

package main

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// configureDevices adds, edits and removes devices.
func (w *world) configureDevices(config *types.VirtualMachineConfigInfo, spec *types.VirtualMachineConfigSpec, site machine) *refusal {
	renumbered := map[int32]int32{}
	for i, each := range spec.DeviceChange {
		change := each.GetVirtualDeviceConfigSpec()
		device := change.Device.GetVirtualDevice()
		at := slices.IndexFunc(config.Hardware.Device, func(one types.BaseVirtualDevice) bool {
			return one.GetVirtualDevice().Key == device.Key
		})
		wrong := &refusal{&types.InvalidDeviceSpec{DeviceIndex: int32(i)}, fmt.Sprintf("Invalid configuration for device '%d'.", i)}
		if change.Operation != types.VirtualDeviceConfigSpecOperationAdd && at < 0 {
			return wrong
		}
		switch change.Operation {
		case types.VirtualDeviceConfigSpecOperationRemove:
			w.removeDisk(config.Hardware.Device[at], change.FileOperation)
			config.Hardware.Device = slices.Delete(config.Hardware.Device, at, at+1)
		case types.VirtualDeviceConfigSpecOperationEdit:
			if refused := w.editDevice(config, at, change.Device, int32(i)); refused != nil {
				return refused
			}
		case types.VirtualDeviceConfigSpecOperationAdd:
			if known, ok := renumbered[device.ControllerKey]; ok {
				device.ControllerKey = known
			}
			asked := device.Key
			if refused := w.addDevice(config, change.Device, site, int32(i)); refused != nil {
				return refused
			}
			renumbered[asked] = device.Key
		default:
			return wrong
		}
	}
	return nil
}

// firstKey of each kind of device, as ESXi numbers them.
func firstKey(device types.BaseVirtualDevice) int32 {
	switch device.(type) {
	case types.BaseVirtualSCSIController:
		return scsiControllerKey
	case *types.VirtualDisk:
		return 2000
	case *types.VirtualCdrom:
		return 3000
	case types.BaseVirtualEthernetCard:
		return 4000
	case *types.VirtualPCIPassthrough:
		return 13000
	case *types.VirtualSerialPort:
		return 9000
	case *types.VirtualAHCIController, types.BaseVirtualSATAController:
		return 15000
	case *types.VirtualTPM:
		return 11000
	}
	return 20000
}

// addDevice adds a device with a key, a label and a place of its own. `index` is its place in the spec, for faults.
func (w *world) addDevice(config *types.VirtualMachineConfigInfo, added types.BaseVirtualDevice, site machine, index int32) *refusal {
	device := added.GetVirtualDevice()
	key := firstKey(added)
	for slices.ContainsFunc(config.Hardware.Device, func(one types.BaseVirtualDevice) bool { return one.GetVirtualDevice().Key == key }) {
		key++
	}
	device.Key = key
	label := fmt.Sprintf("Device %d", key)
	summary := ""
	switch added := added.(type) {
	case *types.VirtualDisk:
		if refused := w.addDisk(config, added, site); refused != nil {
			return refused
		}
		label = fmt.Sprintf("Hard disk %d", key-2000+1)
		summary = fmt.Sprintf("%d KB", added.CapacityInKB)
	case *types.VirtualPCIPassthrough:
		if refused := checkPassthrough(config, device, index); refused != nil {
			return refused
		}
		label, summary = fmt.Sprintf("PCI device %d", key-13000), passthroughSummary(device)
		attach(config, device, 22)
	case types.BaseVirtualEthernetCard:
		label = fmt.Sprintf("Network adapter %d", key-4000+1)
		if refused := connect(added.GetVirtualEthernetCard(), config, site, w); refused != nil {
			return refused
		}
		attach(config, device, 7)
	case types.BaseVirtualSCSIController:
		label = fmt.Sprintf("SCSI controller %d", key-scsiControllerKey)
		attach(config, device, 3)
	}
	device.DeviceInfo = &types.Description{Label: label, Summary: summary}
	config.Hardware.Device = append(config.Hardware.Device, added)
	return nil
}

// attach puts a device on the PCI bus, in the first free slot from `first` on.
func attach(config *types.VirtualMachineConfigInfo, device *types.VirtualDevice, first int32) {
	device.ControllerKey = pciControllerKey
	if device.UnitNumber != nil {
		return
	}
	unit := first
	for slices.ContainsFunc(config.Hardware.Device, func(one types.BaseVirtualDevice) bool {
		other := one.GetVirtualDevice()
		return other.ControllerKey == pciControllerKey && other.UnitNumber != nil && *other.UnitNumber == unit
	}) {
		unit++
	}
	device.UnitNumber = &unit
}

// checkPassthrough: dynamic DirectPath I/O needs hardware version 17; a vGPU needs a name.
func checkPassthrough(config *types.VirtualMachineConfigInfo, device *types.VirtualDevice, index int32) *refusal {
	invalid := types.InvalidDeviceSpec{DeviceIndex: index}
	switch backing := device.Backing.(type) {
	case *types.VirtualPCIPassthroughDynamicBackingInfo:
		version, _ := types.ParseHardwareVersion(config.Version)
		if version < types.VMX17 {
			fault := &types.DeviceUnsupportedForVmVersion{InvalidDeviceSpec: invalid, CurrentVersion: config.Version, ExpectedVersion: "vmx-17"}
			return &refusal{fault, fmt.Sprintf("Device %d is not supported by virtual machine version %s; it needs vmx-17.", index, config.Version)}
		}
		if len(backing.AllowedDevice) == 0 {
			return &refusal{&types.InvalidDeviceBacking{InvalidDeviceSpec: invalid}, fmt.Sprintf("Incompatible device backing specified for device '%d'.", index)}
		}
	case *types.VirtualPCIPassthroughVmiopBackingInfo:
		if backing.Vgpu == "" {
			return &refusal{&types.InvalidDeviceBacking{InvalidDeviceSpec: invalid}, fmt.Sprintf("Incompatible device backing specified for device '%d'.", index)}
		}
	case *types.VirtualPCIPassthroughDeviceBackingInfo:
		if backing.Id == "" || backing.SystemId == "" {
			return &refusal{&types.InvalidDeviceBacking{InvalidDeviceSpec: invalid}, fmt.Sprintf("Incompatible device backing specified for device '%d'.", index)}
		}
	default:
		return &refusal{&types.InvalidDeviceBacking{InvalidDeviceSpec: invalid}, fmt.Sprintf("Incompatible device backing specified for device '%d'.", index)}
	}
	return nil
}

func passthroughSummary(device *types.VirtualDevice) string {
	switch backing := device.Backing.(type) {
	case *types.VirtualPCIPassthroughVmiopBackingInfo:
		return "NVIDIA GRID vGPU " + backing.Vgpu
	case *types.VirtualPCIPassthroughDeviceBackingInfo:
		return backing.DeviceName
	}
	return "Dynamic DirectPath I/O"
}

// connect gives a network card its network and an address.
func connect(card *types.VirtualEthernetCard, config *types.VirtualMachineConfigInfo, site machine, w *world) *refusal {
	if backing, ok := card.Backing.(*types.VirtualEthernetCardNetworkBackingInfo); ok {
		network, known := site.dc.networks[backing.DeviceName]
		if !known {
			return &refusal{&types.InvalidDeviceBacking{}, "The network '" + backing.DeviceName + "' is not available."}
		}
		backing.Network = &network
	}
	if card.MacAddress == "" {
		raw := uuid.New()
		card.MacAddress = fmt.Sprintf("00:50:56:%02x:%02x:%02x", raw[0]&0x3f, raw[1], raw[2])
	}
	if card.Connectable == nil {
		card.Connectable = &types.VirtualDeviceConnectInfo{StartConnected: true, AllowGuestControl: true}
	}
	return nil
}

// editDevice replaces the device at a place of the list. What the new one leaves out it has from the old one.
func (w *world) editDevice(config *types.VirtualMachineConfigInfo, at int, edited types.BaseVirtualDevice, index int32) *refusal {
	old, device := config.Hardware.Device[at], edited.GetVirtualDevice()
	if disk, ok := edited.(*types.VirtualDisk); ok {
		if refused := w.resize(old.(*types.VirtualDisk), disk, index); refused != nil {
			return refused
		}
	}
	if _, ok := edited.(*types.VirtualPCIPassthrough); ok {
		if refused := checkPassthrough(config, device, index); refused != nil {
			return refused
		}
		device.DeviceInfo = &types.Description{Label: old.GetVirtualDevice().DeviceInfo.GetDescription().Label, Summary: passthroughSummary(device)}
	}
	was := old.GetVirtualDevice()
	if device.ControllerKey == 0 {
		device.ControllerKey = was.ControllerKey
	}
	if device.UnitNumber == nil {
		device.UnitNumber = was.UnitNumber
	}
	if device.DeviceInfo == nil {
		device.DeviceInfo = was.DeviceInfo
	}
	config.Hardware.Device = slices.Clone(config.Hardware.Device)
	config.Hardware.Device[at] = edited
	return nil
}

func (w *world) datastoreName(of ref) string { return w.registry.Get(of).(*simulator.Datastore).Name }
