package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// projectStacks gives the stacks of a project, by name.
func projectStacks(ctx context.Context, b backend.Backend, project string) ([]backend.StackReference, error) {
	refs, err := steadily(func() ([]backend.StackReference, error) {
		found, _, err := b.ListStackNames(ctx, backend.ListStackNamesFilter{Project: &project}, nil)
		return found, err
	})
	if err != nil {
		return nil, err
	}
	sort.Slice(refs, func(i, j int) bool { return refs[i].Name().String() < refs[j].Name().String() })
	return refs, nil
}

// readDeployment gives a stack's state as it lies there, secrets encrypted.
func readDeployment(ctx context.Context, b backend.Backend, s backend.Stack) (*apitype.DeploymentV3, error) {
	raw, err := b.ExportDeployment(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("reading the state of stack %s: %w", s.Ref().Name(), err)
	}
	var deployment apitype.DeploymentV3
	if err := json.Unmarshal(raw.Deployment, &deployment); err != nil {
		return nil, fmt.Errorf("reading the state of stack %s: %w", s.Ref().Name(), err)
	}
	return &deployment, nil
}

func stacks(ctx context.Context, o *operation) (any, error) {
	names := []string{}
	b, err := o.host.environment.existing(ctx)
	if err != nil || b == nil {
		return map[string]any{"stacks": names}, err
	}
	refs, err := projectStacks(ctx, b, o.host.environment.Project)
	for _, ref := range refs {
		names = append(names, ref.Name().String())
	}
	return map[string]any{"stacks": names}, err
}

// outputs gives what the stack's last operation left, secrets marked. A stack that does not exist has none.
func outputs(ctx context.Context, o *operation) (any, error) {
	s, err := o.host.environment.find(ctx, o.Stack)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return map[string]any{"exists": false, "outputs": struct{}{}}, nil
	}
	tree, _, err := o.storedOutputs(ctx, s)
	return map[string]any{"exists": true, "outputs": tree}, err
}

// storedOutputs reads the state: the stack's outputs as JSON, and how many resources it holds.
func (o *operation) storedOutputs(ctx context.Context, s backend.Stack) (json.RawMessage, int, error) {
	snapshot, err := s.Snapshot(ctx, o.host.environment.keys)
	if err != nil {
		return nil, 0, err
	}
	if snapshot == nil {
		tree, err := encodeTree(nil)
		return tree, 0, err
	}
	for _, state := range snapshot.Resources {
		if state.Type == resource.RootStackType && !state.Delete {
			tree, err := encodeTree(state.Outputs)
			return tree, len(snapshot.Resources), err
		}
	}
	tree, err := encodeTree(nil)
	return tree, len(snapshot.Resources), err
}

// removeStack forgets a stack that holds no resources, or with `force` any.
func removeStack(ctx context.Context, o *operation) (any, error) {
	s, err := o.host.environment.find(ctx, o.Stack)
	if err != nil || s == nil {
		return map[string]bool{"removed": false}, err
	}
	if full, err := s.Backend().RemoveStack(ctx, s, o.Force, true); err != nil {
		if full {
			return nil, fail(codeState, fmt.Sprintf("stack %s still holds resources", o.Stack))
		}
		return nil, stateFailure(o.Stack, err)
	}
	return map[string]bool{"removed": true}, nil
}

func export(ctx context.Context, o *operation) (any, error) {
	s, err := o.host.environment.find(ctx, o.Stack)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fail(codeNotFound, fmt.Sprintf("stack %s does not exist", o.Stack))
	}
	deployment, err := s.Backend().ExportDeployment(ctx, s)
	return map[string]any{"deployment": deployment}, err
}

// unfinished is an operation on a resource of which the state does not know how it ended.
type unfinished struct {
	URN       string `json:"urn"`
	Operation string `json:"operation"`
}

func listPending(deployment *apitype.DeploymentV3) []unfinished {
	found := []unfinished{}
	for _, one := range deployment.PendingOperations {
		found = append(found, unfinished{string(one.Resource.URN), string(one.Type)})
	}
	return found
}

func pending(ctx context.Context, o *operation) (any, error) {
	s, err := o.host.environment.find(ctx, o.Stack)
	if err != nil || s == nil {
		return map[string]any{"pending": []unfinished{}}, err
	}
	deployment, err := readDeployment(ctx, s.Backend(), s)
	if err != nil {
		return nil, err
	}
	return map[string]any{"pending": listPending(deployment)}, nil
}

// repair drops a stack's pending operations. Secrets stay as they lie there: no key is needed.
func repair(ctx context.Context, o *operation) (any, error) {
	s, err := o.host.environment.find(ctx, o.Stack)
	if err != nil || s == nil {
		return map[string]any{"dropped": []unfinished{}}, err
	}
	raw, err := s.Backend().ExportDeployment(ctx, s)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	var deployment apitype.DeploymentV3
	if err := json.Unmarshal(raw.Deployment, &fields); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw.Deployment, &deployment); err != nil {
		return nil, err
	}
	if len(deployment.PendingOperations) > 0 {
		delete(fields, "pending_operations")
		if raw.Deployment, err = json.Marshal(fields); err != nil {
			return nil, err
		}
		if err := s.Backend().ImportDeployment(ctx, s, raw); err != nil {
			return nil, stateFailure(o.Stack, err)
		}
	}
	return map[string]any{"dropped": listPending(&deployment)}, nil
}
