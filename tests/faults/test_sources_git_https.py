"""Git over https, against git's own http-backend: what is asked, what is told, and what is never told."""

from __future__ import annotations

import io
import logging
import os
import shutil
import traceback
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from controller.sources import GitOptions, Reason, Secret, SourceError, open_source, parse_source
from controller.telemetry.redaction import spellings
from tests.support.watching import LINUX, Watch
from tests.unit.sources_support import (
    USER_AND_TOKEN,
    GitServer,
    Repository,
    make_certificate,
    no_bucket,
    open_git,
    serving,
)

pytestmark = pytest.mark.needs("git", "openssl")

TOKEN = USER_AND_TOKEN[1]
LOOK = ["GET /specs.git/info/refs?service=git-upload-pack", "POST /specs.git/git-upload-pack"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[GitServer]:
    with serving(tmp_path / "served", certificate) as server:
        yield server


@pytest.fixture
def repository(server: GitServer) -> Repository:
    return Repository.create(server.root / "specs.git")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def options(server: GitServer, token: str | None = None) -> GitOptions:
    return GitOptions(ca_file=server.certificate, token=Secret(token) if token else None)


def error_of(url: str, cache: Path, given: GitOptions) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_git(url, cache, given).poll(None)
    return caught.value


def test_nothing_new_costs_one_look_at_the_refs(server: GitServer, repository: Repository, cache: Path) -> None:
    server.user_and_token = USER_AND_TOKEN
    repository.commit({"a.yaml": b"a"})
    source = open_git(server.url("specs.git"), cache, options(server, TOKEN))
    first = source.poll(None)
    server.asked()
    assert source.poll(first) is first
    assert server.asked() == LOOK  # GET opens protocol v2, POST asks for the one ref: one ls-remote
    assert source.poll(first) is first
    assert [row for row in server.asked() if "info/refs" in row] == LOOK[:1]


def test_a_new_process_does_not_fetch_what_the_cache_has(
    server: GitServer, repository: Repository, cache: Path
) -> None:
    repository.commit({"a.yaml": b"a"})
    first = open_git(server.url("specs.git"), cache, options(server)).poll(None)
    server.asked()
    assert open_git(server.url("specs.git"), cache, options(server)).poll(None) == first
    assert server.asked() == LOOK


def test_an_annotated_tag_that_stays_costs_one_look_too(server: GitServer, repository: Repository, cache: Path) -> None:
    commit = repository.commit({"a.yaml": b"a"})
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    repository.git(*identity, "tag", "-a", "-m", "x", "v1", commit)
    source = open_git(server.url("specs.git@v1"), cache, options(server))
    first = source.poll(None)
    server.asked()
    assert source.poll(first) is first
    assert server.asked() == LOOK


def test_a_pinned_commit_is_never_asked_for_again(server: GitServer, repository: Repository, cache: Path) -> None:
    commit = repository.commit({"a.yaml": b"a"})
    repository.commit({"a.yaml": b"b"})
    source = open_git(server.url(f"specs.git@{commit}"), cache, options(server))
    first = source.poll(None)
    assert first.contents() == {"a.yaml": b"a"}
    server.asked()
    assert source.poll(first) is first
    assert server.asked() == []


def test_a_fetch_brings_no_history(server: GitServer, repository: Repository, cache: Path) -> None:
    for number in range(5):
        repository.commit({"a.yaml": b"%d" % number})
    open_git(server.url("specs.git"), cache, options(server)).poll(None)
    (home,) = cache.glob("git-*/")
    assert Repository(home).git("rev-list", "--count", "refs/logroute/current") == "1"


def test_a_wrong_or_missing_token_is_said_so(server: GitServer, repository: Repository, cache: Path) -> None:
    server.user_and_token = USER_AND_TOKEN
    repository.commit({"a.yaml": b"a"})
    for token in (None, "wrong"):
        error = error_of(server.url("specs.git"), cache, options(server, token))
        assert error.reason is Reason.AUTH_FAILED
        assert "token" in error.hint


@pytest.mark.parametrize("text", ["other:{}", '{{"username": "other", "password": "{}"}}'])
def test_a_token_may_name_its_user(server: GitServer, repository: Repository, cache: Path, text: str) -> None:
    server.user_and_token = ("other", TOKEN)
    repository.commit({"a.yaml": b"a"})
    given = options(server, text.format(TOKEN))
    assert open_git(server.url("specs.git"), cache, given).poll(None).contents() == {"a.yaml": b"a"}


def test_a_rotated_token_file_counts_at_once(
    server: GitServer, repository: Repository, cache: Path, tmp_path: Path
) -> None:
    server.user_and_token = USER_AND_TOKEN
    repository.commit({"a.yaml": b"a"})
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    given = GitOptions(token_file=file, ca_file=server.certificate)
    source = open_git(server.url("specs.git"), cache, given)
    first = source.poll(None)
    server.user_and_token = ("x-access-token", "next")
    file.write_text("next")
    assert source.poll(first) is first


def hang(server: GitServer) -> None:
    """Say nothing until the test is over."""
    server.released.wait()


class Vault:
    """Secrets Manager: one secret, and how often it was read."""

    def __init__(self, text: str) -> None:
        self.text, self.reads = text, 0

    def get(self, arn: str) -> str:
        assert arn == "arn:secret"
        self.reads += 1
        return self.text


def test_a_stored_secret_is_read_once_and_again_after_a_refusal(
    server: GitServer, repository: Repository, cache: Path
) -> None:
    server.user_and_token = USER_AND_TOKEN
    repository.commit({"a.yaml": b"a"})
    vault = Vault(TOKEN)
    source = open_source(
        parse_source(server.url("specs.git")),
        git=GitOptions(token_secret_arn="arn:secret", ca_file=server.certificate),
        bucket=no_bucket,
        secrets=vault,
        cache_dir=cache,
    )
    first = source.poll(None)
    assert source.poll(first) is first
    assert vault.reads == 1
    vault.text, server.user_and_token = "rotated", ("x-access-token", "rotated")
    assert source.poll(first) is first
    assert vault.reads == 2


def recording_git(folder: Path, real: str) -> Path:
    """A `git` that writes down its own arguments and those of all that it starts."""
    folder.mkdir()
    record = folder / "record"
    shim = folder / "git"
    shim.write_text(
        f'#!/bin/sh\nprintf "%s " "$@" >> {record}\nexport GIT_TRACE={record}\nexec {real} "$@"\n',
        encoding="utf-8",
    )
    shim.chmod(0o755)
    return record


def test_the_token_is_in_no_argument_file_log_or_error(
    server: GitServer, repository: Repository, cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.user_and_token = USER_AND_TOKEN
    repository.commit({"a.yaml": b"a"})
    record = recording_git(tmp_path / "bin", shutil.which("git") or "git")
    environment = {
        "PATH": f"{record.parent}:{os.environ['PATH']}",
        "LOGROUTE_GIT_TOKEN": TOKEN,
        "GIT_CURL_VERBOSE": "1",
        "GIT_TRACE_CURL": "1",
        "GIT_TRACE_REDACT": "0",
    }
    given = GitOptions(ca_file=server.certificate, environment=environment)
    told = io.StringIO()
    with caplog.at_level(logging.DEBUG):
        source = open_git(server.url("specs.git"), cache, given)
        source.poll(None)
        server.user_and_token = ("someone", "else")
        try:
            source.poll(None)
        except SourceError as error:
            traceback.print_exc(file=told)
            told.write(repr(error))
    assert "Authentication" in told.getvalue()
    written = b"".join(path.read_bytes() for path in cache.rglob("*") if path.is_file())
    arguments = record.read_text(encoding="utf-8")
    assert "remote-https" in arguments  # the record holds the helpers, too
    encoded = "eC1hY2Nlc3MtdG9rZW46"  # of "x-access-token:"
    for secret in (TOKEN, encoded):
        for place in (told.getvalue(), arguments, caplog.text, repr(given), repr(source), str(vars(source))):
            assert secret not in place
        assert secret.encode() not in written


def test_a_server_that_repeats_the_token_does_not_get_it_into_an_error(server: GitServer, cache: Path) -> None:
    def repeat(handler: BaseHTTPRequestHandler) -> None:
        body = f"no such token: {TOKEN}".encode()
        handler.send_response(403)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    server.instead = repeat
    error = error_of(server.url("specs.git"), cache, options(server, TOKEN))
    assert "no such token: ***" in error.message
    assert TOKEN not in f"{error!r} {error}"


def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: GitServer, repository: Repository, cache: Path
) -> None:
    repository.commit({"a.yaml": b"a"})
    error = error_of(server.url("specs.git"), cache, GitOptions(token=Secret(TOKEN)))
    assert error.reason is Reason.TLS_FAILED
    assert server.asked() == []


def test_verification_cannot_be_turned_off_from_outside(
    server: GitServer, repository: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.yaml": b"a"})
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'http.sslverify'='false'")
    assert error_of(server.url("specs.git"), cache, GitOptions()).reason is Reason.TLS_FAILED


def test_a_ca_from_the_environment_is_trusted(
    server: GitServer, repository: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.yaml": b"a"})
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    assert open_git(server.url("specs.git"), cache).poll(None).contents() == {"a.yaml": b"a"}


def test_a_redirect_is_not_followed(server: GitServer, cache: Path) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"https://127.0.0.1:{server.port}/other/info/refs")
        handler.end_headers()

    server.instead = elsewhere
    error = error_of(server.url("specs.git"), cache, options(server, TOKEN))
    assert error.reason is Reason.REDIRECTED
    assert server.asked() == LOOK[:1]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, Reason.AUTH_FAILED),
        (404, Reason.NOT_FOUND),
        (429, Reason.THROTTLED),
        (500, Reason.UNREACHABLE),
        (503, Reason.UNREACHABLE),
    ],
)
def test_what_the_server_answers_gets_a_reason(server: GitServer, cache: Path, status: int, reason: Reason) -> None:
    def refuse(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.end_headers()

    server.instead = refuse
    error = error_of(server.url("specs.git"), cache, options(server))
    assert (error.reason, bool(error.hint)) == (reason, True)


def test_a_server_that_hangs_is_given_up(server: GitServer, cache: Path) -> None:
    server.instead = lambda _: hang(server)
    error = error_of(server.url("specs.git"), cache, replace(options(server), request_timeout=0.3))
    assert error.reason is Reason.TIMED_OUT


def test_a_fetch_that_hangs_leaves_a_cache_that_works(server: GitServer, repository: Repository, cache: Path) -> None:
    repository.commit({"a.yaml": b"a"})
    source = open_git(server.url("specs.git"), cache, options(server))
    first = source.poll(None)
    repository.commit({"a.yaml": b"b"})
    server.asked()
    serve = _Handover(server)
    server.instead = serve
    hasty = open_git(server.url("specs.git"), cache, replace(options(server), fetch_timeout=0.5))
    with pytest.raises(SourceError) as caught:
        hasty.poll(first)
    assert caught.value.reason is Reason.TIMED_OUT
    server.instead = None
    assert source.poll(first).contents() == {"a.yaml": b"b"}


class _Handover:
    """Answers the look at the refs, and never the fetch that follows."""

    def __init__(self, server: GitServer) -> None:
        self.server = server

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        if len(self.server.requests) > 2:
            self.server.released.wait()
            return
        handler._backend()  # type: ignore[attr-defined]


def test_a_server_that_goes_away_harms_nothing_that_was_read(
    tmp_path: Path, certificate: tuple[Path, Path], cache: Path
) -> None:
    with serving(tmp_path / "served", certificate) as server:
        Repository.create(server.root / "specs.git").commit({"a.yaml": b"a"})
        source = open_git(server.url("specs.git"), cache, options(server))
        first = source.poll(None)
    with pytest.raises(SourceError) as caught:
        source.poll(first)
    assert caught.value.reason is Reason.UNREACHABLE
    assert first.contents() == {"a.yaml": b"a"}


def test_an_answer_that_breaks_off_is_no_snapshot(server: GitServer, cache: Path) -> None:
    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"001e# service=git-upload-pack\n0000")

    server.instead = half
    error = error_of(server.url("specs.git"), cache, options(server))
    assert error.reason is Reason.UNREACHABLE


def test_a_pack_over_the_limit_is_not_taken(server: GitServer, repository: Repository, cache: Path) -> None:
    repository.commit({"a.yaml": b"a", "film.bin": os.urandom(300_000)})
    error = error_of(server.url("specs.git"), cache, replace(options(server), max_pack_bytes=100_000))
    assert error.reason is Reason.TOO_LARGE


@pytest.mark.skipif(not LINUX, reason="it reads command lines and environments as Linux tells them")
def test_while_git_runs_no_program_can_read_the_token(server: GitServer, repository: Repository, cache: Path) -> None:
    repository.commit({"a.yaml": b"a: 1"})
    server.user_and_token = USER_AND_TOKEN
    hidden: list[str] = []
    given = replace(options(server, TOKEN), hides=hidden.append)
    with Watch(os.getpid()) as watch:
        snapshot = open_git(server.url("specs.git"), cache, given).poll(None)
    assert snapshot.contents()
    assert any(b"git-remote-https" in line or b"remote-https" in line for line in watch.lines)
    seen = b"".join((*watch.lines, *watch.environments)).decode(errors="replace")
    for form in spellings(TOKEN):
        assert form not in seen
    assert hidden == [TOKEN] * len(hidden) != []
    assert not [path for path in cache.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
