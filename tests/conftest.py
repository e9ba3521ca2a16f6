"""Shared by all tests: programs that may be missing on a user's machine, and must not be in CI."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import settings

settings.register_profile("logroute", deadline=None)  # how long an example takes says more of the machine than of us
settings.load_profile("logroute")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip `needs(program)` tests with the reason; fail them where LOGROUTE_TEST_REQUIRE names the program."""
    required = os.environ.get("LOGROUTE_TEST_REQUIRE", "").split()
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
                continue
            why = f"{program} is not installed"
            if program in required:
                pytest.fail(f"{why}, and LOGROUTE_TEST_REQUIRE says it must be", pytrace=False)
            pytest.skip(why)
