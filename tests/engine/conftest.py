"""Engine tests run the Fluent Bit that FLUENT_BIT names; without one they skip."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def fluent_bit() -> str:
    named = os.environ.get("FLUENT_BIT", "")
    program = shutil.which(named) if named else None
    if not program:
        pytest.skip("FLUENT_BIT names no Fluent Bit binary: engine tests need one")
    return program
