"""What one input costs: CPU of this thread, and the most memory that the process held while it ran."""

from __future__ import annotations

import gc
import resource
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.target import MAX_MEMORY, MAX_SECONDS, NOISY, Target

_NEAR = 20 * 10**6
_LARGE_INPUT = 20_000
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`crash`: what was raised and where, "" for nothing but a documented error. `said`: how it ended."""

    seconds: float
    memory: int
    crash: str = ""
    said: str = ""

    @property
    def trouble(self) -> str:
        """Empty where all is well; else its kind, equal for equal causes."""
        if self.crash:
            return f"crash: {self.crash}"
        if self.memory > MAX_MEMORY:
            return "large"
        return "slow" if self.seconds > MAX_SECONDS else ""

    @property
    def noise(self) -> bool:
        """Slow, but no slower than a machine with other work may make it: what grows with its square is far beyond."""
        return self.trouble == "slow" and self.seconds < NOISY * MAX_SECONDS

    def __str__(self) -> str:
        return f"{self.trouble or 'fine'} ({self.seconds:.2f} s, {self.memory / 1e6:.0f} MB)"


def measured(target: Target, data: bytes) -> Outcome:
    """Never raises an Exception, nor what the target raises."""
    if len(data) > _LARGE_INPUT:
        gc.collect()
    before, start = _reset_peak(), time.thread_time()
    crash, said = "", ""
    try:
        said = repr(target.run(data))[:200]
    except target.allowed as error:
        said = type(error).__name__ + ": " + "".join(char for char in str(error)[:80] if char.isalpha() or char == " ")
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        crash = _where(error)
    return Outcome(time.thread_time() - start, max(0, _peak() - before), crash, said)


def _where(error: BaseException) -> str:
    """The type and the last place in our code: two inputs that end there alike found the same."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "/controller/" in one.filename]
    at = f" at {frames[-1].filename.partition('/controller/')[2]}:{frames[-1].lineno}" if frames else ""
    if isinstance(error, RecursionError):
        at = ""  # wherever the stack ends
    return f"{type(error).__name__}{at}"


def explained(run: Callable[[], object]) -> str:
    """The traceback of what `run` raises, its end."""
    try:
        run()
    except BaseException:  # noqa: BLE001 - see measured
        return "\n".join(traceback.format_exc().splitlines()[-25:])[-4000:]
    return ""


def _reset_peak() -> int:
    """The memory held now, in bytes; the peak starts anew. Where there is no /proc, the peak so far."""
    try:
        now = _in_status("VmRSS:")
        if _in_status("VmHWM:") > now + _NEAR:  # the kernel walks all pages for it
            _CLEAR.write_text("5")
    except OSError:
        return _peak()
    return now


def _peak() -> int:
    try:
        return _in_status("VmHWM:")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _in_status(name: str) -> int:
    found = _STATUS.read_text().partition(name)[2]
    return int(found.split(None, 1)[0]) * 1024
