"""Whatever gpg, ssh-keygen, key files and manifests say: a verdict or a refusal in words, and never good by chance."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from controller.sources import SourceError, SourceFile, Trust
from controller.sources.keys import read_keys
from controller.sources.manifest import compare, read_manifest
from controller.sources.names import is_unsafe
from controller.sources.verdicts import by_gpg, by_ssh

FINGERPRINT = "EC4B42A697BAC2A232CA98AB23155B5F4353C1EA"
VALID = f"[GNUPG:] VALIDSIG {FINGERPRINT} 2026-11-23 1795447137 0 4 0 22 8 00 {FINGERPRINT}"
GOOD = f"[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG {FINGERPRINT[-16:]} A <a@example.com>\n{VALID}\n"
BAD = ("BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG")
LINES = st.sampled_from(
    [f"[GNUPG:] {name} 23155B5F4353C1EA A" for name in (*BAD, "GOODSIG", "NEWSIG", "NODATA")] + [VALID]
)
PATHS = st.text(st.sampled_from("ab./\\-é\t\u202e"), max_size=12).map(lambda text: f"{text}.yaml")


def test_one_good_signature_alone_is_good() -> None:
    assert by_gpg(GOOD, ended_well=True).good
    assert not by_gpg(GOOD, ended_well=False).good
    assert not by_gpg(GOOD, ended_well=True, revoked={FINGERPRINT}).good
    assert not by_gpg(GOOD.replace(VALID, ""), ended_well=True).good


@given(st.lists(LINES, max_size=6), st.text(max_size=40))
def test_anything_beside_one_good_signature_is_not(lines: list[str], junk: str) -> None:
    said = "\n".join([*lines, junk])
    results = [line.split()[1] for line in lines if line.split()[1] in {*BAD, "GOODSIG"}]
    verdict = by_gpg(said, ended_well=True)
    if results != ["GOODSIG"] or lines.count(VALID) != 1:
        assert not verdict.good
    assert verdict.good or verdict.hint


@given(st.text())
def test_ssh_is_good_only_where_it_ended_well_and_says_nothing_of_the_signer(said: str) -> None:
    verdict = by_ssh(said, ended_well=False, revocations=True)
    assert not verdict.good
    assert not any(is_unsafe(letter) for letter in verdict.why)
    assert by_ssh(said, ended_well=True, revocations=True).good


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_junk_as_a_key_file_is_refused_or_holds_keys(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keys"
        path.write_bytes(content)
        for trust in (Trust((path,)), Trust((path,), (path,))):
            with contextlib.suppress(SourceError):
                found = read_keys(trust)
                assert found.gpg or found.signers.strip()


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,4}(/[a-z]{1,4})?\.yaml", fullmatch=True), st.binary(max_size=9), min_size=1)
)
def test_a_manifest_that_is_written_is_read_and_fits(files: dict[str, bytes]) -> None:
    text = "".join(f"{hashlib.sha256(body).hexdigest()}  {path}\n" for path, body in files.items())
    there = [SourceFile(path, len(body), body) for path, body in files.items()]
    compare(read_manifest(text.encode()), there)
    altered = [SourceFile(there[0].path, 1, (there[0].content or b"") + b"!"), *there[1:]]
    for other in (there[1:], altered, [*there, SourceFile("more.yaml", 0, b"")]):
        if [file.path for file in other].count("more.yaml") < 2:
            with contextlib.suppress(SourceError):
                compare(read_manifest(text.encode()), other)
                raise AssertionError(other)


@given(st.lists(PATHS, max_size=4), st.binary(max_size=60))
def test_a_manifest_names_no_path_twice_and_none_that_leads_elsewhere(paths: list[str], junk: bytes) -> None:
    text = "".join(f"{'0' * 64}  {path}\n" for path in paths).encode()
    for content in (text, text + junk, junk):
        found: dict[str, str] = {}
        with contextlib.suppress(SourceError):
            found = read_manifest(content)
        for path in found:
            assert not set(path.split("/")) & {"", ".", ".."}
            assert not any(is_unsafe(letter) for letter in path)
