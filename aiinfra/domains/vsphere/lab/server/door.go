package main

import (
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// desk answers the calls in place of VMware's simulator. Its methods have the names of the SOAP methods.
type desk struct {
	Self ref
	*world
}

func (d *desk) Reference() ref { return d.Self }

// Lock and Unlock: calls do not wait for each other; each locks the objects that it changes.
func (*desk) Lock()   {}
func (*desk) Unlock() {}

// ours are the calls that the desk answers, by the type of the object they are made to.
var ours = map[string]string{
	"CloneVM_Task":                 "VirtualMachine",
	"ReconfigVM_Task":              "VirtualMachine",
	"Destroy_Task":                 "VirtualMachine",
	"PowerOnVM_Task":               "VirtualMachine",
	"PowerOffVM_Task":              "VirtualMachine",
	"UpgradeVM_Task":               "VirtualMachine",
	"MarkAsTemplate":               "VirtualMachine",
	"MarkAsVirtualMachine":         "VirtualMachine",
	"CreateSnapshot_Task":          "VirtualMachine",
	"RemoveAllSnapshots_Task":      "VirtualMachine",
	"Rename_Task":                  "VirtualMachine",
	"UnregisterVM":                 "VirtualMachine",
	"CreateVM_Task":                "Folder",
	"PowerOnMultiVM_Task":          "Datacenter",
	"ImportVApp":                   "ResourcePool",
	"CreateImportSpec":             "OvfManager",
	"HttpNfcLeaseComplete":         "HttpNfcLease",
	"HttpNfcLeaseAbort":            "HttpNfcLease",
	"HttpNfcLeaseProgress":         "HttpNfcLease",
	"CancelTask":                   "Task",
	"EnterMaintenanceMode_Task":    "HostSystem",
	"ExitMaintenanceMode_Task":     "HostSystem",
	"RebootHost_Task":              "HostSystem",
	"RetrievePropertiesEx":         "PropertyCollector",
	"ContinueRetrievePropertiesEx": "PropertyCollector",
	"CancelRetrievePropertiesEx":   "PropertyCollector",
	"RetrieveProperties":           "PropertyCollector",
	"Fetch":                        "PropertyCollector",
}

// answeredBy says who answers a call: the desk, VMware's simulator, or nobody. What that does with files of VMs and
// datastores has none here to work on.
func answeredBy(method string, object ref) (desk, known bool) {
	if ours[method] == object.Type || method == "Destroy_Task" && object.Type == "Folder" {
		return true, true
	}
	switch object.Type {
	case "FileManager", "VirtualDiskManager", "HostDatastoreBrowser", "HostDatastoreSystem", "VcenterVStorageObjectManager":
		return false, false
	case "VirtualMachine":
		return false, strings.EqualFold(method, "SetCustomValue") || method == "Reload"
	case "Folder":
		return false, method != "RegisterVM_Task"
	}
	return false, true
}

// withoutSession are the calls that need nobody logged in.
var withoutSession = map[string]bool{
	"Login": true, "RetrieveServiceContent": true, "RetrieveProperties": true, "RetrievePropertiesEx": true, "Fetch": true,
	"LoginByToken": true, "LoginExtensionByCertificate": true, "CloneSession": true,
}

// installDoor lets every SOAP call pass here first: it is counted, delayed, checked, and led to who answers it.
func (w *world) installDoor() {
	d := &desk{Self: ref{Type: "Desk", Value: "desk"}, world: w}
	w.registry.Put(d)
	w.registry.Handler = func(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
		w.calls.count(method.Name)
		w.faults.delay(w.said.Delays, method.Name)
		if ctx.Session == nil && !withoutSession[method.Name] {
			return d.refuse(method, notAuthenticated(method.This)), nil
		}
		if login, ok := method.Body.(*types.Login); ok {
			if refused := w.logins.refuse(login, w.said); refused != nil {
				return d.refuse(method, refused), nil
			}
		}
		if ctx.Session == nil {
			return nil, nil
		}
		if refused := w.denied.check(method); refused != nil {
			return d.refuse(method, refused), nil
		}
		desk, known := answeredBy(method.Name, method.This)
		if !known {
			return d.refuse(method, notSupported()), nil
		}
		if desk {
			if method.Name == "Fetch" { // its type is one that the simulator keeps to itself
				body := reflect.ValueOf(method.Body).Elem()
				method.Body = &fetch{body.FieldByName("This").Interface().(ref), body.FieldByName("Prop").String()}
			}
			method.This = d.Self
			return d, nil
		}
		return nil, nil
	}
}

// lockedAfter is how many wrong passwords in a row lock an account, as the default policy of vCenter Single Sign-On does.
const lockedAfter = 5

// logins counts the wrong passwords of the account. Nobody unlocks it.
type logins struct {
	mu    sync.Mutex
	wrong int
}

func (l *logins) refuse(who *types.Login, said *description) *refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case who.UserName != said.User:
		return invalidLogin()
	case l.wrong >= lockedAfter:
		return accountLocked()
	case who.Password != said.Password:
		l.wrong++
		return invalidLogin()
	}
	l.wrong = 0
	return nil
}

// refuse makes the call one that answers with the refusal. VMware's simulator lets a call named List pass without a
// session, and asks the session's registry for the object before it asks us: hence the new name and address.
func (d *desk) refuse(method *simulator.Method, why *refusal) mo.Reference {
	method.This, method.Name, method.Body = d.Self, "List", why
	return d
}

// List is how a refusal leaves.
func (d *desk) List(why *refusal) soap.HasFault { return why.answer() }

// calls counts the requests by method.
type calls struct {
	mu      sync.Mutex
	methods map[string]int
	flying  int
	most    int
}

func (c *calls) count(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.methods == nil {
		c.methods = map[string]int{}
	}
	c.methods[method]++
}

// enter and leave bracket a request, so that the most at one time is known.
func (c *calls) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flying++
	c.most = max(c.most, c.flying)
}

func (c *calls) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flying--
}

type callReport struct {
	Methods map[string]int `json:"methods"`
	Total   int            `json:"total"`
	AtOnce  int            `json:"atOnce"` // the most that were in the door at one time
}

func (c *calls) report() callReport {
	c.mu.Lock()
	defer c.mu.Unlock()
	report := callReport{Methods: map[string]int{}, AtOnce: c.most}
	for method, number := range c.methods {
		report.Methods[method] = number
		report.Total += number
	}
	return report
}

func (c *calls) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.methods, c.most = nil, c.flying
}

func pause(milliseconds int) {
	if milliseconds > 0 {
		time.Sleep(time.Duration(milliseconds) * time.Millisecond)
	}
}
