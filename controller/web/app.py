"""The HTTP application: pages for machines, the API, the status page, and hooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.routing import Route

from controller import __version__
from controller.api.errors import Explained
from controller.web.api import Token, router
from controller.web.bounds import Bounds
from controller.web.health import Health, Verdict
from controller.web.hooks import Hooks
from controller.web.live import Live
from controller.web.page import add_page
from controller.web.view import Actions, Refusal, Unknown, View

Exposition = Callable[[str], tuple[bytes, str]]
"""Accept header → body and content type; telemetry's `Metrics.render`."""

_METHODS = ["GET", "HEAD"]  # some load balancers and health checks send HEAD
HOOKS = "/hooks/"
STATUSES: dict[type[Exception], HTTPStatus] = {Unknown: HTTPStatus.NOT_FOUND, Refusal: HTTPStatus.CONFLICT}


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is beside the pages for machines."""

    view: View
    actions: Actions
    token: Token
    hooks: Hooks
    live: Live


def create_app(exposition: Exposition, health: Health, shown: Shown | None = None) -> FastAPI:
    """`GET /metrics`, `/healthz`, `/readyz`, and what is `shown`; everything else is a 404 in JSON."""
    app = FastAPI(
        title="LogRoute",
        version=__version__,
        openapi_url="/api/v1/openapi.json" if shown else None,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )

    # A plain function runs on a thread: the metrics of many routes must not hold up the health checks.
    def metrics(request: Request) -> Response:
        body, content_type = exposition(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    async def healthz() -> Response:
        return _answer(health.live())

    async def readyz() -> Response:
        return _answer(health.ready())

    for path, page in (("/metrics", metrics), ("/healthz", healthz), ("/readyz", readyz)):
        app.add_api_route(path, page, methods=_METHODS, response_model=None, include_in_schema=False)
    if shown:
        app.router.routes.append(Route(HOOKS + "{forge}", shown.hooks.hear, methods=["POST"]))
        app.add_route("/api/v1/watch", shown.live.watch, methods=["GET"], include_in_schema=False)
        app.include_router(router(shown.view, shown.actions, shown.token, __version__))
        add_page(app)
        app.add_middleware(Bounds, but=HOOKS)
    app.add_exception_handler(Explained, _explained)
    app.add_exception_handler(Exception, _failed)
    return app


def _answer(verdict: Verdict) -> Response:
    status = HTTPStatus.OK if verdict.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(asdict(verdict), status)


async def _explained(_request: Request, error: Exception) -> Response:
    """What it was asked for is not there, not possible, or could not be read or written: the log has the whole."""
    status = STATUSES.get(type(error))
    if status is None:
        structlog.get_logger().error("a request failed", error=error)
        detail = "it could not be read or written just now; the controller's log has why"
        return JSONResponse({"detail": detail}, HTTPStatus.SERVICE_UNAVAILABLE)
    return JSONResponse({"detail": str(error)}, status)


async def _failed(_request: Request, _error: Exception) -> Response:
    """What went wrong is in the log, and only there: it may name things that a stranger must not read."""
    return JSONResponse({"detail": "Internal Server Error"}, HTTPStatus.INTERNAL_SERVER_ERROR)
