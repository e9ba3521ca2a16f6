"""`python -m tests.bench [NAME…]`: one JSON line a figure on stdout; exit 1 where a bound is broken, 64 on wrong usage."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from tests.bench import cold, fanout, passes, reading, recheck, starting, throttled
from tests.bench.estate import alone
from tests.bench.figures import Figure
from tests.bench.measuring import say
from tests.bench.wire import Wire

BENCHMARKS: dict[str, Callable[[], Iterator[Figure]]] = {
    "help": starting.help_,
    "inject": starting.inject,
    "validate": reading.validate,
    "rendering": reading.rendering,
    "calls": passes.calls,
    "cpu": passes.cpu,
    "memory": passes.memory,
    "recheck": recheck.recheck,
    "fan_out": fanout.fan_out,
    "other_account": throttled.other_account,
    "cold": cold.cold,
}
WRONG_USAGE = 64


def main(names: Sequence[str]) -> int:
    if unknown := [name for name in names if name not in BENCHMARKS]:
        say(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return WRONG_USAGE
    alone()
    broken = 0
    with tempfile.TemporaryDirectory(prefix="logroute-bench-") as folder:
        tempfile.tempdir = folder
        for name in names or BENCHMARKS:
            start = time.monotonic()
            Wire.unplug()
            for figure in BENCHMARKS[name]():
                sys.stdout.write(f"{figure.line()}\n")
                sys.stdout.flush()
                broken += not figure.ok
            say(f"{name}: {time.monotonic() - start:.0f} s")
    say(f"{broken} broken bound(s)" if broken else "every bound is kept")
    return 1 if broken else 0


def run() -> NoReturn:
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
