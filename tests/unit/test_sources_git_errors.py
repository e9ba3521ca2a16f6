"""What git, curl and ssh say, as they say it, and what people get told."""

from __future__ import annotations

import pytest

from controller.sources import Reason
from controller.sources.git_errors import explain


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("fatal: Authentication failed for 'https://h/r/'", Reason.AUTH_FAILED),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", Reason.AUTH_FAILED),
        ("fatal: unable to access 'https://h/r/': The requested URL returned error: 403", Reason.AUTH_FAILED),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote", Reason.AUTH_FAILED),
        ("fatal: unable to access 'https://h/r/': Could not resolve host: h", Reason.UNREACHABLE),
        ("ssh: Could not resolve hostname h: Name or service not known", Reason.UNREACHABLE),
        (
            "fatal: unable to access 'x': Failed to connect to h port 443: Connection refused",
            Reason.UNREACHABLE,
        ),
        ("ssh: connect to host h port 22: Connection refused", Reason.UNREACHABLE),
        ("ssh: connect to host h port 22: Connection timed out", Reason.TIMED_OUT),
        ("fatal: unable to access 'x': Operation too slow. Less than 1 bytes/sec", Reason.TIMED_OUT),
        ("fatal: the remote end hung up unexpectedly", Reason.UNREACHABLE),
        ("error: RPC failed; curl 56 Recv failure: Connection reset by peer", Reason.UNREACHABLE),
        ("fatal: unable to access 'x': SSL certificate problem: self-signed certificate", Reason.TLS_FAILED),
        ("fatal: unable to access 'x': SSL: no alternative certificate subject name", Reason.TLS_FAILED),
        ("fatal: unable to access 'x': error setting certificate file: /x.pem", Reason.CREDENTIALS),
        ("Host key verification failed.\nfatal: Could not read from remote", Reason.HOST_KEY_UNKNOWN),
        ('Load key "/k": error in libcrypto\ngit@h: Permission denied (publickey).', Reason.CREDENTIALS),
        ("fatal: repository 'https://h/r/' not found", Reason.NOT_FOUND),
        ("ERROR: Repository not found.\nfatal: Could not read from remote repository.", Reason.NOT_FOUND),
        ("fatal: '/r' does not appear to be a git repository", Reason.NOT_FOUND),
        ("fatal: couldn't find remote ref refs/heads/x", Reason.REF_NOT_FOUND),
        ("error: Server does not allow request for unadvertised object 1234", Reason.REF_NOT_FOUND),
        ("fatal: remote error: upload-pack: not our ref 1234", Reason.REF_NOT_FOUND),
        ("fatal: unable to access 'x': The requested URL returned error: 429", Reason.THROTTLED),
        ("fatal: unable to access 'x': The requested URL returned error: 301", Reason.REDIRECTED),
        ("error: object 1234: hasDotdot: contains '..'\nfatal: fsck error in packed object", Reason.REJECTED),
        ("fatal: write error: No space left on device", Reason.CACHE),
        ("fatal: detected dubious ownership in repository at '/r'", Reason.UNREADABLE),
        ("fatal: something that nobody has seen before", Reason.GIT_FAILED),
        ("", Reason.GIT_FAILED),
    ],
)
def test_every_known_failure_has_its_reason(said: str, reason: Reason) -> None:
    error = explain("fetch", "git+https://h/r", said.encode())
    assert error.reason is reason
    assert error.hint or reason is Reason.GIT_FAILED
    assert error.message.startswith("cannot fetch git+https://h/r: ")


def test_secrets_and_terminal_tricks_are_taken_out() -> None:
    said = b"remote: \x1b[31mtoken t0ps3cret is bad\r\nfatal: https://me:pw@h/r\nAuthorization: Basic abc=\n"
    text = str(explain("fetch", "x", said, ["t0ps3cret"]))
    for secret in ("t0ps3cret", "me:pw", "abc=", "\x1b", "\n", "\r"):
        assert secret not in text


def test_a_flood_of_words_is_cut_where_the_cause_is_kept() -> None:
    error = explain("fetch", "x", b"remote: welcome\n" * 5000 + b"fatal: Authentication failed\n")
    assert error.reason is Reason.AUTH_FAILED
    assert error.message.endswith("Authentication failed")
    assert len(error.message) < 500
