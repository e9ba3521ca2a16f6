"""`/`: the status page, three files that ask the API for everything that they show."""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/static/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/static/dom.js": ("dom.js", "text/javascript; charset=utf-8"),
    "/static/views.js": ("views.js", "text/javascript; charset=utf-8"),
    "/static/page.css": ("page.css", "text/css; charset=utf-8"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), camera=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}


def add_page(app: FastAPI) -> None:
    folder = files("controller.web") / "static"
    for path, (name, content_type) in FILES.items():
        app.add_route(path, _serving((folder / name).read_bytes(), content_type), methods=["GET", "HEAD"])


def _serving(body: bytes, content_type: str):  # type: ignore[no-untyped-def] # noqa: ANN202 - Starlette's own shape
    async def serve(_request: Request) -> Response:
        return Response(body, headers={**HEADERS, "content-type": content_type})

    return serve
