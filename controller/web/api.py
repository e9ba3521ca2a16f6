"""`/api/v1`: what the controller knows, and what people may ask of it with the token."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.convertors import StringConvertor, register_url_convertor

from controller.web import models
from controller.web.models import Asked, Page, Said
from controller.web.view import Actions, Unknown, View

LIMIT, MOST = 100, 500
T = TypeVar("T")
R = TypeVar("R")
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Rows to leave out at the beginning.")]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Text = Annotated[
    str, Query(alias="q", max_length=200, description="What a row must have in it: all of these words, in any case.")
]
Reason = Annotated[str, Query(max_length=60, description="As `RouterMissing`; one of api.conditions.")]
Ready = Annotated[bool | None, Query(description="Only those that are ready, or are not.")]


class _Label(StringConvertor):
    """A name, and not the verb behind it."""

    regex = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


class _Hex(StringConvertor):
    regex = "[0-9a-f]{8,64}"


register_url_convertor("label", _Label())
register_url_convertor("hex", _Hex())
Name = Annotated[str, Path(pattern=f"^{_Label.regex}$")]
Token = Callable[[], Sequence[str]]
"""Reads the tokens that count; empty: actions are off. It may raise Explained."""
_bearer = HTTPBearer(auto_error=False, description="The setting `api`; without one, actions are off.")
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Said, "description": "The body is not JSON in UTF-8"},
    401: {"model": Said, "description": "No token, or a wrong one"},
    403: {"model": Said, "description": "Actions are off: no token is set"},
    404: {"model": Said, "description": "There is no such thing"},
    409: {"model": Said, "description": "It cannot be done as things stand"},
    408: {"model": Said, "description": "The body did not come in time"},
    413: {"model": Said, "description": "The body is too large"},
    503: {"model": Said, "description": "It could not be written, or the token not be read"},
}
MISSING: dict[int | str, dict[str, Any]] = {404: REFUSALS[404], 503: REFUSALS[503]}


def router(view: View, actions: Actions, token: Token, version: str) -> APIRouter:
    api = APIRouter(prefix="/api/v1")
    _add_actions(api, actions, token)  # first: a name in a path would take the verb behind it for its own
    _add_reads(api, view, version)
    _add_lists(api, view)
    return api


def _add_reads(api: APIRouter, view: View, version: str) -> None:
    @api.get("/summary", tags=["status"])
    def summary() -> models.Summary:
        """Everything in numbers, and what is going on."""
        status = view.status()
        ready = Counter("ready" if _ready(one) else "notReady" for one in status["routes"].values())
        return models.Summary(
            revision=status["revision"],
            source_error=status["sourceError"],
            places=status["places"],
            errors=status["errors"],
            lost_configs=status["lostConfigs"],
            routes={"ready": ready["ready"], "notReady": ready["notReady"]},
            services=dict(Counter(one["reason"] for one in status["services"].values())),
            problems=len(status["problems"]),
            rollouts=[models.rollout(one) for one in status["rollouts"]],
            suspended={name: one["message"] for name, one in status["suspended"].items()},
            version=version,
        )

    @api.get("/services/{key:path}", tags=["status"], responses=MISSING)
    def service(key: str) -> models.Service:
        found = view.status()["services"].get(key)
        if found is None:
            raise Unknown(f"there is no service {key}")
        return models.service(key, found)

    @api.get("/routes/{namespace:label}/{name:label}", tags=["status"], responses=MISSING)
    def route(namespace: Name, name: Name) -> models.Route:
        status, key = view.status(), f"{namespace}/{name}"
        if key not in status["routes"]:
            raise Unknown(f"there is no route {key}")
        services = [one for one, row in status["services"].items() if key in row.get("routes", ())]
        return models.route(key, status["routes"][key], services)

    @api.get("/history/{key:path}", tags=["events"], responses=MISSING)
    def history(key: str) -> list[models.Event]:
        """What happened to one service, the latest first, from the config store."""
        return [models.event(one) for one in view.history(key)]


def _add_lists(api: APIRouter, view: View) -> None:
    @api.get("/routes", tags=["status"])
    def routes(
        q: Text = "", reason: Reason = "", ready: Ready = None, offset: Offset = 0, limit: Limit = LIMIT
    ) -> Page[models.Route]:
        status = view.status()
        rows = [
            (key, some)
            for key, some in status["routes"].items()
            if _fits(q, key, *(one["message"] for one in some))
            and (not reason or any(one["reason"] == reason for one in some if one["condition"] == "Ready"))
            and ready in (None, _ready(some))
        ]
        of: dict[str, list[str]] = {}
        for key, row in status["services"].items():
            for one in row.get("routes", ()):
                of.setdefault(one, []).append(key)
        return _page(rows, offset, limit, lambda row: models.route(row[0], row[1], of.get(row[0], [])))

    @api.get("/services", tags=["status"])
    def services(
        q: Text = "",
        reason: Reason = "",
        route: Annotated[str, Query(max_length=200, description="`namespace/name`")] = "",
        ready: Ready = None,
        offset: Offset = 0,
        limit: Limit = LIMIT,
    ) -> Page[models.Service]:
        """Those that are not ready come first."""
        rows = [
            (key, row)
            for key, row in view.status()["services"].items()
            if reason in ("", row["reason"])
            and ready in (None, row["ready"])
            and (not route or route in row.get("routes", ()))
            and _fits(q, key, row["reason"], row["message"])
        ]
        rows.sort(key=lambda pair: pair[1]["ready"])
        return _page(rows, offset, limit, lambda pair: models.service(*pair))

    @api.get("/plans", tags=["plans"])
    def plans(offset: Offset = 0, limit: Limit = LIMIT) -> Page[models.Plan]:
        """What waits for approval first, then the last plan of each place."""
        return _page(view.plans(), offset, limit, models.plan)

    @api.get("/events", tags=["events"])
    def events(
        q: Text = "",
        about: Annotated[str, Query(max_length=400, description="A service, route, place or file.")] = "",
        level: Annotated[str, Query(pattern="^(info|warning|error)$", description="At least.")] = "info",
        offset: Offset = 0,
        limit: Limit = LIMIT,
    ) -> Page[models.Event]:
        """The latest first."""
        least = ("info", "warning", "error").index(level)
        rows = [
            one
            for one in view.events()
            if one.level >= least
            and (about in ("", one.about) or about in one.routes)
            and _fits(q, one.about, one.kind, one.message, one.reason, one.by)
        ]
        return _page(rows, offset, limit, models.event)

    @api.get("/problems", tags=["status"])
    def problems(q: Text = "", offset: Offset = 0, limit: Limit = LIMIT) -> Page[models.Problem]:
        """Of the specs, by file and line."""
        rows = [one for one in view.status()["problems"] if _fits(q, one["file"], one["code"], one["message"])]
        return _page(rows, offset, limit, lambda one: models.Problem(**one))


def _add_actions(api: APIRouter, actions: Actions, token: Token) -> None:
    def allowed(given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> None:
        tokens = token()
        if not tokens:
            raise HTTPException(HTTPStatus.FORBIDDEN, "actions are off: the setting `api` names no token")
        said = given.credentials.encode() if given else b""
        right = [hmac.compare_digest(said, one.encode()) for one in tokens]  # each takes its time
        if not any(right):
            headers = {"www-authenticate": "Bearer"}
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "a token is needed, and this is none", headers)

    write: dict[str, Any] = {"tags": ["actions"], "dependencies": [Depends(allowed)], "responses": REFUSALS}

    @api.post("/routes/{namespace:label}/{name:label}:reconcile", **write)
    def reconcile(namespace: Name, name: Name, asked: Asked) -> Said:
        """A look now, and another try of what rolled back or is contested."""
        return Said(detail=actions.reconcile(f"{namespace}/{name}", _who(asked), asked.reason))

    @api.post("/routes/{namespace:label}/{name:label}:suspend", **write)
    def suspend(namespace: Name, name: Name, asked: Asked) -> Said:
        """Observed, not written, until it is resumed."""
        return Said(detail=actions.suspend(f"{namespace}/{name}", _who(asked), asked.reason))

    @api.post("/routes/{namespace:label}/{name:label}:resume", **write)
    def resume(namespace: Name, name: Name) -> Said:
        return Said(detail=actions.resume(f"{namespace}/{name}"))

    @api.post("/plans/{digest:hex}:approve", **write)
    def approve(digest: Annotated[str, Path(pattern=f"^{_Hex.regex}$")], asked: Asked) -> Said:
        """Let a plan go on that a guard has blocked."""
        return Said(detail=actions.approve(digest, _who(asked)))


def _who(asked: Asked) -> str:
    return f"{asked.by} by API" if asked.by else "somebody by API"


def _page(rows: Sequence[T], offset: int, limit: int, make: Callable[[T], R]) -> Page[R]:
    return Page(items=[make(one) for one in rows[offset : offset + limit]], total=len(rows), offset=offset, limit=limit)


def _fits(wanted: str, *texts: str) -> bool:
    """All of the words, somewhere."""
    if not wanted:
        return True
    there = " ".join(texts).casefold()
    return all(word in there for word in wanted.casefold().split())


def _ready(conditions: Iterable[Mapping[str, str]]) -> bool:
    return any(one["condition"] == "Ready" and one["status"] == "True" for one in conditions)
