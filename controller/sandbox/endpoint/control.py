"""`/_sandbox/…`: what a shell script or another process does to the sandbox. JSON in, JSON out.

GET    /_sandbox/status              the time, the calls so far, the buckets that ECS throttles by
POST   /_sandbox/advance             {"seconds": 30}
POST   /_sandbox/fail_next_rollout   {"service": "web", "container": "log_router", "exit_code": 1}
POST   /_sandbox/break_container     {"service": "web", "ailment": {"way": "out_of_memory", "after": 60}, "rollouts": 1}
POST   /_sandbox/mend                {"fault": "fault-1"}, or {} for all that breaks containers
POST   /_sandbox/enforce_iam         {"on": true}: sessions of roles that IAM knows may do what their policies allow
GET    /_sandbox/faults              {"faults": [{"id": "fault-1", "calls": …, "seen": 3, "struck": 1}]}
POST   /_sandbox/faults              {"calls": "ecs:Register*", "effect": "lose-answer", "after": 1, "times": 1}
DELETE /_sandbox/faults/fault-1
POST   /_sandbox/ci                  {"cluster": "c", "service": "web", "definition": {…}, "image": "app:2"}
POST   /_sandbox/ci_copy             {"cluster": "c", "service": "web", "image": "app:2", "of": "live"}
POST   /_sandbox/terraform           {"cluster": "c", "service": "web", "definition": {…}}
POST   /_sandbox/person              {"roll_back": {"cluster": "c", "service": "web", "to": "previous"}}

Every key is in `endpoint/faults.py` and `actors/shapes.py`. A mistake is answered with 400 and {"error": …}, what
is not there with 404, an actor that AWS refused with 409.
"""

from __future__ import annotations

from typing import Any, Protocol

import orjson
from pydantic import ValidationError

from controller.sandbox.actors.desk import ActorFailed
from controller.sandbox.actors.shapes import Ci, CiCopy, Person, Shape, Terraform
from controller.sandbox.bodies import keywords
from controller.sandbox.model import Json

PREFIX = "/_sandbox/"
Reply = tuple[int, dict[str, Any]]
ACTORS: dict[str, type[Shape]] = {"ci": Ci, "ci_copy": CiCopy, "terraform": Terraform, "person": Person}


class Controlled(Protocol):
    """And the methods fail_next_rollout, break_container and mend, whose own annotations say what they take."""

    def advance(self, seconds: float) -> float: ...

    def add_fault(self, **stated: Any) -> str: ...

    def remove_fault(self, name: str) -> None: ...

    def faults(self) -> list[dict[str, Any]]: ...

    def act(self, told: Shape) -> Json: ...

    def status(self) -> dict[str, Any]: ...

    def enforce_iam(self, *, on: bool = True) -> None: ...


def control(sandbox: Controlled, method: str, path: str, body: bytes) -> Reply:
    try:
        return 200, _perform(sandbox, method, path.removeprefix(PREFIX), body)
    except LookupError:
        return 404, {"error": f"the sandbox has no {method} {path}"}
    except ValidationError as error:
        return 400, {"error": "; ".join(_said(error))}
    except (ValueError, TypeError) as error:
        return 400, {"error": str(error)}
    except ActorFailed as error:
        return 409, {"error": str(error)}


def _said(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [": ".join(filter(None, [".".join(map(str, one["loc"])), one["msg"]])) for one in found]


def _perform(sandbox: Controlled, method: str, action: str, body: bytes) -> dict[str, Any]:
    options = orjson.loads(body or b"{}")
    if not isinstance(options, dict):
        raise TypeError("the body must be a JSON object")
    match method, action.split("/"):
        case "GET", ["status"]:
            return sandbox.status()
        case "POST", ["advance"]:
            return {"now": sandbox.advance(float(options.get("seconds", 0)))}
        case "POST", ["fail_next_rollout" | "break_container" | "mend" as name]:
            made = getattr(sandbox, name)(**keywords(getattr(type(sandbox), name), options))
            return {} if made is None else {"id": made}
        case "POST", ["enforce_iam"]:
            sandbox.enforce_iam(on=bool(options.get("on", True)))
            return {}
        case "GET", ["faults"]:
            return {"faults": sandbox.faults()}
        case "POST", ["faults"]:
            return {"id": sandbox.add_fault(**options)}
        case "DELETE", ["faults", name]:
            sandbox.remove_fault(name)
            return {}
        case "POST", [actor] if actor in ACTORS:
            return sandbox.act(ACTORS[actor].model_validate(options))
    raise LookupError(action)
