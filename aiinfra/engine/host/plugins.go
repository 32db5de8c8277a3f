package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	pulumihost "github.com/pulumi/pulumi/pkg/v3/host"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/env"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// pluginHost boots providers for one operation. No schema loader, mapper or resolver is served: they are for language
// plugins and converters, and each costs a server.
func (e *environment) pluginHost(
	ctx context.Context, d, status diag.Sink, debug plugin.DebugContext,
) (plugin.Host, error) {
	inner, err := pulumihost.New(ctx, d, status, debug, nil, nil, nil, nil)
	if err != nil || e.OfficialPlugins {
		return inner, err
	}
	return attachedOnly{inner, e.served()}, nil
}

// attachedOnly refuses every provider that the caller does not serve.
type attachedOnly struct {
	plugin.Host
	attached map[string]int
}

func (h attachedOnly) Provider(
	ctx *plugin.Context, wanted workspace.PluginDescriptor, variables env.Env,
) (plugin.Provider, error) {
	if _, served := h.attached[wanted.Name]; !served {
		return nil, fmt.Errorf("provider %q is not served here (served: %s)", wanted.Name,
			strings.Join(slices.Sorted(maps.Keys(h.attached)), ", "))
	}
	return h.Host.Provider(ctx, wanted, variables)
}

// ready answers when the environment's secrets are open, or says why they are not. With `make`, an environment that has
// no salt or data key gets one.
func ready(ctx context.Context, o *operation) (any, error) {
	if o.Make {
		_, err := o.host.environment.keys.forWriting(ctx)
		return struct{}{}, err
	}
	_, err := o.host.environment.keys.existing(ctx)
	return struct{}{}, err
}
