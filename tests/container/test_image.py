"""The image is linted, really built, and the controller really runs in it: as nobody, with nowhere to write but /tmp."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.sandbox import RealClock, Sandbox
from tests.container.images import ROOT, Buildah, base, fluent_bit
from tests.support.playground import REGION, STORE, Playground, route_yaml
from tests.support.programs import answers, until

LARGEST = 400 * 2**20
"""Bytes, with Debian in the place of Amazon Linux and without Fluent Bit."""

pytestmark = [pytest.mark.needs("buildah", "dpkg", "unshare"), pytest.mark.image]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Buildah, str]]:
    if os.geteuid() != 0:
        pytest.skip("only root can build and start images without a container engine")
    folder = tmp_path_factory.mktemp("images")
    buildah = Buildah(folder)
    arguments = {"BASE": base(buildah, folder), "FLUENT_BIT_IMAGE": fluent_bit(buildah, folder)}
    options = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    buildah("bud", "--quiet", "--isolation", "chroot", "--format", "docker", *options, "-t", "logroute", str(ROOT))
    yield buildah, "localhost/logroute"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def root(image: tuple[Buildah, str]) -> Path:
    buildah, name = image
    return Path(buildah("mount", buildah("from", name)))


def inside(root: Path, *command: str) -> list[str]:
    """A command that runs `command` in the image as its user: root read-only, /tmp in memory, the host's network."""
    prepare = (
        f"mount --bind {root} {root} && mount -o remount,bind,ro {root} && mount -t tmpfs tmp {root}/tmp"  # noqa: S108
        f" && mount --bind /dev {root}/dev && mount -t proc proc {root}/proc"
    )
    start = f'exec chroot --userspec=10001:10001 {root} /usr/bin/env -C / "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"{prepare} && {start}", "sh", *command]


def said(root: Path, *command: str) -> str:
    done = subprocess.run(inside(root, *command), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([str(hadolint), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_says_how_it_is_started_by_whom_and_how_its_health_is_asked(image: tuple[Buildah, str]) -> None:
    buildah, name = image
    found = json.loads(buildah("inspect", "--type", "image", name))["Docker"]["config"]
    assert found["User"] == "10001:10001"
    assert (found["Entrypoint"], found["Cmd"]) == (["logroute"], ["run"])
    assert "/healthz" in found["Healthcheck"]["Test"][-1]
    assert list(found["ExposedPorts"]) == ["9090/tcp"]
    assert list(found["Volumes"]) == ["/tmp"]  # noqa: S108 - in the image


def test_nothing_of_the_build_is_left_in_it(root: Path) -> None:
    assert not list(root.glob("opt/logroute/bin/pip*"))
    assert not (root / "src").exists()
    assert not list(root.glob("opt/logroute/lib/python*/site-packages/pytest"))
    size = sum(file.lstat().st_size for file in (root / "opt").rglob("*") if file.is_file())
    assert size < LARGEST


def test_it_has_git_an_ssh_that_knows_its_user_and_what_verifies_signatures(root: Path) -> None:
    path = "/opt/logroute/bin:/usr/bin:/bin"
    assert "git version" in said(root, f"PATH={path}", "git", "--version")
    assert "OpenSSH" in said(root, f"PATH={path}", "ssh", "-V")
    assert "gpg (GnuPG) 2." in said(root, f"PATH={path}", "gpg", "--version")
    assert "unknown key type" in said(root, f"PATH={path}", "sh", "-c", "ssh-keygen -t none -f /tmp/x 2>&1 || true")
    assert said(root, f"PATH={path}", "id", "-un").strip() == "logroute"


def test_nothing_but_tmp_can_be_written(root: Path) -> None:
    program = "import pathlib\nfor d in '/', '/opt', '/etc', '/tmp':\n  try: pathlib.Path(d, 'x').touch(); print(d)\n  except OSError: pass"
    assert said(root, "/opt/logroute/bin/python", "-c", program).split() == ["/tmp"]  # noqa: S108 - in the image


def test_the_engine_of_its_own_is_where_the_settings_say(root: Path, image: tuple[Buildah, str]) -> None:
    buildah, name = image
    found = json.loads(buildah("inspect", "--type", "image", name))["Docker"]["config"]
    environment = dict(one.split("=", 1) for one in found["Env"])
    (engine,) = json.loads(environment["LOGROUTE_FLUENT_BIT"]).values()
    assert "Fluent Bit v" in said(root, engine, "--version")


def test_the_controller_runs_in_it(root: Path, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    with Sandbox(region=REGION, clock=RealClock(60)) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        play = Playground(sandbox, tmp_path / "specs")
        play.service()
        play.s3.put_object(Bucket=STORE, Key="specs/httpd.yaml", Body=route_yaml().encode())
        settings = {
            "LOGROUTE_SOURCE": f"s3://{STORE}/specs",
            "LOGROUTE_CONFIG_STORE": str(play.settings.config_store),
            "LOGROUTE_REGION": REGION,
            "LOGROUTE_LISTEN": "127.0.0.1:0",
            "LOGROUTE_FLUENT_BIT": "{}",
        }
        words = ["env", "PATH=/opt/logroute/bin:/usr/bin", *(f"{key}={value}" for key, value in settings.items())]
        log = tmp_path / "log"
        with (
            log.open("wb") as lines,
            subprocess.Popen(inside(root, *words, "logroute", "run"), stderr=lines) as process,
        ):
            try:
                until(play.is_routed, log)
                until(lambda: "started" in log.read_text(), log)
                url = json.loads(log.read_text().splitlines()[0])["listen"]
                until(lambda: answers(f"{url}/readyz"), log)
            finally:
                process.terminate()
                assert process.wait(30) == 0
