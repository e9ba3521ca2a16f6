"""`iam:SimulatePrincipalPolicy` over HTTP: the query protocol's form in, its XML out. moto has no answer to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from controller.sandbox.iam.gate import Attached, Identities, Rights
from controller.sandbox.iam.requests import Request
from controller.sandbox.iam.simulate import nobody, simulate, source_of

CALL = "iam:SimulatePrincipalPolicy"
_ALL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
ADMINISTRATOR = Rights((Attached("AdministratorAccess", "aws-managed", _ALL),))
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def simulation(identities: Identities, request: Request, is_named: Callable[[str], bool]) -> bytes:
    """The answer's body. Raises SimulationError. `is_named`: whether a task definition names a role, by its ARN. ECS
    takes no role that does not exist, so one that nobody made here may do everything.
    """
    arn = source_of(request.body, request.account)
    rights = identities.rights_of(arn) or (ADMINISTRATOR if is_named(arn) else None)
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
