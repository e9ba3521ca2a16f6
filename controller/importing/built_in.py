"""What AWS's image has under /fluent-bit/configs, as far as it is known here: what each file sets, not its text.

See aws/aws-for-fluent-bit, folder configs, and amazon-ecs-firelens-examples, health-check and parse-json.
"""

from __future__ import annotations

from controller.fluentbit.classic import Entry, Place, SourceSection

FOLDER = "/fluent-bit/configs/"
Options = tuple[tuple[str, str], ...]
_SETS: dict[str, tuple[tuple[str, Options], ...]] = {
    "minimize-log-loss.conf": (("SERVICE", (("flush", "1"), ("grace", "30"))),),
    "output-metrics-healthcheck.conf": (
        (
            "SERVICE",
            (
                ("http_server", "On"),
                ("http_listen", "0.0.0.0"),  # noqa: S104 - what AWS's file says
                ("http_port", "2020"),
                ("health_check", "On"),
                ("hc_errors_count", "5"),
                ("hc_retry_failure_count", "5"),
                ("hc_period", "5"),
            ),
        ),
    ),
    "parse-json.conf": (
        ("SERVICE", (("parsers_file", "/fluent-bit/parsers/parsers.conf"), ("flush", "1"), ("grace", "30"))),
        (
            "FILTER",
            (("name", "parser"), ("match", "*"), ("key_name", "log"), ("parser", "json"), ("reserve_data", "True")),
        ),
    ),
}


def sections_of(path: str) -> tuple[SourceSection, ...]:
    """Of the file at `path` in the image; none where it is not known here."""
    place = Place(path)
    known = _SETS.get(path.removeprefix(FOLDER), ()) if path.startswith(FOLDER) else ()
    return tuple(
        SourceSection(name, place, tuple(Entry(key, value, place) for key, value in options)) for name, options in known
    )
