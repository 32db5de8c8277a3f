package main

import (
	"encoding/json"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// encodeTree gives property values in Pulumi's gRPC form: secrets and unknowns stay marked, at any depth.
func encodeTree(properties resource.PropertyMap) (json.RawMessage, error) {
	marshalled, err := plugin.MarshalProperties(properties, plugin.MarshalOptions{
		Label: "outputs", KeepUnknowns: true, KeepSecrets: true,
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(marshalled.AsMap())
}
