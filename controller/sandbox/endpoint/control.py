"""`/_sandbox/…`: what a shell script or another process does to the sandbox.

POST /_sandbox/advance             {"seconds": 30}
POST /_sandbox/fail_next_rollout   {"service": "web", "container": "log_router", "exit_code": 1}
GET  /_sandbox/status              the time, and the calls so far
"""

from __future__ import annotations

from typing import Any, Protocol

import orjson

PREFIX = "/_sandbox/"
Reply = tuple[int, dict[str, Any]]


class Controlled(Protocol):
    def advance(self, seconds: float) -> float: ...

    def fail_next_rollout(
        self, service: str | None = None, *, container: str, exit_code: int, reason: str | None
    ) -> None: ...

    def status(self) -> dict[str, Any]: ...


def control(sandbox: Controlled, method: str, path: str, body: bytes) -> Reply:
    try:
        return 200, _perform(sandbox, method, path.removeprefix(PREFIX), body)
    except LookupError:
        return 404, {"error": f"the sandbox has no {method} {path}"}
    except (ValueError, TypeError) as error:
        return 400, {"error": str(error)}


def _perform(sandbox: Controlled, method: str, action: str, body: bytes) -> dict[str, Any]:
    options = orjson.loads(body or b"{}")
    if not isinstance(options, dict):
        raise TypeError("the body must be a JSON object")
    match method, action:
        case "GET", "status":
            return sandbox.status()
        case "POST", "advance":
            return {"now": sandbox.advance(float(options.get("seconds", 0)))}
        case "POST", "fail_next_rollout":
            sandbox.fail_next_rollout(
                options.get("service"),
                container=str(options.get("container", "log_router")),
                exit_code=int(options.get("exit_code", 1)),
                reason=options.get("reason"),
            )
            return {}
    raise LookupError(action)
