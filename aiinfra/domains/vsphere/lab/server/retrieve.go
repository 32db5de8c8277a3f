// The property collector.

package main

import (
	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// mostInPage objects are answered at once, however many are asked for; the rest comes with a token.
const mostInPage = 1000

// The property collector in place of the simulator's: it reads values without copying each by way of XML, leaves out
// what is unset also on later pages, and says which property may not be read.

// RetrievePropertiesEx answers the first page, with a token for the next one.
func (d *desk) RetrievePropertiesEx(ctx *simulator.Context, req *types.RetrievePropertiesEx) soap.HasFault {
	found, refused := d.retrieve(ctx, req.SpecSet)
	if refused != nil {
		return refused.answer()
	}
	res := &types.RetrievePropertiesExResponse{}
	if len(found) > 0 {
		page, token := d.page(found, req.Options.MaxObjects)
		res.Returnval = &types.RetrieveResult{Objects: page, Token: token}
	}
	return &methods.RetrievePropertiesExBody{Res: res}
}

// ContinueRetrievePropertiesEx answers the page of a token. A token can be used once.
func (d *desk) ContinueRetrievePropertiesEx(ctx *simulator.Context, req *types.ContinueRetrievePropertiesEx) soap.HasFault {
	kept, known := d.pages.LoadAndDelete(req.Token)
	if !known {
		return invalidArgument("token").answer()
	}
	rest := kept.(pages)
	page, token := d.page(rest.objects, rest.size)
	return &methods.ContinueRetrievePropertiesExBody{Res: &types.ContinueRetrievePropertiesExResponse{
		Returnval: types.RetrieveResult{Objects: page, Token: token},
	}}
}

// CancelRetrievePropertiesEx forgets the pages of a token.
func (d *desk) CancelRetrievePropertiesEx(ctx *simulator.Context, req *types.CancelRetrievePropertiesEx) soap.HasFault {
	d.pages.Delete(req.Token)
	return &methods.CancelRetrievePropertiesExBody{Res: &types.CancelRetrievePropertiesExResponse{}}
}

// RetrieveProperties answers everything at once.
func (d *desk) RetrieveProperties(ctx *simulator.Context, req *types.RetrieveProperties) soap.HasFault {
	found, refused := d.retrieve(ctx, req.SpecSet)
	if refused != nil {
		return refused.answer()
	}
	return &methods.RetrievePropertiesBody{Res: &types.RetrievePropertiesResponse{Returnval: found}}
}

// fetch is a request that the SDK does not document and pyVmomi sends for each attribute that is read.
type fetch struct {
	This ref
	Prop string
}

type FetchResponse struct {
	//lint:ignore SA5008 govmomi's own encoder knows typeattr
	Returnval types.AnyType `xml:"returnval,omitempty,typeattr"`
}

type fetchBody struct {
	Res    *FetchResponse `xml:"FetchResponse,omitempty"`
	Reason *soap.Fault    `xml:"http://schemas.xmlsoap.org/soap/envelope/ Fault,omitempty"`
}

func (b *fetchBody) Fault() *soap.Fault { return b.Reason }

// Fetch answers one property of one object.
func (d *desk) Fetch(ctx *simulator.Context, req *fetch) soap.HasFault {
	found, refused := d.retrieve(ctx, []types.PropertyFilterSpec{{
		PropSet:   []types.PropertySpec{{Type: req.This.Type, PathSet: []string{req.Prop}}},
		ObjectSet: []types.ObjectSpec{{Obj: req.This}},
	}})
	if refused != nil {
		return refused.answer()
	}
	answer := &FetchResponse{}
	for _, one := range found {
		for _, missing := range one.MissingSet {
			return (&refusal{missing.Fault.Fault, missing.Fault.LocalizedMessage}).answer()
		}
		for _, property := range one.PropSet {
			answer.Returnval = property.Val
		}
	}
	return &fetchBody{Res: answer}
}

type pages struct {
	objects []types.ObjectContent
	size    int32
}

// page cuts off what is answered now, and keeps the rest under a token.
func (d *desk) page(found []types.ObjectContent, size int32) (now []types.ObjectContent, token string) {
	most := mostInPage
	if size > 0 {
		most = min(most, int(size))
	}
	if len(found) <= most {
		return found, ""
	}
	token = uuid.NewString()
	d.pages.Store(token, pages{found[most:], size})
	return found[:most], token
}

// retrieval is one run of the collector.
type retrieval struct {
	*desk
	ctx       *simulator.Context
	named     map[string]*types.TraversalSpec
	collected map[ref]bool
	objects   []types.ObjectContent
}

// retrieve collects the properties of all objects that the specs select.
func (d *desk) retrieve(ctx *simulator.Context, specs []types.PropertyFilterSpec) ([]types.ObjectContent, *refusal) {
	r := &retrieval{desk: d, ctx: ctx, named: map[string]*types.TraversalSpec{}, collected: map[ref]bool{}}
	for _, spec := range specs {
		for _, start := range spec.ObjectSet {
			value, there := r.open(start.Obj)
			if !there {
				if isSet(spec.ReportMissingObjectsInResults) {
					continue
				}
				return nil, gone(start.Obj)
			}
			if !isSet(start.Skip) {
				r.collect(start.Obj, value, spec.PropSet)
			}
			if refused := r.follow(start.Obj, value, start.SelectSet, spec.PropSet, map[ref]bool{}); refused != nil {
				return nil, refused
			}
		}
	}
	return r.objects, nil
}

// follow walks from an object along the traversals of its type.
func (r *retrieval) follow(at ref, value shown, selects []types.BaseSelectionSpec, props []types.PropertySpec, seen map[ref]bool) *refusal {
	for _, each := range selects {
		if traversal, ok := each.(*types.TraversalSpec); ok && traversal.Name != "" {
			r.named[traversal.Name] = traversal
		}
	}
	for _, each := range selects {
		traversal, ok := each.(*types.TraversalSpec)
		if !ok {
			if traversal = r.named[each.GetSelectionSpec().Name]; traversal == nil {
				return invalidArgument("undefined TraversalSpec name")
			}
		}
		if !value.is(at.Type, traversal.Type) {
			continue
		}
		for _, next := range r.refs(at, value, traversal.Path) {
			target, there := r.open(next)
			if !there {
				continue
			}
			if !isSet(traversal.Skip) {
				r.collect(next, target, props)
			}
			key := ref{Type: traversal.Name + traversal.Path, Value: next.Value}
			if len(traversal.SelectSet) == 0 || seen[key] {
				continue
			}
			seen[key] = true
			if refused := r.follow(next, target, traversal.SelectSet, props, seen); refused != nil {
				return refused
			}
		}
	}
	return nil
}

// refs are the objects that a property refers to.
func (r *retrieval) refs(at ref, value shown, path string) []ref {
	var refs []ref
	r.locked(r.ctx, at, func() {
		found, err := value.read(path)
		if err == nil {
			refs = referencesIn(found)
		}
	})
	return refs
}

// open finds the object that clients see under a reference, in the session first.
func (r *retrieval) open(at ref) (shown, bool) {
	var found mo.Reference = r.ctx.Session.Get(at)
	if found == nil {
		return shown{}, false
	}
	if view, ok := found.(interface{ Get() mo.Reference }); ok {
		found = view.Get()
	}
	return managed(found)
}

// collect reads the properties that are asked of objects of this type.
func (r *retrieval) collect(at ref, value shown, props []types.PropertySpec) {
	if r.collected[at] {
		return
	}
	r.collected[at] = true
	content := types.ObjectContent{Obj: at}
	asked := false
	r.locked(r.ctx, at, func() {
		for _, prop := range props {
			if !value.is(at.Type, prop.Type) {
				continue
			}
			asked = true
			paths := prop.PathSet
			if isSet(prop.All) {
				paths = value.paths()
			}
			r.readAll(at, value, paths, &content)
		}
	})
	if asked {
		r.objects = append(r.objects, content)
	}
}

// readAll reads the properties of one object, and notes those that may not or cannot be read.
func (r *retrieval) readAll(at ref, value shown, paths []string, content *types.ObjectContent) {
	readable := r.denied.granted("System.Read", at)
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[path] {
			continue
		}
		seen[path] = true
		miss := func(why *refusal) {
			content.MissingSet = append(content.MissingSet, types.MissingProperty{Path: path, Fault: *why.localized()})
		}
		if !readable && path != "name" {
			miss(noPermission(at, "System.Read"))
			continue
		}
		found, err := value.read(path)
		if err != nil {
			miss(&refusal{&types.InvalidProperty{Name: path}, "The property path '" + path + "' is invalid."})
		} else if found != nil {
			content.PropSet = append(content.PropSet, types.DynamicProperty{Name: path, Val: found})
		}
	}
}
