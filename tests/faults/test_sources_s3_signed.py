"""S3 sources that are asked for more: a signed manifest, versions, an owner. What does not fit changes nothing."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controller.aws.ports import NotFound, ObjectInfo, StoredObject
from controller.sources import Limits, Reason, S3Options, S3Spec, Snapshot, SourceError, Trust
from controller.sources.s3 import S3Source
from controller.sources.s3_trust import Versioning
from tests.support.signing import GpgKey, SshKey, said

pytestmark = [pytest.mark.needs("gpg"), pytest.mark.needs("ssh-keygen")]
FILES = {"a.yaml": b"a: 1", "sub/b.yml": b"b: 1"}


def etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


@dataclass
class Bucket:
    """Objects by key, below the prefix `specs/`."""

    objects: dict[str, bytes] = field(default_factory=dict)
    versions: bool = True
    asked: int = 0
    bucket: str = "team"

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for key, body in sorted(self.objects.items()):
            if key.startswith(prefix):
                yield ObjectInfo(key, etag(body), len(body))

    def get(self, key: str, *, max_bytes: int | None = None) -> StoredObject:
        if key not in self.objects:
            raise NotFound("s3:GetObject", key, "NoSuchKey", "it is gone")
        body = self.objects[key]
        return StoredObject(body[: max_bytes + 1] if max_bytes else body, etag(body))

    def versioned(self) -> bool:
        self.asked += 1
        return self.versions

    def put(self, *_: object, **__: object) -> str:
        raise AssertionError("a source never writes")

    def delete(self, *_: object, **__: object) -> None:
        raise AssertionError("a source never deletes")

    def upload(self, **files: bytes) -> None:
        self.objects |= {f"specs/{name}": body for name, body in files.items()}


@dataclass
class Room:
    bucket: Bucket
    folder: Path
    key: SshKey
    trust: Trust

    def source(self) -> S3Source:
        return S3Source(S3Spec("team", "specs"), self.bucket, Limits(), S3Options(verify=self.trust), self.folder / "c")

    def manifest(self, text: bytes | None = None, **sums: bytes) -> bytes:
        files = {**FILES, **sums}
        rows = (f"{hashlib.sha256(body).hexdigest()}  {path}\n" for path, body in files.items())
        return text if text is not None else "".join(rows).encode()

    def sign(self, manifest: bytes, purpose: str = "logroute", key: SshKey | None = None) -> None:
        path = self.folder / "MANIFEST"
        path.write_bytes(manifest)
        path.with_suffix(".sig").unlink(missing_ok=True)
        said("ssh-keygen", "-Y", "sign", "-q", "-n", purpose, "-f", str((key or self.key).private), str(path))
        self.bucket.upload(MANIFEST=manifest, **{"MANIFEST.sig": path.with_suffix(".sig").read_bytes()})

    def refused(self, source: S3Source | None = None, last: Snapshot | None = None) -> str:
        with pytest.raises(SourceError) as caught:
            (source or self.source()).poll(last)
        assert caught.value.reason is Reason.UNVERIFIED, caught.value
        return caught.value.message


@pytest.fixture
def room(tmp_path: Path) -> Room:
    key = SshKey.make(tmp_path / "keys", "good")
    signers = tmp_path / "signers"
    signers.write_text(key.line())
    room = Room(Bucket(), tmp_path, key, Trust((signers,)))
    room.bucket.upload(**FILES)
    room.sign(room.manifest())
    return room


@pytest.fixture(scope="module")
def gpg() -> Iterator[GpgKey]:
    with tempfile.TemporaryDirectory(prefix="g-") as folder:
        key = GpgKey.make(Path(folder) / "h", "good")
        yield key
        key.stop()


def test_files_that_the_signed_manifest_lists_are_taken(room: Room) -> None:
    room.bucket.upload(README=b"listed or not", **{".hidden.yaml": b"x"})
    source = room.source()
    last = source.poll(None)
    assert last.contents() == FILES
    assert source.poll(last) is last


def test_a_manifest_signed_by_gpg_does_as_well(room: Room, gpg: GpgKey) -> None:
    (room.folder / "key.asc").write_bytes(gpg.public)
    room.trust = Trust((room.folder / "key.asc",))
    assert "by SSH, and no SSH key is allowed" in room.refused()
    (room.folder / "MANIFEST").write_bytes(room.manifest())
    signature = gpg.gpg(
        "--local-user", gpg.user, "--armor", "--output", "-", "--detach-sign", f"{room.folder}/MANIFEST"
    )
    room.bucket.upload(**{"MANIFEST.asc": signature})
    assert room.source().poll(None).contents() == FILES
    room.bucket.upload(MANIFEST=room.manifest() + b"0" * 64 + b"  c.yaml\n")
    assert "SSH" in room.refused()
    del room.bucket.objects["specs/MANIFEST.sig"]
    assert "altered after it was signed" in room.refused()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda room: room.bucket.upload(**{"a.yaml": b"evil: 1"}), "does not fit a.yaml, whose bytes are others"),
        (lambda room: room.bucket.upload(**{"c.yaml": b"c: 1"}), "does not list c.yaml"),
        (lambda room: room.bucket.objects.pop("specs/a.yaml"), "lists a.yaml, which is not there"),
        (lambda room: room.bucket.objects.pop("specs/MANIFEST"), "the MANIFEST is missing"),
        (lambda room: room.bucket.objects.pop("specs/MANIFEST.sig"), "signature of the MANIFEST is missing"),
        (lambda room: room.bucket.upload(MANIFEST=room.manifest() + b"\n"), "altered after it was signed"),
        (lambda room: room.bucket.upload(**{"MANIFEST.sig": b"junk"}), "signature of the MANIFEST cannot be read"),
        (lambda room: room.sign(room.manifest(), purpose="file"), "made for another purpose"),
        (lambda room: room.sign(room.manifest(), key=SshKey.make(room.folder, "x")), "by a key that is not allowed"),
        (lambda room: room.sign(room.manifest(b"")), "lists no file"),
        (lambda room: room.sign(room.manifest() * 2), "names a.yaml twice, in line 3 again"),
        (lambda room: room.sign(room.manifest(**{"../d.yaml": b""})), "has a line 3 that is no checksum and path"),
        (lambda room: room.sign(room.manifest(**{"/d.yaml": b""})), "has a line 3 that is no checksum and path"),
        (lambda room: room.sign(b"\xff"), "is not UTF-8"),
        (lambda room: room.bucket.upload(**{"big.yaml": b"x" * 1_048_577}), "does not list big.yaml"),
    ],
)
def test_what_does_not_fit_leaves_the_last_good_files_in_force(
    room: Room, change: Callable[[Room], object], words: str
) -> None:
    source = room.source()
    last = source.poll(None)
    change(room)
    message = room.refused(source, last)
    assert words in message
    assert message.endswith("; what was in force stays")
    assert words in room.refused()
    room.bucket.objects.clear()
    room.bucket.upload(**FILES)
    room.sign(room.manifest())
    assert source.poll(last) == last


def test_an_upload_is_taken_when_it_is_whole(room: Room) -> None:
    source = room.source()
    last = source.poll(None)
    room.bucket.upload(**{"a.yaml": b"a: 2"})
    room.refused(source, last)
    room.sign(room.manifest(**{"a.yaml": b"a: 2"}))
    assert source.poll(last).contents()["a.yaml"] == b"a: 2"


def test_changed_key_files_judge_the_same_manifest_anew(room: Room) -> None:
    source = room.source()
    last = source.poll(None)
    room.trust.keys[0].write_text(SshKey.make(room.folder, "new").line())
    assert "by a key that is not allowed" in room.refused(source, last)
    room.trust.keys[0].write_text(room.key.line('valid-before="20200101Z"'))
    assert "by a key that has expired" in room.refused(source, last)
    room.trust.keys[0].write_text(room.key.line('namespaces="git"'))
    assert "allows for other purposes only" in room.refused(source, last)
    room.trust.keys[0].write_text(room.key.line())
    assert source.poll(last) == last
    (room.folder / "revoked").write_text(room.key.public)
    room.trust = Trust(room.trust.keys, (room.folder / "revoked",))
    assert "by a key that was revoked" in room.refused()


def test_paths_as_find_writes_them_are_the_same_paths(room: Room) -> None:
    room.sign(room.manifest().replace(b"  a.yaml", b" *./a.yaml"))
    assert room.source().poll(None).contents() == FILES


def test_versions_are_asked_for_once_an_hour_and_again_while_they_are_missing() -> None:
    now = [0.0]
    bucket = Bucket()
    versioning = Versioning(bucket, required=True, now=lambda: now[0])
    versioning.check()
    versioning.check()
    assert bucket.asked == 1
    now[0], bucket.versions = 3600.0, False
    for asked in (2, 3):
        with pytest.raises(SourceError, match="does not keep versions"):
            versioning.check()
        assert bucket.asked == asked
