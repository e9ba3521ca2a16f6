"""Pages of a list (Amazon ECS API reference, `maxResults` and `nextToken` of each List operation)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from controller.sandbox.errors import InvalidParameterError
from controller.sandbox.model import Json

MOST = 100


def page(key: str, items: Sequence[object], request: Json, *, default: int = MOST) -> Json:
    """One page under `key`, with a token where more is to come. `default` differs by operation."""
    size = request.get("maxResults", default)
    if not 1 <= size <= MOST:
        raise InvalidParameterError(f"maxResults must be between 1 and {MOST}.")
    start = _offset(request["nextToken"]) if "nextToken" in request else 0
    answer: Json = {key: list(items[start : start + size])}
    if start + size < len(items):
        answer["nextToken"] = base64.urlsafe_b64encode(f"from:{start + size}".encode()).decode()
    return answer


def _offset(token: str) -> int:
    try:
        prefix, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidParameterError("Invalid token.") from error
    if prefix != "from" or not number.isdecimal():
        raise InvalidParameterError("Invalid token.")
    return int(number)
