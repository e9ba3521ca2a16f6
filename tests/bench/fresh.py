"""`python -m tests.bench.fresh SIZE FOLDER`: a start and two passes in a process of their own; prints its peak in KiB."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

from tests.bench.estate import Estate, alone

STATUS = Path("/proc/self/status")


def peak() -> int:
    """KiB of this program's own memory at most. Linux's ru_maxrss also counts what forked it, so it comes second."""
    if STATUS.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())):
        return int(found[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


def main() -> None:
    alone()
    estate = Estate(int(sys.argv[1]), Path(sys.argv[2]))
    estate.wire.plug_in()
    controller = estate.controller()
    controller.poll_source()
    for _ in range(2):
        controller.resync()
    sys.stdout.write(f"{peak()}\n")


if __name__ == "__main__":
    main()
