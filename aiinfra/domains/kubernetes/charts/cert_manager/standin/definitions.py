"""The CRDs of cert-manager v1.21.1 (cert-manager/cert-manager deploy/crds), as structural schemas.

Fields, enumerations and required fields follow upstream.
"""

from __future__ import annotations

from aiinfra.domains.kubernetes.charts.cert_manager.standin.issuers import BYTES, ISSUER_SPEC, SECRET, SOLVER
from aiinfra.domains.kubernetes.lab.schema import (
    BOOLEAN,
    CONDITION_STATUS,
    INTEGER,
    LABELS,
    STRING,
    STRINGS,
    Schema,
    array,
    crd,
    enum,
    mapping,
    obj,
    strings,
)

TIME = STRING | {"format": "date-time"}
COUNT: Schema = {"type": "integer"}
LONG: Schema = {"type": "integer", "format": "int64"}
ISSUER = obj({"group": STRING, "kind": STRING, "name": STRING}, required=["name"])
USAGES = array(
    enum(
        *("signing", "digital signature", "content commitment", "key encipherment", "key agreement"),
        *("data encipherment", "cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth"),
        *("client auth", "code signing", "email protection", "s/mime", "ipsec end system", "ipsec tunnel"),
        *("ipsec user", "timestamping", "ocsp signing", "microsoft sgc", "netscape sgc"),
    )
)
STATES = enum("valid", "ready", "pending", "processing", "invalid", "expired", "errored")


def _conditions(**more: Schema) -> Schema:
    fields = {"type": STRING, "status": CONDITION_STATUS, "reason": STRING, "message": STRING}
    return array(obj({**fields, "lastTransitionTime": TIME, **more}, required=["status", "type"]))


_KEYSTORE: dict[str, Schema] = {"create": BOOLEAN, "password": STRING, "passwordSecretRef": SECRET}
_PROFILE = enum("LegacyRC2", "LegacyDES", "Modern2023", "Modern2026")
_NAMES = obj(dict.fromkeys(("dnsDomains", "emailAddresses", "ipRanges", "uriDomains"), STRINGS))
_SUBJECT = (
    *("countries", "localities", "organizationalUnits", "organizations", "postalCodes", "provinces"),
    "streetAddresses",
)
_WINDOW = {"cron": STRING | {"minLength": 1}, "timezone": STRING | {"minLength": 1}}
_DURATION = STRING | {"pattern": r"^([0-9]+(\.[0-9]+)?(s|m|h))+$"}
_ALGORITHMS = (
    *("SHA256WithRSA", "SHA384WithRSA", "SHA512WithRSA", "PureEd25519"),
    *("ECDSAWithSHA256", "ECDSAWithSHA384", "ECDSAWithSHA512"),
)
_CERTIFICATE: dict[str, Schema] = {
    **dict.fromkeys(("commonName", "duration", "literalSubject", "renewBefore", "secretName"), STRING),
    **dict.fromkeys(("dnsNames", "emailAddresses", "ipAddresses", "uris"), STRINGS),
    **dict.fromkeys(("encodeUsagesInRequest", "isCA"), BOOLEAN),
    **dict.fromkeys(("renewBeforePercentage", "revisionHistoryLimit"), INTEGER),
    "additionalOutputFormats": array(obj({"type": enum("DER", "CombinedPEM")}, required=["type"])),
    "issuerRef": ISSUER,
    "keystores": obj(
        {
            "jks": obj({**_KEYSTORE, "alias": STRING}, required=["create"]),
            "pkcs12": obj({**_KEYSTORE, "profile": _PROFILE}, required=["create"]),
        }
    ),
    "nameConstraints": obj({"critical": BOOLEAN, "excluded": _NAMES, "permitted": _NAMES}),
    "otherNames": array(strings("oid", "utf8Value")),
    "privateKey": obj(
        {
            "algorithm": enum("RSA", "ECDSA", "Ed25519"),
            "encoding": enum("PKCS1", "PKCS8"),
            "rotationPolicy": enum("Never", "Always"),
            "size": COUNT,
        }
    ),
    "renewal": obj(
        {
            "policy": enum("RenewBefore", "Disabled"),
            "windows": array(obj({**_WINDOW, "windowDuration": _DURATION}, required=["cron", "windowDuration"])),
        }
    ),
    "secretTemplate": obj({"annotations": LABELS, "labels": LABELS}),
    "signatureAlgorithm": enum(*_ALGORITHMS),
    "subject": obj({**dict.fromkeys(_SUBJECT, STRINGS), "serialNumber": STRING}),
    "usages": USAGES,
}
_CERTIFICATE_STATUS: dict[str, Schema] = {
    **dict.fromkeys(("lastFailureTime", "notAfter", "notBefore", "renewalTime"), TIME),
    **dict.fromkeys(("failedIssuanceAttempts", "revision"), COUNT),
    "acme": obj(
        {
            "ari": obj(
                {
                    **{"explanationURL": STRING, "lastChecked": TIME, "lastError": STRING, "nextCheck": TIME},
                    "suggestedWindow": obj({"end": TIME, "start": TIME}, required=["end", "start"]),
                }
            )
        }
    ),
    "conditions": _conditions(observedGeneration=LONG),
    "nextPrivateKeySecretName": STRING,
}
_REQUEST: dict[str, Schema] = {
    **dict.fromkeys(("duration", "uid", "username"), STRING),
    **{"extra": mapping(STRINGS), "groups": STRINGS, "isCA": BOOLEAN},
    **{"issuerRef": ISSUER, "request": BYTES, "usages": USAGES},
}
_ORDER: dict[str, Schema] = {
    **dict.fromkeys(("commonName", "duration", "profile", "replaces"), STRING),
    **{"dnsNames": STRINGS, "ipAddresses": STRINGS, "issuerRef": ISSUER, "request": BYTES},
}
_OFFERED = obj({"token": STRING, "type": STRING, "url": STRING}, required=["token", "type", "url"])
_AUTHORIZATION: dict[str, Schema] = {
    **{"challenges": array(_OFFERED), "identifier": STRING, "initialState": STATES, "url": STRING, "wildcard": BOOLEAN},
}
_ORDER_STATUS: dict[str, Schema] = {
    **dict.fromkeys(("finalizeURL", "reason", "url"), STRING),
    "authorizations": array(obj(_AUTHORIZATION, required=["url"])),
    **{"certificate": BYTES, "failureTime": TIME, "state": STATES},
}
_ISSUER_STATUS = obj(
    {
        "acme": strings("lastPrivateKeyHash", "lastRegisteredEmail", "uri"),
        "conditions": _conditions(observedGeneration=LONG),
    }
)
_CHALLENGE: dict[str, Schema] = {
    **dict.fromkeys(("authorizationURL", "dnsName", "key", "token", "url"), STRING),
    **{"issuerRef": ISSUER, "solver": SOLVER, "type": enum("HTTP-01", "DNS-01"), "wildcard": BOOLEAN},
}
_CHALLENGE_REQUIRED = ("authorizationURL", "dnsName", "issuerRef", "key", "solver", "token", "type", "url")
_CHALLENGE_STATUS: dict[str, Schema] = {
    **{"presented": BOOLEAN, "presentedAt": TIME, "processing": BOOLEAN, "reason": STRING, "state": STATES},
}
DEFINITIONS = (
    crd(
        *("cert-manager.io", "v1", "CertificateRequest", "certificaterequests"),
        spec=obj(_REQUEST, required=["issuerRef", "request"]),
        status=obj({"ca": BYTES, "certificate": BYTES, "conditions": _conditions(), "failureTime": TIME}),
        scope="Namespaced",
        short_names=("cr", "crs"),
        spec_required=False,
    ),
    crd(
        *("cert-manager.io", "v1", "Certificate", "certificates"),
        spec=obj(_CERTIFICATE, required=["issuerRef", "secretName"]),
        status=obj(_CERTIFICATE_STATUS),
        scope="Namespaced",
        short_names=("cert", "certs"),
        spec_required=False,
    ),
    crd(
        *("cert-manager.io", "v1", "ClusterIssuer", "clusterissuers"),
        spec=ISSUER_SPEC,
        status=_ISSUER_STATUS,
        short_names=("ciss",),
    ),
    crd(
        *("cert-manager.io", "v1", "Issuer", "issuers"),
        spec=ISSUER_SPEC,
        status=_ISSUER_STATUS,
        scope="Namespaced",
        short_names=("iss",),
    ),
    crd(
        *("acme.cert-manager.io", "v1", "Challenge", "challenges"),
        spec=obj(_CHALLENGE, required=_CHALLENGE_REQUIRED),
        status=obj(_CHALLENGE_STATUS),
        scope="Namespaced",
    ),
    crd(
        *("acme.cert-manager.io", "v1", "Order", "orders"),
        spec=obj(_ORDER, required=["issuerRef", "request"]),
        status=obj(_ORDER_STATUS),
        scope="Namespaced",
    ),
)
