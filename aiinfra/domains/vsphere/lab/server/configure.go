// A VirtualMachineConfigSpec applied to a configuration; used by CreateVM, CloneVM and ReconfigVM alike.

package main

import (
	"reflect"
	"slices"

	"github.com/vmware/govmomi/vim25/types"
)

// configure changes a configuration as the spec says. Whether the VM is on decides what may change.
func (w *world) configure(config *types.VirtualMachineConfigInfo, spec *types.VirtualMachineConfigSpec, site machine, on bool) *refusal {
	if refused := whileOn(config, spec, on); refused != nil {
		return refused
	}
	if refused := setFields(config, spec); refused != nil {
		return refused
	}
	if refused := w.configureDevices(config, spec, site); refused != nil {
		return refused
	}
	if refused := w.configureGroups(config, spec, site); refused != nil {
		return refused
	}
	setOptions(config, spec.ExtraConfig)
	reserve(config, spec)
	if isSet(config.BootOptions.EfiSecureBootEnabled) && config.Firmware != string(types.GuestOsDescriptorFirmwareTypeEfi) {
		return &refusal{&types.InvalidVmConfig{Property: "msg.hostd.configSpec.efi"}, "Secure boot needs EFI firmware."}
	}
	return nil
}

// whileOn refuses what cannot be changed while the VM runs.
func whileOn(config *types.VirtualMachineConfigInfo, spec *types.VirtualMachineConfigSpec, on bool) *refusal {
	if !on {
		return nil
	}
	if spec.MemoryMB != 0 && spec.MemoryMB != int64(config.Hardware.MemoryMB) && !isSet(config.MemoryHotAddEnabled) {
		return &refusal{&types.MemoryHotPlugNotSupported{}, "Memory hot plug is not supported for this virtual machine."}
	}
	if spec.NumCPUs != 0 && spec.NumCPUs != config.Hardware.NumCPU && !isSet(config.CpuHotAddEnabled) {
		return &refusal{&types.CpuHotPlugNotSupported{}, "CPU hot plug is not supported for this virtual machine."}
	}
	pci := slices.ContainsFunc(spec.DeviceChange, func(change types.BaseVirtualDeviceConfigSpec) bool {
		_, is := change.GetVirtualDeviceConfigSpec().Device.(*types.VirtualPCIPassthrough)
		return is
	})
	off := pci || spec.Firmware != "" && spec.Firmware != config.Firmware || spec.MemoryReservationLockedToMax != nil ||
		spec.MemoryHotAddEnabled != nil || spec.CpuHotAddEnabled != nil || spec.NumCoresPerSocket != nil || spec.GuestId != ""
	if off {
		return wrongPower(types.VirtualMachinePowerStatePoweredOn, types.VirtualMachinePowerStatePoweredOff)
	}
	return nil
}

// setFields sets the fields that depend on nothing else. An empty field of the spec changes nothing.
func setFields(config *types.VirtualMachineConfigInfo, spec *types.VirtualMachineConfigSpec) *refusal {
	if refused := checkFields(spec); refused != nil {
		return refused
	}
	setTexts(config, spec)
	setPointers(config, spec)
	merge(&config.Flags, spec.Flags)
	merge(config.BootOptions, spec.BootOptions)
	merge(&config.DefaultPowerOps, spec.PowerOpInfo)
	merge(config.CpuAllocation, spec.CpuAllocation)
	merge(config.MemoryAllocation, spec.MemoryAllocation)
	if spec.NumCPUs != 0 {
		config.Hardware.NumCPU = spec.NumCPUs
	}
	if spec.MemoryMB != 0 {
		config.Hardware.MemoryMB = int32(spec.MemoryMB)
	}
	if config.ManagedBy != nil && config.ManagedBy.ExtensionKey == "" {
		config.ManagedBy = nil
	}
	return nil
}

// checkFields refuses a name, a guest system and a firmware that vSphere does not have.
func checkFields(spec *types.VirtualMachineConfigSpec) *refusal {
	if spec.Name != "" && !validName(spec.Name) {
		return invalidName(spec.Name)
	}
	if spec.GuestId != "" && !slices.Contains(types.VirtualMachineGuestOsIdentifier("").Strings(), spec.GuestId) {
		return invalidArgument("configSpec.guestId")
	}
	if spec.Firmware != "" && spec.Firmware != "bios" && spec.Firmware != "efi" {
		return invalidArgument("configSpec.firmware")
	}
	return nil
}

// setTexts sets the fields that are texts.
func setTexts(config *types.VirtualMachineConfigInfo, spec *types.VirtualMachineConfigSpec) {
	for _, field := range []struct {
		from string
		into *string
	}{
		{spec.Name, &config.Name}, {spec.Version, &config.Version}, {spec.GuestId, &config.GuestId}, {spec.GuestId, &config.GuestFullName},
		{spec.Annotation, &config.Annotation}, {spec.Firmware, &config.Firmware}, {spec.Uuid, &config.Uuid},
		{spec.InstanceUuid, &config.InstanceUuid}, {spec.LocationId, &config.LocationId}, {spec.SwapPlacement, &config.SwapPlacement},
		{spec.AlternateGuestName, &config.AlternateGuestName}, {spec.MigrateEncryption, &config.MigrateEncryption},
		{spec.FtEncryptionMode, &config.FtEncryptionMode},
	} {
		if field.from != "" {
			*field.into = field.from
		}
	}
}

// setPointers sets the fields that are pointers or structures.
func setPointers(config *types.VirtualMachineConfigInfo, spec *types.VirtualMachineConfigSpec) {
	for _, field := range []struct{ from, into any }{
		{spec.MemoryHotAddEnabled, &config.MemoryHotAddEnabled}, {spec.CpuHotAddEnabled, &config.CpuHotAddEnabled},
		{spec.CpuHotRemoveEnabled, &config.CpuHotRemoveEnabled}, {spec.NestedHVEnabled, &config.NestedHVEnabled},
		{spec.VPMCEnabled, &config.VPMCEnabled}, {spec.ChangeTrackingEnabled, &config.ChangeTrackingEnabled},
		{spec.MemoryReservationLockedToMax, &config.MemoryReservationLockedToMax},
		{spec.GuestAutoLockEnabled, &config.GuestAutoLockEnabled}, {spec.LatencySensitivity, &config.LatencySensitivity},
		{spec.DeviceGroups, &config.DeviceGroups}, {spec.DeviceSwap, &config.DeviceSwap}, {spec.Tools, &config.Tools},
		{spec.NumCoresPerSocket, &config.Hardware.NumCoresPerSocket}, {spec.CpuAffinity, &config.CpuAffinity},
		{spec.MemoryAffinity, &config.MemoryAffinity}, {spec.RepConfig, &config.RepConfig},
		{spec.FixedPassthruHotPlugEnabled, &config.FixedPassthruHotPlugEnabled}, {spec.ManagedBy, &config.ManagedBy},
	} {
		if from := reflect.ValueOf(field.from); !from.IsNil() {
			reflect.ValueOf(field.into).Elem().Set(from)
		}
	}
}

// merge takes over the fields that are set; the others stay.
func merge[T any](into, changes *T) {
	if changes == nil {
		return
	}
	from, to := reflect.ValueOf(changes).Elem(), reflect.ValueOf(into).Elem()
	for i := range from.NumField() {
		if !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// setOptions sets extraConfig by key; an empty text takes the key away.
func setOptions(config *types.VirtualMachineConfigInfo, options []types.BaseOptionValue) {
	all := slices.Clone(config.ExtraConfig)
	for _, option := range options {
		value := option.GetOptionValue()
		all = slices.DeleteFunc(all, func(one types.BaseOptionValue) bool { return one.GetOptionValue().Key == value.Key })
		if text, ok := value.Value.(string); !ok || text != "" {
			all = append(all, &types.OptionValue{Key: value.Key, Value: value.Value})
		}
	}
	config.ExtraConfig = all
}

// reserve: a reservation that is locked to the whole memory follows it; none is larger than the memory.
func reserve(config *types.VirtualMachineConfigInfo, spec *types.VirtualMachineConfigSpec) {
	memory := int64(config.Hardware.MemoryMB)
	if isSet(config.MemoryReservationLockedToMax) || *config.MemoryAllocation.Reservation > memory {
		config.MemoryAllocation.Reservation = &memory
	}
}

func isSet(flag *bool) bool { return flag != nil && *flag }

// extra is the value of an extraConfig key as text; empty when it is not there.
func extra(config *types.VirtualMachineConfigInfo, key string) string {
	for _, option := range config.ExtraConfig {
		if value := option.GetOptionValue(); value.Key == key {
			text, _ := value.Value.(string)
			return text
		}
	}
	return ""
}
