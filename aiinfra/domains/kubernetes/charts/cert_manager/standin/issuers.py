"""The spec of an Issuer of cert-manager v1.21.1 (cert-manager/cert-manager deploy/crds), as structural schemas.

The pods' templates of ACME solvers are left out.
"""

from __future__ import annotations

from aiinfra.domains.kubernetes.lab.schema import (
    BOOLEAN,
    INTEGER,
    LABELS,
    STRING,
    STRINGS,
    Schema,
    array,
    enum,
    obj,
    strings,
)

BYTES = STRING | {"format": "byte"}
SECRET = obj({"key": STRING, "name": STRING}, required=["name"])
NAMED = obj({"name": STRING}, required=["name"])
ACCOUNT = obj({"audiences": STRINGS, "name": STRING}, required=["name"])
_AZURE_CLOUDS = ("AzurePublicCloud", "AzureChinaCloud", "AzureGermanCloud", "AzureUSGovernmentCloud")
_AZURE: dict[str, Schema] = {
    **dict.fromkeys(("clientID", "hostedZoneName", "resourceGroupName", "subscriptionID", "tenantID"), STRING),
    "clientSecretSecretRef": SECRET,
    "environment": enum(*_AZURE_CLOUDS),
    "managedIdentity": strings("clientID", "resourceID", "tenantID"),
    "zoneType": enum("AzurePublicZone", "AzurePrivateZone"),
}
_AKAMAI = ("accessTokenSecretRef", "clientSecretSecretRef", "clientTokenSecretRef")
_BY_ACCOUNT = obj(
    {"kubernetes": obj({"serviceAccountRef": ACCOUNT}, required=["serviceAccountRef"])}, required=["kubernetes"]
)
_ROUTE53: dict[str, Schema] = {
    **dict.fromkeys(("accessKeyID", "hostedZoneID", "region", "role"), STRING),
    **{"accessKeyIDSecretRef": SECRET, "secretAccessKeySecretRef": SECRET, "auth": _BY_ACCOUNT},
}
_RFC2136: dict[str, Schema] = {
    **dict.fromkeys(("nameserver", "tsigAlgorithm", "tsigKeyName"), STRING),
    **{"protocol": enum("TCP", "UDP"), "tsigSecretSecretRef": SECRET},
}
_CONFIG: Schema = {"x-kubernetes-preserve-unknown-fields": True}
"""The configuration of a DNS01 webhook solver. It may hold anything, as upstream."""
_DNS01 = obj(
    {
        "acmeDNS": obj({"accountSecretRef": SECRET, "host": STRING}, required=["accountSecretRef", "host"]),
        "akamai": obj(
            {**dict.fromkeys(_AKAMAI, SECRET), "serviceConsumerDomain": STRING},
            required=[*_AKAMAI, "serviceConsumerDomain"],
        ),
        "azureDNS": obj(_AZURE, required=["resourceGroupName", "subscriptionID"]),
        "cloudDNS": obj(
            {"hostedZoneName": STRING, "project": STRING, "serviceAccountSecretRef": SECRET}, required=["project"]
        ),
        "cloudflare": obj({"apiKeySecretRef": SECRET, "apiTokenSecretRef": SECRET, "email": STRING}),
        "cnameStrategy": enum("None", "Follow"),
        "digitalocean": obj({"tokenSecretRef": SECRET}, required=["tokenSecretRef"]),
        "rfc2136": obj(_RFC2136, required=["nameserver"]),
        "route53": obj(_ROUTE53),
        "webhook": obj(
            {"config": _CONFIG, "groupName": STRING, "solverName": STRING}, required=["groupName", "solverName"]
        ),
    }
)
_PARENT = obj(
    {
        **{"group": STRING | {"default": "gateway.networking.k8s.io"}, "kind": STRING | {"default": "Gateway"}},
        **{"name": STRING, "namespace": STRING, "port": INTEGER, "sectionName": STRING},
    },
    required=["name"],
)
_INGRESS: dict[str, Schema] = {
    **dict.fromkeys(("class", "ingressClassName", "name", "serviceType"), STRING),
    "ingressTemplate": obj({"metadata": obj({"annotations": LABELS, "labels": LABELS})}),
}
SOLVER = obj(
    {
        "dns01": _DNS01,
        "http01": obj(
            {
                "gatewayHTTPRoute": obj({"labels": LABELS, "parentRefs": array(_PARENT), "serviceType": STRING}),
                "ingress": obj(_INGRESS),
            }
        ),
        "selector": obj({"dnsNames": STRINGS, "dnsZones": STRINGS, "matchLabels": LABELS}),
        "waitInsteadOfSelfCheck": STRING,
    }
)
_EXTERNAL_ACCOUNT = obj(
    {"keyAlgorithm": enum("HS256", "HS384", "HS512"), "keyID": STRING, "keySecretRef": SECRET},
    required=["keyID", "keySecretRef"],
)
_ACME: dict[str, Schema] = {
    **dict.fromkeys(("email", "profile", "server"), STRING),
    **dict.fromkeys(("disableAccountKeyGeneration", "enableDurationFeature", "skipTLSVerify"), BOOLEAN),
    **{"caBundle": BYTES, "preferredChain": STRING | {"maxLength": 64}, "privateKeySecretRef": SECRET},
    **{"externalAccountBinding": _EXTERNAL_ACCOUNT, "solvers": array(SOLVER)},
}
_VAULT_AWS: dict[str, Schema] = {
    **dict.fromkeys(("iamRoleArn", "mountPath", "region", "vaultHeaderValue"), STRING),
    **{"role": STRING | {"minLength": 1}, "serviceAccountRef": ACCOUNT},
}
_VAULT_AUTH = obj(
    {
        "appRole": obj(
            {"path": STRING, "roleId": STRING, "secretRef": SECRET}, required=["path", "roleId", "secretRef"]
        ),
        "aws": obj(_VAULT_AWS, required=["role"]),
        "clientCertificate": strings("mountPath", "name", "secretName"),
        "kubernetes": obj(
            {"mountPath": STRING, "role": STRING, "secretRef": SECRET, "serviceAccountRef": ACCOUNT}, required=["role"]
        ),
        "tokenSecretRef": SECRET,
    }
)
_VAULT: dict[str, Schema] = {
    **dict.fromkeys(("namespace", "path", "server", "serverName"), STRING),
    **dict.fromkeys(("caBundleSecretRef", "clientCertSecretRef", "clientKeySecretRef"), SECRET),
    **{"auth": _VAULT_AUTH, "caBundle": BYTES},
}
_VENAFI = obj(
    {
        "cloud": obj({"apiTokenSecretRef": SECRET, "url": STRING}, required=["apiTokenSecretRef"]),
        "ngts": obj(
            {"credentialsRef": NAMED, "tokenEndpoint": STRING, "tsgID": STRING, "url": STRING},
            required=["credentialsRef", "tsgID"],
        ),
        "tpp": obj(
            {"caBundle": BYTES, "caBundleSecretRef": SECRET, "credentialsRef": NAMED, "url": STRING},
            required=["credentialsRef", "url"],
        ),
        "zone": STRING,
    },
    required=["zone"],
)
_CA = dict.fromkeys(("crlDistributionPoints", "issuingCertificateURLs", "ocspServers"), STRINGS)
ISSUER_SPEC = obj(
    {
        "acme": obj(_ACME, required=["privateKeySecretRef", "server"]),
        "ca": obj({**_CA, "secretName": STRING}, required=["secretName"]),
        "selfSigned": obj({"crlDistributionPoints": STRINGS}),
        "vault": obj(_VAULT, required=["auth", "path", "server"]),
        "venafi": _VENAFI,
    }
)
