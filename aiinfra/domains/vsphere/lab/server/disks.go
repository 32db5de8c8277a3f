// Disks of VMs: their files, and the space that they take of datastores.

package main

import (
	"fmt"
	"path"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// addDisk gives the disk a file beside the VM's, and takes its size from the datastore. A disk with a parent takes none.
func (w *world) addDisk(config *types.VirtualMachineConfigInfo, disk *types.VirtualDisk, site machine) *refusal {
	backing, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
	if !ok {
		return &refusal{&types.InvalidDeviceBacking{}, "The backing of the disk is not supported."}
	}
	if disk.CapacityInBytes == 0 {
		disk.CapacityInBytes = disk.CapacityInKB << 10
	}
	disk.CapacityInKB = disk.CapacityInBytes >> 10
	store := site.datastore
	if backing.Datastore != nil {
		store = *backing.Datastore
	}
	if backing.Parent == nil && !w.takeSpace(store, disk.CapacityInBytes) {
		return noDiskSpace(w.datastoreName(store))
	}
	backing.Datastore, backing.Uuid = &store, uuid.NewString()
	var vmx object.DatastorePath
	vmx.FromString(config.Files.VmPathName)
	suffix := ""
	if number := disk.Key - 2000; number > 0 {
		suffix = fmt.Sprintf("_%d", number)
	}
	backing.FileName = fmt.Sprintf("[%s] %s/%s%s.vmdk", w.datastoreName(store), path.Dir(vmx.Path), config.Name, suffix)
	w.files.Store(backing.FileName, true)
	if backing.DiskMode == "" {
		backing.DiskMode = "persistent"
	}
	return nil
}

// removeDisk gives back what the disk took, if its file is destroyed with it.
func (w *world) removeDisk(device types.BaseVirtualDevice, operation types.VirtualDeviceConfigSpecFileOperation) {
	disk, ok := device.(*types.VirtualDisk)
	if !ok || operation != types.VirtualDeviceConfigSpecFileOperationDestroy {
		return
	}
	backing, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
	if !ok {
		return
	}
	w.files.Delete(backing.FileName)
	if backing.Parent == nil && backing.Datastore != nil {
		w.giveSpace(*backing.Datastore, disk.CapacityInBytes)
	}
}

// resize makes a disk larger, and takes the rest from its datastore.
func (w *world) resize(old, disk *types.VirtualDisk, index int32) *refusal {
	size := disk.CapacityInKB << 10
	if disk.CapacityInBytes != 0 && disk.CapacityInBytes != old.CapacityInBytes {
		size = disk.CapacityInBytes
	}
	more := size - old.CapacityInBytes
	if more < 0 {
		fault := &types.InvalidDeviceOperation{InvalidDeviceSpec: types.InvalidDeviceSpec{DeviceIndex: index}}
		return &refusal{fault, fmt.Sprintf("Invalid operation for device '%d'.", index)}
	}
	store := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo).Datastore
	if store == nil {
		store = old.Backing.(*types.VirtualDiskFlatVer2BackingInfo).Datastore
	}
	if more > 0 && !w.takeSpace(*store, more) {
		return noDiskSpace(w.datastoreName(*store))
	}
	disk.CapacityInBytes, disk.CapacityInKB = size, size>>10
	return nil
}

// takeSpace takes bytes from a datastore; false when it has too few.
func (w *world) takeSpace(store ref, bytes int64) bool {
	object := w.registry.Get(store).(*simulator.Datastore)
	taken := false
	w.locked(w.newContext(nil), object, func() {
		taken = object.Summary.FreeSpace >= bytes
		if taken {
			setFree(object, object.Summary.FreeSpace-bytes)
		}
	})
	return taken
}

// giveSpace gives bytes back to a datastore.
func (w *world) giveSpace(store ref, bytes int64) {
	object := w.registry.Get(store).(*simulator.Datastore)
	w.locked(w.newContext(nil), object, func() { setFree(object, object.Summary.FreeSpace+bytes) })
}

func setFree(object *simulator.Datastore, bytes int64) {
	object.Summary.FreeSpace = bytes
	info := *object.Info.(*types.VmfsDatastoreInfo)
	info.FreeSpace = bytes
	object.Info = &info
}

func diskBytes(config *types.VirtualMachineConfigInfo) int64 {
	sum := int64(0)
	for _, device := range config.Hardware.Device {
		if disk, ok := device.(*types.VirtualDisk); ok {
			sum += disk.CapacityInBytes
		}
	}
	return sum
}

// missingFile is the first file that a disk of the VM needs and that is gone; empty when all are there.
func (w *world) missingFile(config *types.VirtualMachineConfigInfo) string {
	for _, device := range config.Hardware.Device {
		disk, ok := device.(*types.VirtualDisk)
		if !ok {
			continue
		}
		backing, _ := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		for ; backing != nil; backing = backing.Parent {
			if _, there := w.files.Load(backing.FileName); !there {
				return backing.FileName
			}
		}
	}
	return ""
}
