"""`logroute demo` tells its whole story, whatever the person's own AWS and git settings are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOSTILE_GIT = "[core]\n\thooksPath = /nonexistent\n[commit]\n\tgpgsign = true\n[init]\n\ttemplateDir = /nonexistent\n"


@pytest.mark.soak  # half a minute, and `make demo` shows the same
@pytest.mark.needs("git")
def test_the_demo_ends_well_by_itself(tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text(HOSTILE_GIT)
    theirs = {"AWS_PROFILE": "nonexistent", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "LOGROUTE_SOURCE": "/nonexistent"}
    environment = {**os.environ, "HOME": str(tmp_path), **theirs}
    done = subprocess.run(
        [sys.executable, "-m", "controller", "demo"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "will route",
        "the service runs a revision with the router",
        "    s3_key_format /httpd/%Y/%m/%d/%H_%M_$UUID.gz",
        "the object is back",
        "image httpd:2.4.65, logs go to awsfirelens, router: awslogs",
        "the service has its own log configuration back",
        "The service ends as its owners left it.",
    ):
        assert said in done.stdout
    assert done.stdout.index("the object is back") < done.stdout.index("The route is deleted from git")
