"""Who calls which service where: read from a request's SigV4 credential scope. Signatures are not checked.

AWS General Reference, "Elements of an AWS API request signature".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[\w-]+)/(?P<service>[\w.-]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Scope:
    access_key: str
    region: str
    service: str


def scope_of(environ: WSGIEnvironment) -> Scope | None:
    """None where the request is not signed, or signed in the query string."""
    match = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return Scope(match["key"], match["region"], match["service"]) if match else None
