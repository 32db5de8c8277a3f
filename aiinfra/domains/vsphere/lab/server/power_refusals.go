// Why a VM with GPUs does not start, as vCenter 8 and ESXi 8 say it.

package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// The reasons why a VM with GPUs does not start, with the sentences of vCenter 8 and ESXi 8. Clients must go by the
// type of the fault and by the sentences: of the keys below only those of powerOnFailed are known to be ESXi's.

var powerOnFailed = []types.LocalizableMessage{
	{Key: "msg.moduletable.powerOnFailed", Message: "Module 'DevicePowerOn' power on failed."},
	{Key: "msg.vmx.poweron.failed", Message: "Failed to start the virtual machine."},
}

// notStarted is a fault of ESXi: the cause, then that the power-on failed.
func notStarted(key, format string, args ...any) *refusal {
	cause := line(key, format, args...)
	refused := &refusal{&types.GenericVmConfigFault{Reason: cause.Message}, cause.Message}
	return refused.because(append([]types.LocalizableMessage{cause}, powerOnFailed...)...)
}

// checkReservation: whoever has a device passed through, vGPUs too, has all of its memory reserved.
func checkReservation(config *types.VirtualMachineConfigInfo) *refusal {
	memory := int64(config.Hardware.MemoryMB)
	if len(passthroughDevices(config)) == 0 || *config.MemoryAllocation.Reservation >= memory {
		return nil
	}
	return notStarted("msg.memsched.reservation",
		"Invalid memory setting: memory reservation (sched.mem.min) should be equal to memsize(%d).", memory)
}

const (
	mmioWithout64bit = 16 // GiB that fit below, with neither of the two options
	mmioDefault      = 32 // GiB of 64-bit MMIO space that a VM has unless it says more
)

// checkMmio: the BARs of all devices must fit into the VM's MMIO space, and above 4 GiB only EFI can place them.
func (h *host) checkMmio(config *types.VirtualMachineConfigInfo) *refusal {
	needed := 0
	for _, device := range passthroughDevices(config) {
		needed += h.mmioOf(device)
	}
	if needed <= mmioWithout64bit {
		return nil
	}
	size := mmioDefault
	if configured, err := strconv.Atoi(extra(config, "pciPassthru.64bitMMIOSizeGB")); err == nil {
		size = configured
	}
	if strings.EqualFold(extra(config, "pciPassthru.use64bitMMIO"), "TRUE") && config.Firmware == "efi" && needed <= size {
		return nil
	}
	return notStarted("msg.pciPassthru.mmio", "PCIPassthru: total number of pages needed exceeds limit.")
}

// mmioOf is the address space that a device takes, in GiB.
func (h *host) mmioOf(device *types.VirtualPCIPassthrough) int {
	switch backing := device.Backing.(type) {
	case *types.VirtualPCIPassthroughVmiopBackingInfo:
		for _, c := range h.cards {
			if profile := c.profile(backing.Vgpu); profile != nil {
				return powerOfTwo(int(profile.FrameBufferGib))
			}
		}
	case *types.VirtualPCIPassthroughDynamicBackingInfo:
		for _, c := range h.cards {
			for _, allowed := range backing.AllowedDevice {
				if c.is(allowed) {
					return c.mmioGib()
				}
			}
		}
	case *types.VirtualPCIPassthroughDeviceBackingInfo:
		if c := h.card(backing.Id); c != nil {
			return c.mmioGib()
		}
	}
	return 0
}

func powerOfTwo(gib int) int {
	size := 1
	for size < gib {
		size *= 2
	}
	return size
}

// noGraphics: no card of the host can start the profile: it is not known there, all cards are full, hold vGPUs of
// another size, or are cut up otherwise. ESXi does not say which.
func noGraphics(profile string) *refusal {
	refused := &refusal{
		&types.InsufficientGraphicsResourcesFault{},
		"The amount of graphics resource available in the parent resource pool is insufficient for the operation.",
	}
	cause := line("msg.vmiop.noDevice", "No graphics device is available for vGPU %s.", profile)
	return refused.because(append([]types.LocalizableMessage{cause}, powerOnFailed...)...)
}

// pluginFails: the vGPU manager does not match the kernel module, or the card's driver.
func pluginFails(profile string) *refusal {
	return notStarted("msg.vmiop.plugin",
		"Could not initialize plugin '/usr/lib64/vmware/plugin/libnvidia-vgx.so' for vGPU '%s'.", profile)
}

func notLicensed(feature string) *refusal {
	return &refusal{
		&types.LicenseRestricted{},
		"License not available to perform the operation. The feature '" + feature + "' is not licensed with this edition.",
	}
}

func noMemory(free, wanted int64) *refusal {
	fault := &types.InsufficientHostMemoryCapacityFault{Unreserved: free << 20, Requested: wanted << 20}
	return &refusal{fault, "The host does not have sufficient memory resources to satisfy the reservation."}
}

// deviceUnavailable: the host has no free card of that kind, or none with the label.
func deviceUnavailable(vm, host string, index int) *refusal {
	message := fmt.Sprintf("One or more devices (pciPassthru%d) required by VM %s are not available on host %s.", index, vm, host)
	refused := &refusal{&types.InsufficientResourcesFault{}, "Insufficient resources. " + message}
	return refused.because(line("msg.pciPassthru.unavailable", "%s", message))
}

func notPassthrough(id string) *refusal {
	return notStarted("msg.pciPassthru.notPassthrough", "Device %s is not a passthrough device.", shortAddress(id))
}

func deviceInUse(id string) *refusal {
	return notStarted("msg.pciPassthru.inUse", "Device %s is already in use.", shortAddress(id))
}

// shortAddress is how ESXi names a device in messages: bus:slot.function, decimal.
func shortAddress(id string) string {
	var bus, slot, function int
	fmt.Sscanf(id[min(len(id), 5):], "%02x:%02x.%d", &bus, &slot, &function)
	return fmt.Sprintf("%d:%d.%d", bus, slot, function)
}
