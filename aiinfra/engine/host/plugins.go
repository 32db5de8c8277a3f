package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/blang/semver"

	pulumihost "github.com/pulumi/pulumi/pkg/v3/host"
	"github.com/pulumi/pulumi/pkg/v3/pluginstorage"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
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

// wantedPlugin is an official provider plugin at one version. Server is where to get it, empty for Pulumi's own place.
type wantedPlugin struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Server  string `json:"server"`
}

// installPlugins puts plugins into PULUMI_HOME once, before stacks that need them start at once.
func installPlugins(ctx context.Context, o *operation) (any, error) {
	installed := []string{}
	for _, wanted := range o.Plugins {
		if o.stopped.Load() {
			return o.neverStarted()
		}
		fresh, err := o.install(ctx, wanted)
		if err != nil {
			return nil, fail(codeFailed, fmt.Sprintf("plugin %s %s: %v", wanted.Name, wanted.Version, err))
		}
		if fresh {
			installed = append(installed, wanted.Name)
		}
	}
	return map[string]any{"installed": installed}, nil
}

func (o *operation) install(ctx context.Context, wanted wantedPlugin) (bool, error) {
	version, err := semver.ParseTolerant(wanted.Version)
	if err != nil {
		return false, err
	}
	described := workspace.PluginDescriptor{
		Kind: apitype.ResourcePlugin, Name: wanted.Name, Version: &version, PluginDownloadURL: wanted.Server,
	}
	if workspace.HasPlugin(described) {
		return false, nil
	}
	o.progress(fmt.Sprintf("fetching the Pulumi plugin %s %s", wanted.Name, version))
	return true, o.fetch(ctx, described)
}

func (o *operation) progress(text string) {
	o.host.replies.say(reply{ID: o.ID, Event: &apitype.EngineEvent{
		StdoutEvent: &apitype.StdoutEngineEvent{Message: text, Color: "never"},
	}})
}

func (o *operation) fetch(ctx context.Context, wanted workspace.PluginDescriptor) error {
	count := func(stream io.ReadCloser, size int64) io.ReadCloser {
		return &counted{ReadCloser: stream, size: size, tell: func(percent int64) {
			o.progress(fmt.Sprintf("fetching the Pulumi plugin %s: %d%% of %d MB", wanted.Name, percent, size>>20))
		}}
	}
	file, err := workspace.DownloadToFile(ctx, wanted, count, nil)
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	done, err := pluginstorage.UnpackContents(ctx, wanted, pluginstorage.TarPlugin(file), false)
	if err != nil {
		return err
	}
	done(true)
	return nil
}

// counted tells every tenth of a stream that passed.
type counted struct {
	io.ReadCloser
	size, read, told int64
	tell             func(percent int64)
}

func (c *counted) Read(to []byte) (int, error) {
	n, err := c.ReadCloser.Read(to)
	c.read += int64(n)
	if c.size > 0 {
		if tenth := c.read * 10 / c.size; tenth > c.told {
			c.told = tenth
			c.tell(tenth * 10)
		}
	}
	return n, err
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
