"""`iam:SimulatePrincipalPolicy` over HTTP: the query protocol's form in, its XML out. moto has no answer to it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from controller.sandbox.iam.gate import Identities
from controller.sandbox.iam.requests import Request
from controller.sandbox.iam.simulate import nobody, simulate, source_of

CALL = "iam:SimulatePrincipalPolicy"
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def simulation(identities: Identities, request: Request) -> bytes:
    """The answer's body. Raises SimulationError."""
    arn = source_of(request.body, request.account)
    rights = identities.rights_of(arn)
    if rights is None:
        raise nobody(arn)
    result = _element("SimulatePrincipalPolicyResult", simulate(request.body, rights))
    about = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    name = "SimulatePrincipalPolicyResponse"
    return f'<{name} xmlns="{_NAMESPACE}">{result}{about}</{name}>'.encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        inner = "".join(_element(key, one) for key, one in value.items())
    elif isinstance(value, list):
        inner = "".join(_element("member", one) for one in value)
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"
