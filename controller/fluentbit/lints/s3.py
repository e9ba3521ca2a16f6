"""Lints of the s3 output (out_s3/s3.c, s3_store.c)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.lint import Lint, Options, text
from controller.fluentbit.types import is_true, size_bytes
from controller.fluentbit.words import shown

S3_OVERWRITE = Lint(
    "S3_OVERWRITE",
    Severity.WARNING,
    "`static_file_path` on, and no `$UUID` in `s3_key_format`.",
    "Two tasks that upload within the resolution of the key's time write the same key; the later object replaces "
    "the earlier, and its lines are gone.",
    "put $UUID into s3_key_format",
)
S3_KEY_SHARED = Lint(
    "S3_KEY_SHARED",
    Severity.WARNING,
    "An `s3_key_format` that names neither the task nor anything random, where Fluent Bit adds nothing to it: "
    "multipart uploads, and keys with `$INDEX`.",
    "Fluent Bit appends a random suffix to single uploads only. Multipart uploads of two tasks that began in the "
    "same moment have one key, and `$INDEX` starts from nothing in each task.",
    "put $UUID into s3_key_format",
)
S3_STORE_DIR_SHARED = Lint(
    "S3_STORE_DIR_SHARED",
    Severity.WARNING,
    "Two s3 outputs of a route with the same `bucket` and the same `store_dir`.",
    "Files that wait for upload lie at `<store_dir>/<bucket>`: each output finds the other's, and uploads or counts "
    "them as its own.",
    "give each its own store_dir, or leave store_dir out: LogRoute then keeps them apart",
)
S3_QUARANTINE_UNLIMITED = Lint(
    "S3_QUARANTINE_UNLIMITED",
    Severity.WARNING,
    "`retry_exhausted_action: quarantine` without `quarantine_dir_limit_size`, or with 0, which means no limit.",
    "What could not be uploaded stays on the task's disk until the task ends. A bucket that is out of reach for "
    "long fills the disk, and then nothing can be buffered.",
    "set quarantine_dir_limit_size, such as 500M",
)

_NAMES_THE_TASK = ("$UUID", "${ECS_TASK_ID}", "${ECS_TASK_ARN}", "${HOSTNAME}")
_SINGLE_UPLOAD_BELOW = 10 * 1024 * 1024
"""`use_put_object` is taken for granted below this `total_file_size` (s3.c, cb_s3_init)."""


def lint_s3(options: Options) -> Iterator[Finding]:
    key_format = text(options, "s3_key_format")
    if is_true(text(options, "static_file_path")):
        if "$UUID" not in key_format:
            at = ("s3_key_format",) if "s3_key_format" in options else ("static_file_path",)
            yield S3_OVERWRITE.at(
                at,
                "static_file_path is on and s3_key_format has no $UUID: tasks that upload in the same moment "
                "overwrite each other's objects",
            )
    elif key_format and _shared(key_format, options):
        yield S3_KEY_SHARED.at(
            ("s3_key_format",), "s3_key_format has nothing that differs from task to task: two tasks can write one key"
        )
    yield from _quarantine(options)


def lint_stores(outputs: Mapping[int, Options]) -> Iterator[tuple[int, Finding]]:
    """For the s3 outputs of a route by their position: the position of each that has another's store, and why."""
    seen: set[tuple[str, str]] = set()
    for position, options in outputs.items():
        store = text(options, "store_dir").rstrip("/"), text(options, "bucket")
        if all(store) and store in seen:
            message = f"another s3 output of this route keeps its files for {shown(store[1])} in {shown(store[0])} too"
            yield position, S3_STORE_DIR_SHARED.at(("store_dir",), message)
        seen.add(store)


def _shared(key_format: str, options: Options) -> bool:
    if any(name in key_format for name in _NAMES_THE_TASK) or _tag_names_the_task(key_format, options):
        return False
    return "$INDEX" in key_format or not _single_upload(options)


def _tag_names_the_task(key_format: str, options: Options) -> bool:
    """`<container>-firelens-<task id>` has no dot, so `$TAG[0]` is all of it until `-` divides it."""
    if "-" not in text(options, "s3_key_format_tag_delimiters"):
        return "$TAG" in key_format
    return "$TAG" in key_format.replace("$TAG[0]", "").replace("$TAG[1]", "")


def _single_upload(options: Options) -> bool:
    size = size_bytes(text(options, "total_file_size"))
    return is_true(text(options, "use_put_object")) or (size is not None and size < _SINGLE_UPLOAD_BELOW)


def _quarantine(options: Options) -> Iterator[Finding]:
    limit = text(options, "quarantine_dir_limit_size")
    if limit:
        if size_bytes(limit) == 0:
            yield S3_QUARANTINE_UNLIMITED.at(
                ("quarantine_dir_limit_size",), "the quarantine has no limit: 0 means none"
            )
    elif text(options, "retry_exhausted_action").lower() == "quarantine":
        yield S3_QUARANTINE_UNLIMITED.at(
            ("retry_exhausted_action",), "the quarantine has no limit: it may fill the task's disk"
        )
