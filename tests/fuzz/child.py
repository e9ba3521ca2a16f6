"""The process that runs inputs: one that is killed, or dies of one, takes nobody along.

`python -m tests.fuzz.child run TARGET SEED SECONDS FOLDER`: mutates for so long; a line of JSON for each thing found.
`python -m tests.fuzz.child try TARGET FILE`: one input, for a second opinion in a process that ran nothing before.
`python -m tests.fuzz.child shrink TARGET FILE TROUBLE SECONDS`: the file made smaller as long as the trouble stays.
"""

from __future__ import annotations

import gc
import json
import logging
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random

from tests.fuzz.measure import Outcome, measured
from tests.fuzz.mutate import Mutator
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

HARD_SECONDS = 5
"""CPU after which an input is not waited for: nothing in Python can end what runs in C."""
HARD_MEMORY = 3 * 2**30
"""Of address space: what asks for more gets a MemoryError."""
INPUT, POOL = "input", 400


def bounded(run: Callable[[], Outcome]) -> Outcome:
    """Killed by the kernel where it takes too much CPU; the parent finds the input in the file."""
    signal.setitimer(signal.ITIMER_PROF, HARD_SECONDS)
    try:
        return run()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def fuzz(target: Target, seed: int, seconds: float, folder: Path) -> None:
    """Every input of the corpus as it is, then mutations of them until the time is over."""
    mutator = Mutator(target, Random(seed), list(target.corpus))  # noqa: S311 - inputs, no secrets
    end, known, said = time.monotonic() + seconds, set[str](), set[str]()
    todo, ran = list(target.corpus), 0
    for data in todo:
        measured(target, data)  # what is imported or compiled at first use is no cost of an input
    gc.collect()
    gc.freeze()
    while time.monotonic() < end:
        data = todo.pop() if todo else mutator.next()
        (folder / INPUT).write_bytes(data)
        outcome = bounded(lambda data=data: measured(target, data))  # type: ignore[misc]
        ran += 1
        if outcome.trouble and outcome.trouble not in known:
            known.add(outcome.trouble)
            (folder / f"found-{seed}-{len(known)}").write_bytes(data)
            tell(outcome, f"found-{seed}-{len(known)}")
        elif outcome.said not in said and len(data) <= POOL * 50 and len(said) < POOL:
            said.add(outcome.said)
            mutator.pool.append(data)
    print(json.dumps({"ran": ran, "endings": len(said)}), flush=True)  # noqa: T201 - for the parent


def tell(outcome: Outcome, file: str) -> None:
    print(json.dumps({**asdict(outcome), "file": file}), flush=True)  # noqa: T201 - for the parent


def shrink(file: Path, still: Callable[[bytes], bool], seconds: float) -> None:
    """Leave out ever smaller pieces; what is found is written at once, for the next try may end the process."""
    data, end = file.read_bytes(), time.monotonic() + seconds
    piece = len(data) // 2
    while piece and time.monotonic() < end:
        at = 0
        while at < len(data) and time.monotonic() < end:
            rest = data[:at] + data[at + piece :]
            if still(rest):
                data = rest
                file.write_bytes(data)
            else:
                at += piece
        piece //= 2


def main(words: list[str]) -> None:
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (HARD_MEMORY, HARD_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    verb, target = words[0], TARGETS[words[1]]
    if verb == "run":
        fuzz(target, int(words[2]), float(words[3]), Path(words[4]))
        return
    for data in target.corpus[:3]:
        measured(target, data)
    file = Path(words[2])
    if verb == "shrink":
        shrink(file, lambda data: bounded(lambda: measured(target, data)).trouble == words[3], float(words[4]))
    else:
        tell(bounded(lambda: measured(target, file.read_bytes())), "")


if __name__ == "__main__":
    main(sys.argv[1:])
