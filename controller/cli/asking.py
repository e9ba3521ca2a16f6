"""`logroute suspend`, `resume` and `reconcile`: what a person asks of the controller, left in the config store.

A running controller obeys before its next write, and looks at everything at its next poll; `plan` and `apply` obey too.
"""

from __future__ import annotations

import difflib
import getpass
import re
import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from controller import app as composition
from controller.aws.ports import NotFound
from controller.cli.console import say
from controller.cli.failures import CommandError
from controller.reconciling.board import OBJECT
from controller.reconciling.world import DESK, STATE
from controller.settings import load
from controller.state.desk import Desk, Note, Subject, Verb, What

ROUTE = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
SERVICE = re.compile(r"[\w-]+/[\w-]+/[\w-]+/[\w-]+", re.ASCII)


def suspend(route: str | None, service: str | None, reason: str, config: Path | None) -> int:
    desk, subject, _ = _opened(route, service, config)
    there = desk.suspended(subject.what).get(subject.name)
    if there is not None:
        say(f"{subject.name} is suspended already, {there}")
        return 0
    desk.put(Verb.SUSPEND, subject, _note(reason))
    print(f"{subject.name} is suspended: nothing of it is written until `logroute resume`; config objects still are")
    return 0


def resume(route: str | None, service: str | None, config: Path | None) -> int:
    """Raises CommandError where the spec itself suspends the route: no command outweighs it."""
    desk, subject, status = _opened(route, service, config)
    if subject.name in desk.suspended(subject.what):
        desk.drop(Verb.SUSPEND, [subject])
        print(f"{subject.name} is resumed")
        return 0
    if _by_spec(status, subject):
        raise CommandError(f"{subject.name} is suspended by its own spec: take `suspend: true` out of it")
    say(f"{subject.name} is not suspended")
    return 0


def reconcile(route: str | None, service: str | None, reason: str, config: Path | None) -> int:
    desk, subject, _ = _opened(route, service, config)
    desk.put(Verb.RECONCILE, subject, _note(reason))
    print(f"{subject.name} is looked at anew: what rolled back or was contested is tried again")
    return 0


def _opened(route: str | None, service: str | None, config: Path | None) -> tuple[Desk, Subject, dict[str, Any]]:
    if (route is None) == (service is None):
        raise CommandError("give a route as NAMESPACE/NAME, or a service by --service, and not both")
    objects, store = composition.home_store(load(config))
    try:
        status: dict[str, Any] = orjson.loads(objects.get(store.key(STATE, OBJECT)).body)
    except (NotFound, orjson.JSONDecodeError):
        status = {}
        say("no controller has left its status in the config store: the name is taken as it is")
    subject = _route(route, status) if route is not None else _service(str(service), status)
    desk = Desk(objects, store.key(STATE, DESK))
    desk.refresh()
    return desk, subject, status


def _route(text: str, status: dict[str, Any]) -> Subject:
    name = text if "/" in text else f"default/{text}"
    if not ROUTE.fullmatch(name):
        raise CommandError(f"{text!r} is no route: give NAMESPACE/NAME")
    known = status.get("routes")
    if known is not None and name not in known:
        raise CommandError(f"there is no route {name}{_near(name, known)}")
    return Subject(What.ROUTE, name)


def _service(text: str, status: dict[str, Any]) -> Subject:
    """`account/region/cluster/service`, or as much of its end as is not ambiguous."""
    known = status.get("services")
    if known is None:
        if not SERVICE.fullmatch(text):
            raise CommandError(f"{text!r}: without a status to look it up, give ACCOUNT/REGION/CLUSTER/SERVICE")
        return Subject(What.SERVICE, text)
    found = [key for key in known if key == text or key.endswith(f"/{text}")]
    if len(found) > 1:
        raise CommandError(f"{text!r} may be {', '.join(found)}: give more of it")
    if not found:
        raise CommandError(f"there is no service {text}{_near(text, known)}")
    return Subject(What.SERVICE, found[0])


def _near(name: str, known: Iterable[str]) -> str:
    some = list(known)
    close = difflib.get_close_matches(name, some, n=3) or [one for one in some if name in one][:3]
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _by_spec(status: dict[str, Any], subject: Subject) -> bool:
    conditions = status.get("routes", {}).get(subject.name, ()) if subject.what is What.ROUTE else ()
    return any(one["condition"] == "Suspended" and one["status"] == "True" for one in conditions)


def _note(reason: str) -> Note:
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        who = "somebody"
    return Note(f"{who}@{socket.gethostname()}", datetime.now(UTC).isoformat(timespec="seconds"), reason)
