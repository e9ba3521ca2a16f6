"""Which engine is asked, how often, and what stands when none can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from controller.checking import checker as module
from controller.checking.checker import Checker
from controller.checking.model import Result
from controller.desired.model import PARSERS, PIPELINE, ConfigObject
from tests.support.engines import CONFIG, QUICK, STAY, UP, fake, says

CONFIGS = (ConfigObject(PIPELINE, CONFIG), ConfigObject(PARSERS, b"[PARSER]\n    name p\n    format json\n"))


def other(number: int) -> tuple[ConfigObject, ...]:
    return (ConfigObject(PIPELINE, CONFIG + f"    json_date_key k{number}\n".encode()),)


@pytest.fixture
def told() -> Counter[str]:
    return Counter()


@pytest.fixture
def make(tmp_path: Path, told: Counter[str]) -> Callable[..., Checker]:
    def made(*lines: str, version: str = "5.0.9") -> Checker:
        program = fake(tmp_path / "fluent-bit", f"echo x >> {tmp_path}/starts", *lines, version=version)
        return Checker({version: program}, lambda result, _text: told.update([result]), QUICK)

    return made


def starts(tmp_path: Path) -> int:
    path = tmp_path / "starts"
    return len(path.read_text().split()) if path.exists() else 0


def test_a_config_is_started_once_whoever_asks(
    make: Callable[..., Checker], tmp_path: Path, told: Counter[str]
) -> None:
    checker = make(UP, STAY)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: checker.check(CONFIGS, "5.0.9").result, range(16)))
    assert set(found) == {Result.ACCEPTED}
    assert starts(tmp_path) == 1
    assert told == {"accepted": 1}


def test_what_was_found_is_known_without_a_start(make: Callable[..., Checker], tmp_path: Path) -> None:
    checker = make(says("no"), "exit 1")
    assert checker.known(CONFIGS, "5.0.9") is None
    assert starts(tmp_path) == 0
    verdict = checker.check(CONFIGS, "5.0.9")
    assert verdict.result is Result.REJECTED
    assert checker.known(CONFIGS, "5.0.9") is verdict


def test_other_bytes_and_other_engines_are_other_questions(make: Callable[..., Checker], tmp_path: Path) -> None:
    checker = make(UP, STAY)
    checker.check(CONFIGS, "5.0.9")
    checker.check(CONFIGS[:1], "5.0.9")
    assert starts(tmp_path) == 2
    assert checker.check(CONFIGS, "1.9.10").result is Result.UNCHECKED
    assert starts(tmp_path) == 2


def test_what_is_remembered_has_a_bound(make: Callable[..., Checker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    checker = make(says("no"), "exit 1")
    for number in range(4):
        checker.check(other(number), "5.0.9")
    assert [checker.known(other(number), "5.0.9") is not None for number in range(4)] == [False, False, True, True]


def test_without_a_binary_nothing_is_said_against_a_config(told: Counter[str]) -> None:
    checker = Checker(told=lambda result, _text: told.update([result]))
    assert checker.check(CONFIGS, "5.0.9").result is Result.UNCHECKED
    assert checker.check(CONFIGS, "unchecked").result is Result.UNCHECKED
    assert told == {"unchecked": 2}


@pytest.mark.parametrize(
    ("stated", "engine", "taken"),
    [
        (("5.1",), "5.1", "5.1"),
        (("5.1.1", "5.1.5"), "5.1", "5.1.5"),
        (("5.1.9", "5.1.10"), "5.1", "5.1.10"),
        (("5.1.5", "5.1"), "5.1", "5.1"),
        (("5.10.1",), "5.1", None),
        (("5.0.8",), "5.0.9", None),
        (("5.0.9", "5.1.1"), "5.0.9", "5.0.9"),
    ],
)
def test_an_engine_is_served_by_a_binary_of_its_line(stated: tuple[str, ...], engine: str, taken: str | None) -> None:
    found = Checker({version: Path("/x") for version in stated}).engine(engine)
    assert (found.version if found else None) == taken


def test_a_binary_of_another_version_checks_nothing(tmp_path: Path) -> None:
    checker = Checker({"5.0.9": fake(tmp_path / "fluent-bit", "exit 1", version="5.1.1")}, bounds=QUICK)
    verdict = checker.check(CONFIGS, "5.0.9")
    assert verdict.result is Result.UNCHECKED
    assert "is Fluent Bit 5.1.1, not 5.0.9" in verdict.reason


def test_a_binary_that_vanished_checks_nothing_until_it_is_back(make: Callable[..., Checker], tmp_path: Path) -> None:
    checker = make(UP, STAY)
    program = tmp_path / "fluent-bit"
    program.rename(tmp_path / "away")
    verdict = checker.check(CONFIGS, "5.0.9")
    assert verdict.result is Result.UNCHECKED
    assert str(program) in verdict.reason
    (tmp_path / "away").rename(program)
    assert checker.check(CONFIGS, "5.0.9").result is Result.ACCEPTED


def test_a_machine_without_room_or_rights_rejects_nothing(
    make: Callable[..., Checker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checker = make(UP, STAY)
    with monkeypatch.context() as full:
        full.setattr("tempfile.tempdir", str(tmp_path / "none"))
        assert checker.check(CONFIGS, "5.0.9").result is Result.UNCHECKED
    assert checker.check(CONFIGS, "5.0.9").result is Result.ACCEPTED


def test_a_fault_of_the_check_itself_is_told_and_rejects_nothing(
    make: Callable[..., Checker], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("controller.checking.engine.present", broken)
    verdict = make(UP, STAY).check(CONFIGS, "5.0.9")
    assert verdict.result is Result.UNCHECKED
    assert "out of luck" in verdict.reason


def test_bytes_that_are_no_config_are_not_started(make: Callable[..., Checker], tmp_path: Path) -> None:
    verdict = make(UP, STAY).check((ConfigObject(PIPELINE, b"@INCLUDE /etc/passwd\n"),), "5.0.9")
    assert verdict.result is Result.UNCHECKED
    assert starts(tmp_path) == 0
