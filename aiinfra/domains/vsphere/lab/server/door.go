// The way of every SOAP call: counted, delayed, checked, and led to the handler that answers it.

package main

import (
	"reflect"
	"slices"
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
	w.registry.Handler = func(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
		w.calls.count(method.Name)
		asked := *method
		method.This, method.Name, method.Body = d.Self, "List", &soapCall{&asked}
		return d, nil
	}
}

// soapCall is a call on its way to who answers it. VMware's simulator looks for the object of a call in the session
// before it takes the one that the door names, and lets a call named List pass without a session. So every call is
// given the desk for its object, which no session has, and that name.
type soapCall struct{ method *simulator.Method }

// List answers a call. A panic on the way is a fault, and keeps nobody out.
func (d *desk) List(ctx *simulator.Context, call *soapCall) soap.HasFault {
	where := call.method.This.Type + "." + call.method.Name
	answer, refused := guarded(d.world, ctx, where, func() (soap.HasFault, *refusal) {
		if refused := d.admit(ctx, call.method); refused != nil {
			return nil, refused
		}
		return d.dispatch(ctx, call.method)
	})
	if refused != nil {
		return refused.answer()
	}
	return answer
}

// admit holds a call up as described, and refuses one that its caller may not make.
func (d *desk) admit(ctx *simulator.Context, method *simulator.Method) *refusal {
	d.faults.delay(d.description.Delays, method.Name)
	if ctx.Session == nil && !withoutSession[method.Name] {
		return notAuthenticated(method.This)
	}
	if login, ok := method.Body.(*types.Login); ok {
		return d.logins.refuse(login.UserName, login.Password, d.description)
	}
	if ctx.Session == nil {
		return nil
	}
	return d.denied.check(method)
}

// dispatch calls the method of the desk, or of the object of VMware's simulator while that is locked.
func (d *desk) dispatch(ctx *simulator.Context, method *simulator.Method) (answer soap.HasFault, refused *refusal) {
	var object mo.Reference = d
	ours, known := answeredBy(method.Name, method.This)
	switch {
	case ctx.Session == nil:
		object = d.registry.Get(method.This)
	case !known:
		return nil, notSupported()
	case ours && method.Name == "Fetch": // its type is one that the simulator keeps to itself
		body := reflect.ValueOf(method.Body).Elem()
		method.Body = &fetch{body.FieldByName("This").Interface().(ref), body.FieldByName("Prop").String()}
	case !ours:
		object = ctx.Session.Get(method.This)
	}
	if object == nil {
		return nil, gone(method.This)
	}
	name := handlerName(method.Name)
	if entity, ok := object.(mo.Entity); ok && slices.Contains(entity.Entity().DisabledMethod, name) {
		return nil, &refusal{&types.MethodDisabled{}, "The method is disabled by '" + method.This.Value + "'."}
	}
	handler := reflect.ValueOf(object).MethodByName(name)
	if !handler.IsValid() {
		return nil, methodNotFound(method)
	}
	arguments := []reflect.Value{reflect.ValueOf(method.Body)}
	if handler.Type().NumIn() == 2 {
		arguments = append([]reflect.Value{reflect.ValueOf(ctx)}, arguments...)
	}
	ctx.Caller = &method.This
	d.locked(ctx, object, func() { answer = handler.Call(arguments)[0].Interface().(soap.HasFault) })
	return answer, nil
}

// handlerName is the Go method that answers a SOAP method: CloneVMTask for CloneVM_Task, RetrieveProperties for
// retrieveProperties.
func handlerName(method string) string {
	name := strings.ToUpper(method[:1]) + method[1:]
	if task, found := strings.CutSuffix(name, "_Task"); found {
		return task + "Task"
	}
	return name
}

// lockedAfter is how many wrong passwords in a row lock an account, as the default policy of vCenter Single Sign-On does.
const lockedAfter = 5

// logins counts the wrong passwords of the account. Nobody unlocks it.
type logins struct {
	mu    sync.Mutex
	wrong int
}

// refuse compares the name and the password of somebody who logs in, by SOAP or by REST.
func (l *logins) refuse(user, password string, d *description) *refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case user != d.User:
		return invalidLogin()
	case l.wrong >= lockedAfter:
		return accountLocked()
	case password != d.Password:
		l.wrong++
		return invalidLogin()
	}
	l.wrong = 0
	return nil
}

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
