"""What comes in from outside: addresses of sources, what git and S3 list, and what HTTP takes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import h11

from controller.aws.ports import SourceBucket
from controller.runtime.clock import SystemClock
from controller.sources import GitOptions, GitSpec, SourceError, parse_source
from controller.sources.address import S3Spec
from controller.sources.git import GitSource
from controller.sources.git_program import Git
from controller.sources.git_tree import read_files
from controller.sources.names import spec_name
from controller.sources.s3 import S3Source
from controller.sources.snapshot import Limits
from controller.telemetry.metrics import Metrics
from controller.web.app import Shown, create_app
from controller.web.health import Health
from controller.web.hooks import Hooks
from controller.web.live import Live
from controller.web.server import ListenError, parse_address
from controller.web.signatures import SCHEMES
from tests.fuzz.target import Target, text
from tests.support.aws import MemoryStore
from tests.support.page import SERVICES, TOKEN, World

COMMIT = b"0123456789abcdef0123456789abcdef01234567"


def _address(data: bytes) -> object:
    found = parse_source(text(data))
    assert parse_source(str(found)) == found
    return type(found).__name__


class _Listing(GitSource):
    """Hears from its server what it is given."""

    def __init__(self, said: bytes) -> None:
        super().__init__(GitSpec("https", "h/r", "main"), GitOptions(), None, Path("/nowhere"), Limits())
        self._said, self._checked = said, True

    def _ask(self, *_words: str, what: str) -> bytes:
        assert what
        return self._said


def _refs(data: bytes) -> object:
    return _Listing(data)._tip().name


class _Tree:
    """git_program.Git whose ls-tree lists what it is given, and whose every blob is the same."""

    def __init__(self, listing: bytes) -> None:
        self._listing = listing

    def local(self, *words: str, stdin: bytes = b"", **_: Any) -> bytes:
        if words[0] == "ls-tree":
            return self._listing
        return b"".join(b"%s blob 5\n../x.\n" % blob for blob in stdin.splitlines())


def _tree(data: bytes) -> object:
    found = read_files(cast("Git", _Tree(data)), "x:", Limits())
    for one in found:
        one.path.encode()
    return len(found), {one.problem.reason for one in found if one.problem}


def _names(data: bytes) -> object:
    """Each line the key of an object below a prefix."""
    store = MemoryStore()
    for line in data.split(b"\n"):
        spec_name(line)
        store.force("specs/" + text(line), b"a: b")
    source = S3Source(S3Spec("store", "specs"), cast("SourceBucket", store), Limits())
    first = source.poll(None)
    assert source.poll(first) is first
    for path in first.files:
        path.encode()
    return len(first.files), {one.problem.reason for one in first.problems() if one.problem}


def _listen(data: bytes) -> object:
    return len(parse_address(text(data))[0]) > 0


_LOOP = asyncio.new_event_loop()
_METRICS = Metrics("0.1.0")
_WORLD = World({key: row for key, row in SERVICES.items() if key.endswith(("-00000", "-00001", "nightly"))})
_SECRET = "of-these-tests"
_HOOKS = Hooks(dict.fromkeys(SCHEMES, lambda: [_SECRET]), lambda: None, SystemClock(), lambda *_: None)
_APP = create_app(
    _METRICS.render,
    Health(SystemClock(), lambda: 0.0, lambda: True, limit=1e9, grace=1e9),
    Shown(_WORLD, _WORLD, lambda: [TOKEN], _HOOKS, Live(_WORLD.version)),
)
_REQUESTS = (
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1\r\n\r\n",
    b"HEAD /healthz?a=b HTTP/1.0\r\n\r\n",
    b"POST /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd",
    b"GET /api/v1/services?q=web&ready=false&limit=5&offset=1&reason=InSync HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/v1/history/main/ap-northeast-1/prod/web-00000 HTTP/1.1\r\nHost: x\r\n\r\n",
    (
        b"POST /api/v1/routes/web/httpd:suspend HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-these-tests\r\n"
        b'Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{"reason": "x"}'
    ),
    (
        b"POST /hooks/generic HTTP/1.1\r\nHost: x\r\nWebhook-Id: a\r\nWebhook-Timestamp: 1\r\n"
        b"Webhook-Signature: v1,AAAA v1,BBBB\r\nContent-Length: 2\r\n\r\n{}"
    ),
    b"GET /%ff/../x;y HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nCookie: a=b\r\nOrigin: null\r\n\r\n0\r\n\r\n",
)


def _http(data: bytes) -> object:
    """As uvicorn takes it with h11. No request may end in a 500."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    request = connection.next_event()
    if not isinstance(request, h11.Request):
        return "no request"
    path, _, query = request.target.partition(b"?")
    headers = [(bytes(name), bytes(value)) for name, value in request.headers]
    scope: dict[str, Any] = {"path": path.decode("latin-1"), "query_string": query, "headers": headers}
    scope |= {"type": "http", "method": request.method.decode("ascii"), "raw_path": path, "root_path": ""}
    scope |= {"scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 9090), "client": ("127.0.0.1", 1)}
    if path == b"/metrics":  # the application asks for it on a thread, whose CPU nobody here would count
        _METRICS.render(dict(headers).get(b"accept", b"").decode("latin-1"))
    if path == b"/api/v1/watch":  # it never ends
        return "watch"
    status = _LOOP.run_until_complete(_answered(scope, _body(connection)))
    assert status != 500
    return status


def _body(connection: h11.Connection) -> bytes:
    found = b""
    while isinstance(event := connection.next_event(), h11.Data):
        found += event.data
    return found if event is not h11.NEED_DATA else found + b" "


async def _answered(scope: dict[str, Any], body: bytes) -> int:
    said: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    await _APP(scope, receive, send)
    return said[0]


_ROW = b"100644 blob %s      12\t%s\0"
_TREE = b"".join((
    _ROW % (COMMIT, b"specs/a.yaml"), _ROW % (COMMIT, b"b.yml"), b"160000 commit %s       -\tsub\0" % COMMIT,
    b"120000 blob %s       5\tspecs/link.yaml\0" % COMMIT, b"120000 blob %s       5\tloop/x.\0" % COMMIT,
))  # fmt: skip
_ADDRESSES = (
    b"git+https://host/team/r.git@main#path=a/b",
    b"git+ssh://git@host:22/r.git@v1",
    b"git+file:///r%20x",
    b"s3://bucket/a/b",
    b"./folder",
)
_PARTS = (
    b"git+https://",
    b"git+ssh://",
    b"git+file://",
    b"s3://",
    b"@",
    b"#path=",
    b"%40",
    b"%2e",
    b"[::1]",
    b":22",
    b"..",
    b"//",
    b"?",
    b".lock",
    b"~",
    b"^{}",
    b"ext::",
)

TARGETS = (
    Target("address", _address, (SourceError,), _ADDRESSES, _PARTS),
    Target("git-refs", _refs, (SourceError,), (COMMIT + b"\trefs/heads/main\n" + COMMIT + b"\trefs/tags/main^{}\n", COMMIT + b"\tHEAD\n"),
           (b"refs/heads/main", b"^{}", b"\t", b"\n", COMMIT, b"ref: ", b"-")),
    Target("git-tree", _tree, (SourceError,), (_TREE,), (b"\0", b"\t", b"100644 blob ", b"120000 blob ", COMMIT, b".yaml\0", b"a/", b"../", b" 99999999", b"x.yaml")),
    Target("s3-keys", _names, (SourceError,), (b"a.yaml\nteam/b.yml\n.hidden/c.yaml\nREADME.md",), (b"/", b".yaml", b"\n", b"..", b"./", b".yml\n")),
    Target("listen", _listen, (ListenError,), (b"0.0.0.0:9090", b"[::1]:80", b":1"), (b":", b"[", b"]", b"0", b"65535")),
    Target("http", _http, (h11.RemoteProtocolError,), _REQUESTS,
           (b"\r\n", b": ", b"Host: x\r\n", b"Accept: ", b";q=", b",", b"application/openmetrics-text", b";version=", b"text/plain;escaping=allow-utf-8",
            b"/api/v1/", b"/hooks/", b"webhook-signature: v1,", b"x-hub-signature-256: sha256=", b"Authorization: Bearer token-of-these-tests\r\n",
            b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"%2e%2e/", b"/metrics", b"/healthz", b"?", b"GET ", b" HTTP/1.1\r\n", b"gzip")),
)  # fmt: skip
