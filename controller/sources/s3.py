"""Objects under an S3 prefix as a source: one listing a poll, and a GET only for a new ETag."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from controller.aws.ports import (
    AccessDenied,
    AwsError,
    NotFound,
    ObjectInfo,
    SourceBucket,
    Throttled,
    Unreachable,
)
from controller.sources.address import S3Spec
from controller.sources.errors import Reason, SourceError
from controller.sources.names import spec_name
from controller.sources.s3_trust import Manifest, S3Options, Versioning
from controller.sources.snapshot import (
    FileProblem,
    FileReason,
    Limits,
    Snapshot,
    SourceFile,
    check_count,
    check_entries,
    check_total,
    make_snapshot,
    too_large,
)

_HERE = Path()


@dataclass(frozen=True, slots=True)
class _Known:
    """An object as it was last read; `etag` None where it must be asked for again."""

    etag: str | None
    file: SourceFile


class S3Source:
    """Polls one prefix. S3 has no snapshots: a poll in the middle of an upload sees half of it, as with any
    reader of S3; the next poll sees the rest. The revision covers contents, not ETags, so uploading equal
    bytes anew is no change.
    """

    def __init__(
        self, spec: S3Spec, store: SourceBucket, limits: Limits, options: S3Options | None = None, cache: Path = _HERE
    ) -> None:
        """`cache`: the folder for what signatures are verified with."""
        self._spec, self._store, self._limits = spec, store, limits
        self._options = options = options or S3Options()
        self._versioning = Versioning(store, required=options.versioned)
        self._manifest = Manifest(store, options.verify, cache, options.environment) if options.verify else None
        self._prefix = f"{spec.prefix}/" if spec.prefix else ""
        self._known: dict[str, _Known] = {}
        self._given: Snapshot | None = None

    def poll(self, last: Snapshot | None) -> Snapshot:
        """See Source.poll."""
        try:
            self._versioning.check()
            known = self._read_all(self._listed())
            self._check([entry.file for entry in known.values()])
        except AwsError as error:
            raise _explained(error, self._spec, self._options.owner) from error
        same = known.keys() == self._known.keys() and all(
            entry.file is self._known[key].file for key, entry in known.items()
        )
        self._known = known
        if last is not None and last is self._given and same:
            return last
        snapshot = make_snapshot((entry.file for entry in known.values()), self._limits)
        self._given = last if last is not None and last == snapshot else snapshot
        return self._given

    def _check(self, files: list[SourceFile]) -> None:
        """What was read and does not fit is read again by the next poll."""
        if self._manifest is None:
            return
        try:
            self._manifest.check(files)
        except SourceError as error:
            message = f"{self._spec}: {error.message}" + ("; what was in force stays" if self._given else "")
            raise SourceError(error.reason, message, error.hint) from None

    def _listed(self) -> list[ObjectInfo]:
        """The whole listing before the first GET, so that too many objects cost no downloads."""
        found = []
        if self._manifest:
            self._manifest.start()
        for seen, info in enumerate(self._store.list(self._prefix), start=1):
            check_entries(seen, self._limits)
            if self._manifest:
                self._manifest.offer(self._relative(info), info)
            if spec_name(self._relative(info)):
                found.append(info)
                check_count(len(found), self._limits)
        return found

    def _read_all(self, listed: list[ObjectInfo]) -> dict[str, _Known]:
        sizes = (info.size for info in listed if info.size <= self._limits.max_file_bytes)
        check_total(sum(sizes), self._limits)
        known: dict[str, _Known] = {}
        for info in listed:
            before = self._known.get(info.key)
            if before and before.etag == info.etag:
                known[info.key] = before
            elif found := self._look(info):
                same = before is not None and before.file == found.file
                known[info.key] = _Known(found.etag, before.file) if before and same else found
        return known

    def _look(self, info: ObjectInfo) -> _Known | None:
        """The object as it is now, with the ETag it came with; None where it is gone since the listing."""
        name = spec_name(self._relative(info))
        if not name:
            return None
        if name.problem:
            return _Known(info.etag, SourceFile(name.text, info.size, None, name.problem))
        if info.size > self._limits.max_file_bytes:
            return _Known(info.etag, too_large(name.text, info.size, self._limits))
        return self._get(info, name.text)

    def _get(self, info: ObjectInfo, path: str) -> _Known | None:
        try:
            got = self._store.get(info.key, max_bytes=self._limits.max_file_bytes)
        except NotFound as error:
            if error.code == "NoSuchBucket":  # else a bucket that goes away would look like an empty one
                raise
            return None
        except AccessDenied as error:
            problem = FileProblem(FileReason.UNREADABLE, error.detail, error.hint or "Allow s3:GetObject on it")
            return _Known(None, SourceFile(path, info.size, None, problem))
        if len(got.body) > self._limits.max_file_bytes:  # it grew since the listing
            return _Known(got.etag, too_large(path, len(got.body), self._limits))
        return _Known(got.etag, SourceFile(path, len(got.body), got.body))

    def _relative(self, info: ObjectInfo) -> bytes:
        return info.key.removeprefix(self._prefix).encode(errors="surrogatepass")


def _explained(error: AwsError, spec: S3Spec, owner: str | None) -> SourceError:
    reason, hint = Reason.UNREADABLE, error.hint
    if isinstance(error, AccessDenied):
        reason = Reason.AUTH_FAILED
        hint = hint or "Allow s3:ListBucket on the bucket and s3:GetObject on its objects"
        if owner:
            hint += f", and see that the bucket belongs to account {owner}, as s3.bucketOwner says"
    elif isinstance(error, NotFound):
        reason, hint = Reason.NOT_FOUND, hint or "Check the bucket's name and region"
    elif isinstance(error, Throttled):
        reason = Reason.THROTTLED
    elif isinstance(error, Unreachable):
        reason = Reason.UNREACHABLE
    return SourceError(reason, f"{spec} cannot be read: {error.code}: {error.detail}", hint)
