// Faults, with the sentences that a vCenter in English says with them.

package main

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// refusal is a fault with the sentence that a vCenter in English says with it.
type refusal struct {
	fault   types.BaseMethodFault
	message string
}

type faultBody struct {
	Reason *soap.Fault `xml:"http://schemas.xmlsoap.org/soap/envelope/ Fault,omitempty"`
}

func (b *faultBody) Fault() *soap.Fault { return b.Reason }

// answer is the refusal of a call that makes no task.
func (r *refusal) answer() soap.HasFault {
	return &faultBody{Reason: simulator.Fault(r.message, r.fault)}
}

func (r *refusal) localized() *types.LocalizedMethodFault {
	return &types.LocalizedMethodFault{Fault: r.fault, LocalizedMessage: r.message}
}

// because adds the lines that ESXi gives as causes, outermost first; clients show them under the message.
func (r *refusal) because(lines ...types.LocalizableMessage) *refusal {
	r.fault.GetMethodFault().FaultMessage = lines
	return r
}

func line(key, format string, args ...any) types.LocalizableMessage {
	return types.LocalizableMessage{Key: key, Message: fmt.Sprintf(format, args...)}
}

func notAuthenticated(object ref) *refusal {
	fault := &types.NotAuthenticated{NoPermission: types.NoPermission{Object: &object, PrivilegeId: "System.View"}}
	return &refusal{fault, "The session is not authenticated."}
}

func invalidLogin() *refusal {
	return &refusal{&types.InvalidLogin{}, "Cannot complete login due to an incorrect user name or password."}
}

func accountLocked() *refusal {
	return &refusal{&types.InvalidLogin{}, "User account is locked. Please contact your administrator."}
}

func noPermission(object ref, privilege string) *refusal {
	return &refusal{&types.NoPermission{Object: &object, PrivilegeId: privilege}, "Permission to perform this operation was denied."}
}

func notSupported() *refusal {
	return &refusal{&types.NotSupported{}, "The operation is not supported on the object."}
}

func invalidState() *refusal {
	return &refusal{&types.InvalidState{}, "The operation is not allowed in the current state."}
}

func invalidArgument(property string) *refusal {
	return &refusal{&types.InvalidArgument{InvalidProperty: property}, "A specified parameter was not correct: " + property}
}

// gone is the fault for an object that is not, or no longer, there.
func gone(object ref) *refusal {
	return &refusal{
		&types.ManagedObjectNotFound{Obj: object},
		"The object '" + "vim." + object.Type + ":" + object.Value + "' has already been deleted or has not been completely created",
	}
}

// methodNotFound is the fault for a method that nothing here implements.
func methodNotFound(method *simulator.Method) *refusal {
	return &refusal{
		&types.MethodNotFound{Receiver: method.This, Method: method.Name},
		"The simulated vCenter has no method " + method.This.Type + "." + method.Name,
	}
}

func wrongPower(have, want types.VirtualMachinePowerState) *refusal {
	words := map[types.VirtualMachinePowerState]string{
		types.VirtualMachinePowerStatePoweredOn:  "Powered on",
		types.VirtualMachinePowerStatePoweredOff: "Powered off",
		types.VirtualMachinePowerStateSuspended:  "Suspended",
	}
	return &refusal{
		&types.InvalidPowerState{ExistingState: have, RequestedState: want},
		"The attempted operation cannot be performed in the current state (" + words[have] + ").",
	}
}

func duplicateName(name string, object ref) *refusal {
	return &refusal{&types.DuplicateName{Name: name, Object: object}, "The name '" + name + "' already exists."}
}

func invalidName(name string) *refusal {
	return &refusal{&types.InvalidName{Name: name}, "The name '" + name + "' is invalid."}
}

func noDiskSpace(datastore string) *refusal {
	return &refusal{&types.NoDiskSpace{Datastore: datastore}, "Insufficient disk space on datastore '" + datastore + "'."}
}

func canceled() *refusal {
	return &refusal{&types.RequestCanceled{}, "The task was canceled by a user."}
}
