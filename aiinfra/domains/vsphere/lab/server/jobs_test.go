package main

import (
	"testing"

	"github.com/vmware/govmomi/simulator"
)

func TestTasksHaveTheIdsOfAVCenter(t *testing.T) {
	w := smallWorld(t)
	known := map[string]bool{}
	manager := w.registry.Get(*w.registry.Get(ref{Type: "ServiceInstance", Value: "ServiceInstance"}).(*simulator.ServiceInstance).Content.TaskManager)
	for _, method := range manager.(*simulator.TaskManager).Description.MethodInfo {
		known[method.GetElementDescription().Key] = true
	}
	tasks := map[[2]string]string{
		{"VirtualMachine", "CloneVM_Task"}:            "VirtualMachine.clone",
		{"VirtualMachine", "ReconfigVM_Task"}:         "VirtualMachine.reconfigure",
		{"VirtualMachine", "PowerOnVM_Task"}:          "VirtualMachine.powerOn",
		{"VirtualMachine", "PowerOffVM_Task"}:         "VirtualMachine.powerOff",
		{"VirtualMachine", "Destroy_Task"}:            "VirtualMachine.destroy",
		{"VirtualMachine", "Rename_Task"}:             "VirtualMachine.rename",
		{"VirtualMachine", "UpgradeVM_Task"}:          "VirtualMachine.upgradeVirtualHardware",
		{"VirtualMachine", "CreateSnapshot_Task"}:     "VirtualMachine.createSnapshot",
		{"VirtualMachine", "RemoveAllSnapshots_Task"}: "VirtualMachine.removeAllSnapshots",
		{"Folder", "CreateVM_Task"}:                   "Folder.createVm",
		{"Folder", "Destroy_Task"}:                    "Folder.destroy",
		{"Datacenter", "PowerOnMultiVM_Task"}:         "Datacenter.powerOnVm",
		{"ResourcePool", "ImportVApp_Task"}:           "ResourcePool.ImportVAppLRO",
		{"HostSystem", "EnterMaintenanceMode_Task"}:   "HostSystem.enterMaintenanceMode",
		{"HostSystem", "ExitMaintenanceMode_Task"}:    "HostSystem.exitMaintenanceMode",
		{"HostSystem", "RebootHost_Task"}:             "HostSystem.reboot",
	}
	for task, want := range tasks {
		if id := descriptionID(task[0], task[1]); id != want || !known[id] {
			t.Errorf("%v is %s, known to a vCenter: %t", task, id, known[id])
		}
	}
}
