"""`python -m tests.fuzz [TARGET…] [--seconds N] [--seed N] [--keep FOLDER]`: exit 1 where something was found."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from tests.fuzz.parent import fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description="What LogRoute reads, fuzzed.")
    options.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all when absent")
    options.add_argument("--seconds", type=float, default=60.0, help="for each target (%(default)s)")
    options.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6), help="a random one when absent")
    options.add_argument("--keep", type=Path, help="where the inputs that were found are kept")
    said = options.parse_args()
    if unknown := [name for name in said.targets if name not in TARGETS]:
        options.error(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    found = 0
    with tempfile.TemporaryDirectory(prefix="logroute-fuzz-") as own:
        folder = said.keep or Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        for name in said.targets or TARGETS:
            result = fuzz(TARGETS[name], said.seed, said.seconds, folder)
            found += len(result.findings)
            for number, finding in enumerate(result.findings):
                (folder / f"{name}-{said.seed}-{number}").write_bytes(finding.data)
                sys.stdout.write(f"{finding}\n\n")
            sys.stdout.write(f"{name}: {result.ran:,} inputs, {result.endings} endings, seed {said.seed}, ")
            sys.stdout.write(f"{len(result.findings)} found\n")
            sys.stdout.flush()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
