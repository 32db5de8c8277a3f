"""The CRDs of `nfd.k8s-sigs.io/v1alpha1` as kubernetes-sigs/node-feature-discovery v0.19.0 serves them (api/nfd)."""

from __future__ import annotations

from aiinfra.domains.kubernetes.lab.schema import LABELS, STRING, STRINGS, Schema, array, crd, enum, mapping, obj

GROUP_NAME = "nfd.k8s-sigs.io"

_FEATURES = obj(
    {
        "attributes": mapping(obj({"elements": LABELS}, required=["elements"])),
        "flags": mapping(obj({"elements": mapping({"type": "object"})}, required=["elements"])),
        "instances": mapping(
            obj({"elements": array(obj({"attributes": LABELS}, required=["attributes"]))}, required=["elements"])
        ),
    }
)
_MATCH = obj(
    {
        "op": enum(
            *("In", "NotIn", "InRegexp", "Exists", "DoesNotExist", "Gt", "Ge", "Lt", "Le"),
            *("GtLt", "GeLe", "IsTrue", "IsFalse"),
        ),
        "type": STRING,
        "value": STRINGS,
    },
    required=["op"],
)
_MATCH_FEATURES = array(
    obj({"feature": STRING, "matchExpressions": mapping(_MATCH), "matchName": _MATCH}, required=["feature"])
)
_RULE: dict[str, Schema] = {
    "name": STRING,
    "matchFeatures": _MATCH_FEATURES,
    "matchAny": array(obj({"matchFeatures": _MATCH_FEATURES}, required=["matchFeatures"])),
    "vars": LABELS,
    "varsTemplate": STRING,
}
_LABELLING: dict[str, Schema] = {
    "annotations": LABELS,
    "extendedResources": LABELS,
    "labels": LABELS,
    "labelsTemplate": STRING,
    "taints": array(
        obj(
            {"key": STRING, "value": STRING, "effect": STRING, "timeAdded": STRING | {"format": "date-time"}},
            required=["key", "effect"],
        )
    ),
}
NODE_FEATURE = crd(
    GROUP_NAME,
    "v1alpha1",
    "NodeFeature",
    "nodefeatures",
    spec=obj({"features": _FEATURES, "labels": LABELS}),
    scope="Namespaced",
)
NODE_FEATURE_RULE = crd(
    GROUP_NAME,
    "v1alpha1",
    "NodeFeatureRule",
    "nodefeaturerules",
    spec=obj({"rules": array(obj(_RULE | _LABELLING, required=["name"]))}, required=["rules"]),
    short_names=("nfr",),
)
GROUP = crd(
    GROUP_NAME,
    "v1alpha1",
    "NodeFeatureGroup",
    "nodefeaturegroups",
    spec=obj({"featureGroupRules": array(obj(_RULE, required=["name"]))}, required=["featureGroupRules"]),
    status=obj({"nodes": array(obj({"name": STRING}, required=["name"]))}),
    scope="Namespaced",
    short_names=("nfg",),
)
DEFINITIONS = (NODE_FEATURE, NODE_FEATURE_RULE, GROUP)
"""The definitions in the `crds/` folder of the chart."""
