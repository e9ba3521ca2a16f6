"""An error says what happened and because of what."""

from __future__ import annotations

from controller.telemetry.errors import chain, trace


def _raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:  # noqa: BLE001
        return caught


def test_an_error_is_named_and_tells_its_cause() -> None:
    error = _raised(ValueError("cannot fetch"), ConnectionError("refused"))
    assert chain(error) == "ValueError: cannot fetch; caused by ConnectionError: refused"


def test_what_an_error_was_raised_during_is_told_unless_it_was_hidden() -> None:
    def during(*, hidden: bool) -> BaseException:
        try:
            try:
                raise KeyError("a")
            except KeyError:
                if hidden:
                    raise ValueError("b") from None
                raise ValueError("b")  # noqa: B904
        except ValueError as caught:
            return caught

    assert chain(during(hidden=False)) == "ValueError: b; caused by KeyError: 'a'"
    assert chain(during(hidden=True)) == "ValueError: b"


def test_an_error_without_text_is_named_and_one_of_many_lines_is_one_line() -> None:
    assert chain(TimeoutError()) == "TimeoutError"
    assert chain(OSError("a\n  b")) == "OSError: a b"


def test_a_group_tells_all_its_errors() -> None:
    group = ExceptionGroup("two", [ValueError("a"), OSError("b")])
    assert "ValueError: a; OSError: b" in chain(group)


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    assert chain(first) == "ValueError: 1; caused by ValueError: 2"


def test_an_error_that_cannot_be_shown_is_still_named() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert chain(Broken()) == "Broken: (no text)"


def test_the_trace_shows_where_it_was_raised() -> None:
    assert "_raised" in trace(_raised(ValueError("x")))
