// Imports of OVF packages: the spec, the lease, and the upload of disks.

package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/ovf"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const uploadPath = "/nfc/"

// lease is an import under way: the VM is there, its disks are awaited.
type lease struct {
	mo.HttpNfcLease
	vm *simulator.VirtualMachine

	mu      sync.Mutex
	waiting map[string]int64 // file -> bytes that came; -1: none yet
}

// CreateImportSpec: the simulator's reads devices only; firmware, secure boot and options of the OVF are added here.
func (d *desk) CreateImportSpec(ctx *simulator.Context, req *types.CreateImportSpec) (answer soap.HasFault) {
	wrong := &refusal{&types.OvfInvalidPackage{LineNumber: 1}, "The OVF package is invalid and cannot be deployed."}
	defer func() {
		if cause := recover(); cause != nil { // VMware's simulator does not check what it reads
			log.Printf("CreateImportSpec: the OVF package is taken for invalid, as reading it panicked: %v\n%s", cause, debug.Stack())
			releaseLocks(d.registry, ctx, ref{})
			answer = wrong.answer()
		}
	}()
	envelope, err := ovf.Unmarshal(strings.NewReader(req.OvfDescriptor))
	if err != nil || envelope.VirtualSystem == nil || len(envelope.VirtualSystem.VirtualHardware) == 0 {
		return wrong.answer()
	}
	answer = (&simulator.OvfManager{}).CreateImportSpec(ctx, req)
	body, ok := answer.(*methods.CreateImportSpecBody)
	if !ok || body.Res == nil {
		return answer
	}
	if spec, ok := body.Res.Returnval.ImportSpec.(*types.VirtualMachineImportSpec); ok {
		addOptions(&spec.ConfigSpec, envelope.VirtualSystem.VirtualHardware[0])
		spec.ConfigSpec.VAppConfig = nil
	}
	return answer
}

// addOptions adds firmware, secure boot and extraConfig of the OVF to a spec.
func addOptions(spec *types.VirtualMachineConfigSpec, hardware ovf.VirtualHardwareSection) {
	for _, option := range hardware.Config {
		switch option.Key {
		case "firmware":
			spec.Firmware = option.Value
		case "bootOptions.efiSecureBootEnabled":
			spec.BootOptions = &types.VirtualMachineBootOptions{EfiSecureBootEnabled: types.NewBool(option.Value == "true")}
		}
	}
	for _, option := range hardware.ExtraConfig {
		spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: option.Key, Value: option.Value})
	}
}

// ImportVApp makes the VM, and answers with a lease under which its disks are uploaded.
func (d *desk) ImportVApp(ctx *simulator.Context, req *types.ImportVApp) soap.HasFault {
	spec, ok := req.Spec.(*types.VirtualMachineImportSpec)
	if !ok {
		return invalidArgument("spec").answer()
	}
	c := d.clusterOfPool(req.This)
	if c == nil {
		return gone(req.This).answer()
	}
	folder := c.dc.vmFolder
	if req.Folder != nil {
		folder = *req.Folder
	}
	taken := &lease{waiting: map[string]int64{}}
	taken.Self = ref{Type: "HttpNfcLease", Value: uuid.NewString()}
	taken.State = types.HttpNfcLeaseStateInitializing
	d.registry.Put(taken)
	d.leases.Store(taken.Self.Value, taken)
	pool := d.registry.Get(req.This).(*simulator.ResourcePool)
	d.start(ctx, pool, "ImportVApp_Task", spec.ConfigSpec.Name, func(j *job) (types.AnyType, *refusal) {
		vm, refused := j.create(&spec.ConfigSpec, folder, req.This, req.Host)
		j.locked(j.ctx, taken, func() {
			if refused != nil {
				taken.State, taken.Error = types.HttpNfcLeaseStateError, refused.localized()
				return
			}
			taken.vm = vm
			taken.Info = j.leaseInfo(taken, vm)
			taken.State = types.HttpNfcLeaseStateReady
		})
		return nil, refused
	})
	return &methods.ImportVAppBody{Res: &types.ImportVAppResponse{Returnval: taken.Self}}
}

// leaseInfo says where each disk is to be put.
func (w *world) leaseInfo(taken *lease, vm *simulator.VirtualMachine) *types.HttpNfcLeaseInfo {
	info := &types.HttpNfcLeaseInfo{Lease: taken.Self, Entity: vm.Self, LeaseTimeout: 300, TotalDiskCapacityInKB: diskBytes(vm.Config) >> 10}
	list := object.VirtualDeviceList(vm.Config.Hardware.Device)
	for i, device := range list.SelectByType((*types.VirtualDisk)(nil)) {
		backing := device.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		name := path.Base(backing.FileName)
		taken.waiting[name] = -1
		kind := list.Type(device)
		info.DeviceUrl = append(info.DeviceUrl, types.HttpNfcLeaseDeviceUrl{
			Key:       fmt.Sprintf("/%s/%s:%d", vm.Self.Value, kind, i),
			ImportKey: fmt.Sprintf("/%s/%s:%d", vm.Name, kind, i),
			Url:       "https://" + w.address + uploadPath + taken.Self.Value + "/" + name,
			Disk:      types.NewBool(true),
			TargetId:  name,
		})
	}
	return info
}

// upload takes a disk; the address of a lease is secret enough, as in a vCenter.
func (w *world) upload(out http.ResponseWriter, in *http.Request) {
	id, name, _ := strings.Cut(strings.TrimPrefix(in.URL.Path, uploadPath), "/")
	found, known := w.leases.Load(id)
	if !known {
		http.NotFound(out, in)
		return
	}
	taken := found.(*lease)
	taken.mu.Lock()
	_, expected := taken.waiting[name]
	taken.mu.Unlock()
	if !expected || in.Method != http.MethodPut && in.Method != http.MethodPost {
		http.NotFound(out, in)
		return
	}
	size, err := io.Copy(io.Discard, in.Body)
	if err != nil {
		return
	}
	taken.mu.Lock()
	taken.waiting[name] = size
	taken.mu.Unlock()
	out.WriteHeader(http.StatusCreated)
}

func (d *desk) takenLease(of ref) *lease {
	found, known := d.leases.Load(of.Value)
	if !known {
		return nil
	}
	return found.(*lease)
}

// HttpNfcLeaseComplete ends the import; a disk that never came is missed.
func (d *desk) HttpNfcLeaseComplete(ctx *simulator.Context, req *types.HttpNfcLeaseComplete) soap.HasFault {
	taken := d.takenLease(req.This)
	if taken == nil {
		return gone(req.This).answer()
	}
	taken.mu.Lock()
	defer taken.mu.Unlock()
	for _, size := range taken.waiting {
		if size <= 0 {
			return invalidState().answer()
		}
	}
	d.dropLease(ctx, taken)
	return &methods.HttpNfcLeaseCompleteBody{Res: &types.HttpNfcLeaseCompleteResponse{}}
}

// HttpNfcLeaseAbort takes the VM away again.
func (d *desk) HttpNfcLeaseAbort(ctx *simulator.Context, req *types.HttpNfcLeaseAbort) soap.HasFault {
	taken := d.takenLease(req.This)
	if taken == nil {
		return gone(req.This).answer()
	}
	d.dropLease(ctx, taken)
	if taken.vm != nil {
		d.remove(taken.vm, true)
	}
	return &methods.HttpNfcLeaseAbortBody{Res: &types.HttpNfcLeaseAbortResponse{}}
}

func (d *desk) dropLease(ctx *simulator.Context, taken *lease) {
	d.leases.Delete(taken.Self.Value)
	d.registry.Remove(ctx, taken.Self)
}

// HttpNfcLeaseProgress keeps the percentage that the client tells.
func (d *desk) HttpNfcLeaseProgress(ctx *simulator.Context, req *types.HttpNfcLeaseProgress) soap.HasFault {
	taken := d.takenLease(req.This)
	if taken == nil {
		return gone(req.This).answer()
	}
	d.locked(ctx, taken, func() { taken.TransferProgress = req.Percent })
	return &methods.HttpNfcLeaseProgressBody{Res: &types.HttpNfcLeaseProgressResponse{}}
}

// datastoreOf is the datastore that the spec names for the VM's files.
func datastoreOf(spec *types.VirtualMachineConfigSpec, dc *datacenter) (ref, *refusal) {
	var at object.DatastorePath
	if spec.Files == nil || !at.FromString(spec.Files.VmPathName) {
		return ref{}, &refusal{&types.InvalidVmConfig{Property: "configSpec.files.vmPathName"}, "Invalid virtual machine configuration."}
	}
	store, known := dc.datastores[at.Datastore]
	if !known {
		return ref{}, &refusal{&types.InvalidDatastore{Name: at.Datastore}, "Invalid datastore '" + at.Datastore + "'."}
	}
	return store, nil
}
