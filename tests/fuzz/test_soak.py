"""Whatever comes in: no crash, no second of CPU, no 200 MB. `LOGROUTE_FUZZ_SECONDS` for each target, 10 when absent.

The seed is the same each time, so that what fails was changed; `LOGROUTE_FUZZ_SEED=random` looks for news.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import SystemRandom

import pytest

from tests.fuzz.parent import fuzz
from tests.fuzz.targets import TARGETS

SECONDS = float(os.environ.get("LOGROUTE_FUZZ_SECONDS", "10"))
SEED = os.environ.get("LOGROUTE_FUZZ_SEED", "1")


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_comes_in_crashes_hangs_or_fills_the_memory(name: str, tmp_path: Path) -> None:
    seed = SystemRandom().randrange(10**6) if SEED == "random" else int(SEED)
    result = fuzz(TARGETS[name], seed, SECONDS, tmp_path)
    assert result.ran, f"not one input was tried; seed {seed}"
    found = [one for one in result.findings if not one.outcome.noise]  # other tests run beside
    assert not found, "\n\n".join(map(str, found))
