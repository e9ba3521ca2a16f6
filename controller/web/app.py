"""The HTTP application: three pages for machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from controller.web.health import Health, Verdict

Exposition = Callable[[str], tuple[bytes, str]]
"""Accept header → body and content type; telemetry's `Metrics.render`."""

_METHODS = ["GET", "HEAD"]  # some load balancers and health checks send HEAD


def create_app(exposition: Exposition, health: Health) -> FastAPI:
    """`GET /metrics`, `/healthz`, `/readyz`; everything else is a 404 in JSON."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    # A plain function runs on a thread: the metrics of many routes must not hold up the health checks.
    def metrics(request: Request) -> Response:
        body, content_type = exposition(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    async def healthz() -> Response:
        return _answer(health.live())

    async def readyz() -> Response:
        return _answer(health.ready())

    for path, page in (("/metrics", metrics), ("/healthz", healthz), ("/readyz", readyz)):
        app.add_api_route(path, page, methods=_METHODS, response_model=None)
    app.add_exception_handler(Exception, _failed)
    return app


def _answer(verdict: Verdict) -> Response:
    status = HTTPStatus.OK if verdict.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(asdict(verdict), status)


async def _failed(_request: Request, _error: Exception) -> Response:
    """What went wrong is in the log, and only there: it may name things that a stranger must not read."""
    return JSONResponse({"detail": "Internal Server Error"}, HTTPStatus.INTERNAL_SERVER_ERROR)
