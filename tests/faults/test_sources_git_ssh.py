"""Git over ssh, against a real sshd on loopback: keys, hosts, and what a shell must never see."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from controller.sources import GitOptions, Reason, SourceError
from tests.unit.sources_support import Repository, open_git

pytestmark = pytest.mark.needs("git", "sshd", "ssh", "ssh-keygen")

PRIVILEGE_SEPARATION = Path("/run/sshd")
CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PidFile none
StrictModes no
UsePAM no
"""


@dataclass(frozen=True)
class Daemon:
    """An sshd that lets one key in."""

    port: int
    folder: Path

    @property
    def options(self) -> GitOptions:
        return GitOptions(ssh_key_file=self.folder / "key", known_hosts_file=self.folder / "known_hosts")

    def url(self, repository: Repository) -> str:
        return f"git+ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository.path}"


def make_key(path: Path) -> str:
    """A key pair; the public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path.with_name(f"{path.name}.pub").read_text(encoding="utf-8").strip()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder, port = tmp_path_factory.mktemp("sshd"), free_port()
    host = make_key(folder / "host")
    (folder / "authorized_keys").write_text(make_key(folder / "key") + "\n", encoding="utf-8")
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}\n", encoding="utf-8")
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder), encoding="utf-8")
    if os.geteuid() == 0:  # root's sshd wants it; the package's boot script makes it, and containers do not boot
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    with subprocess.Popen(
        [str(program), "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            said = process.stderr.readline()
            assert "listening" in said, said + process.stderr.read()
            yield Daemon(port, folder)
        finally:
            process.terminate()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository.create(tmp_path / "served" / "specs.git")
    repository.commit({"a.yaml": b"a"})
    return repository


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def error_of(url: str, cache: Path, options: GitOptions) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_git(url, cache, options).poll(None)
    assert caught.value.hint
    return caught.value


def test_specs_are_read_with_a_key_from_a_known_host(daemon: Daemon, repository: Repository, cache: Path) -> None:
    source = open_git(f"{daemon.url(repository)}@main", cache, daemon.options)
    first = source.poll(None)
    assert first.contents() == {"a.yaml": b"a"}
    assert source.poll(first) is first
    repository.commit({"a.yaml": b"b"})
    assert source.poll(first).contents() == {"a.yaml": b"b"}


@pytest.mark.parametrize("name", ["it's 100% mine", "$(touch pwned)", "a; touch pwned", "-o", "`touch pwned`"])
def test_key_paths_are_paths_whatever_they_look_like(
    daemon: Daemon, repository: Repository, cache: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    for file in ("key", "known_hosts"):
        shutil.copy(daemon.folder / file, folder / file)
    options = GitOptions(ssh_key_file=folder / "key", known_hosts_file=folder / "known_hosts")
    assert open_git(daemon.url(repository), cache, options).poll(None).contents() == {"a.yaml": b"a"}
    assert not list(tmp_path.rglob("pwned"))


def test_a_host_that_is_not_known_is_refused_and_stays_unknown(
    daemon: Daemon, repository: Repository, cache: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    error = error_of(daemon.url(repository), cache, replace(daemon.options, known_hosts_file=empty))
    assert error.reason is Reason.HOST_KEY_UNKNOWN
    assert empty.read_bytes() == b""


def test_a_host_whose_key_changed_is_refused(
    daemon: Daemon, repository: Repository, cache: Path, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other")
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{daemon.port} {other}\n", encoding="utf-8")
    error = error_of(daemon.url(repository), cache, replace(daemon.options, known_hosts_file=known))
    assert error.reason is Reason.HOST_KEY_UNKNOWN


def test_a_key_that_the_server_does_not_know_is_said_so(
    daemon: Daemon, repository: Repository, cache: Path, tmp_path: Path
) -> None:
    make_key(tmp_path / "other")
    options = replace(daemon.options, ssh_key_file=tmp_path / "other")
    assert error_of(daemon.url(repository), cache, options).reason is Reason.AUTH_FAILED


def test_a_key_file_that_ssh_will_not_use_is_said_so(
    daemon: Daemon, repository: Repository, cache: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    shutil.copy(daemon.folder / "key", key)
    key.chmod(0o644)
    options = replace(daemon.options, ssh_key_file=key)
    assert error_of(daemon.url(repository), cache, options).reason is Reason.CREDENTIALS
    key.unlink()
    assert error_of(daemon.url(repository), cache, options).reason is Reason.CREDENTIALS


def test_a_missing_repository_is_told_from_a_missing_server(
    daemon: Daemon, repository: Repository, cache: Path
) -> None:
    assert error_of(f"{daemon.url(repository)}x", cache, daemon.options).reason is Reason.NOT_FOUND
    nobody = f"git+ssh://git@127.0.0.1:{free_port()}/specs.git"
    assert error_of(nobody, cache, daemon.options).reason is Reason.UNREACHABLE


def test_a_server_that_says_nothing_is_hung_up_on(daemon: Daemon, cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"git+ssh://git@127.0.0.1:{silent.getsockname()[1]}/specs.git"
        error = error_of(url, cache, replace(daemon.options, request_timeout=0.5))
        assert error.reason is Reason.TIMED_OUT
        line, _ = silent.accept()
        with line:
            line.settimeout(10)
            while line.recv(1024):  # its banner, then the end: ssh, two processes down, is gone as well
                pass


def test_no_option_reaches_ssh_through_a_repository_path(daemon: Daemon, cache: Path, tmp_path: Path) -> None:
    marker = tmp_path / "pwned"
    for path in (f"/x;touch${{IFS}}{marker}", f"/$(touch${{IFS}}{marker})", f"/'`touch${{IFS}}{marker}`"):
        url = f"git+ssh://{getpass.getuser()}@127.0.0.1:{daemon.port}{path}"
        assert error_of(url, cache, daemon.options).reason is Reason.NOT_FOUND
    assert not marker.exists()
