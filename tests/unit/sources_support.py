"""For the tests of sources: repositories made of exact bytes, and git served over https as in the field."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from controller.aws.ports import SourceBucket
from controller.sources import GitOptions, Limits, Source, open_source, parse_source

QUIET = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"}
USER_AND_TOKEN = ("x-access-token", "planted-5ecret-t0ken")


@dataclass(frozen=True)
class Link:
    """A symlink in a repository."""

    target: bytes


@dataclass(frozen=True)
class Submodule:
    """A gitlink: some other repository's commit."""

    commit: str = "1" * 40


Content = bytes | Link | Submodule


@dataclass(frozen=True)
class Repository:
    """A bare repository on disk; whole trees are committed from a mapping, whatever their names."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> Repository:
        repository = cls(path)
        path.mkdir(parents=True)
        repository.git("init", "--quiet", "--bare", "--initial-branch=main")
        repository.git("config", "http.receivepack", "false")
        return repository

    def git(self, *words: str, stdin: bytes = b"") -> str:
        outer = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", *words],
            cwd=self.path,
            env={**outer, **QUIET, "GIT_DIR": str(self.path)},
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def commit(self, files: Mapping[str | bytes, Content], branch: str = "main") -> str:
        """Commit exactly these files, on top of what the branch has; the commit's id."""
        known = self.git("for-each-ref", f"refs/heads/{branch}")
        lines = [f"commit refs/heads/{branch}\ncommitter A <a@example.com> 1700000000 +0000\ndata 0\n".encode()]
        lines += [f"from refs/heads/{branch}^0\n".encode()] if known else []
        lines += [b"deleteall\n", *(_row(name, content) for name, content in files.items())]
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(lines))
        return self.git("rev-parse", f"refs/heads/{branch}")


def _row(name: str | bytes, content: Content) -> bytes:
    raw = name.encode() if isinstance(name, str) else name
    quoted = b'"' + b"".join(b"\\%03o" % byte for byte in raw) + b'"'
    if isinstance(content, Submodule):
        return b"M 160000 %s %s\n" % (content.commit.encode(), quoted)
    mode, data = (b"120000", content.target) if isinstance(content, Link) else (b"100644", content)
    return b"M %s inline %s\ndata %d\n%s\n" % (mode, quoted, len(data), data)


def no_bucket(name: str) -> SourceBucket:
    raise AssertionError(f"nobody asked for bucket {name}")


def open_git(url: str, cache: Path, options: GitOptions | None = None, limits: Limits | None = None) -> Source:
    return open_source(
        parse_source(url),
        git=options or GitOptions(),
        bucket=no_bucket,
        secrets=None,
        cache_dir=cache,
        limits=limits,
    )


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that signs itself, for 127.0.0.1, and its key."""
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@dataclass
class GitServer:
    """`git http-backend` behind https and basic auth, with a log of what it was asked."""

    root: Path
    certificate: Path
    port: int = 0
    user_and_token: tuple[str, str] | None = None
    requests: list[str] = field(default_factory=list)
    instead: Callable[[BaseHTTPRequestHandler], None] | None = None
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, name: str) -> str:
        return f"git+https://127.0.0.1:{self.port}/{name}"

    def asked(self) -> list[str]:
        """The requests since the last time that somebody looked."""
        since, self.requests[:] = list(self.requests), []
        return since


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    git: GitServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        """Quiet: the log that counts is `requests`."""

    def finish(self) -> None:
        """Say goodbye as TLS wants it; without, the end of an answer looks like a broken line."""
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.settimeout(2)
            with suppress(OSError, ValueError):
                self.connection.unwrap()

    def _serve(self) -> None:
        self.git.requests.append(f"{self.command} {self.path}")
        if self.git.instead:
            self.git.instead(self)
        elif not self._allowed():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        else:
            self._backend()

    def _allowed(self) -> bool:
        if self.git.user_and_token is None:
            return True
        wanted = base64.b64encode(":".join(self.git.user_and_token).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {wanted}"

    def _backend(self) -> None:
        """RFC 3875, as much as http-backend asks for."""
        asked = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        environment = {
            **QUIET,
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": asked.path,
            "QUERY_STRING": asked.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=True)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that hang up, as they do where they refuse our certificate, are no news."""


@contextmanager
def serving(root: Path, certificate: tuple[Path, Path]) -> Iterator[GitServer]:
    """Serve all repositories under `root` until the end of the block."""
    server = GitServer(root, certificate[0])
    handler = type("Handler", (_Handler,), {"git": server})
    with _Server(("127.0.0.1", 0), handler) as listening:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            listening.shutdown()
            thread.join()
