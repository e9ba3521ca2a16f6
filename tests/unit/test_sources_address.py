"""`--source`: every form that is read, every one that is refused, and that refusals repeat no secret."""

from __future__ import annotations

import pytest

from controller.sources import FolderSpec, GitSpec, Reason, S3Spec, SourceError, SourceSpec, parse_source

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("git+https://h/o/r.git", GitSpec("https", "h/o/r.git")),
        ("git+https://h:8443/o/r@main", GitSpec("https", "h:8443/o/r", "main")),
        ("git+https://h/r.git@feature/x#path=a/b", GitSpec("https", "h/r.git", "feature/x", "a/b")),
        ("git+https://h/r.git@pkg@1.0", GitSpec("https", "h/r.git", "pkg@1.0")),
        ("git+https://h/@team/r.git@v1", GitSpec("https", "h/@team/r.git", "v1")),
        ("git+https://[::1]:8443/r", GitSpec("https", "[::1]:8443/r")),
        ("git+https://h/r#path=a%20b", GitSpec("https", "h/r", None, "a b")),
        ("git+https://h/r#path=/./a//b/", GitSpec("https", "h/r", None, "a/b")),
        ("git+https://h/r#path=.", GitSpec("https", "h/r")),
        ("git+ssh://git@h/o/r.git@main", GitSpec("ssh", "git@h/o/r.git", "main")),
        ("git+ssh://git@h:2222/~me/r.git", GitSpec("ssh", "git@h:2222/~me/r.git")),
        ("git+ssh://h/r", GitSpec("ssh", "h/r")),
        (f"git+file:///srv/my specs.git@{COMMIT}", GitSpec("file", "/srv/my specs.git", COMMIT)),
        ("git+file:///srv/a%40b@x", GitSpec("file", "/srv/a%40b", "x")),
        ("s3://bucket", S3Spec("bucket")),
        ("s3://bucket/", S3Spec("bucket")),
        ("s3://my.bucket-1/a/b c/", S3Spec("my.bucket-1", "a/b c")),
        ("specs", FolderSpec("specs")),
        ("./specs/", FolderSpec("specs")),
        ("/srv/specs", FolderSpec("/srv/specs")),
        ("./odd:name", FolderSpec("odd:name")),
        (".", FolderSpec(".")),
    ],
)
def test_each_form_is_understood_and_printed_so_that_it_reads_the_same(text: str, spec: SourceSpec) -> None:
    assert parse_source(text) == spec
    assert parse_source(str(spec)) == spec


def test_only_a_whole_commit_id_is_one() -> None:
    assert GitSpec("https", "h/r", COMMIT).commit == COMMIT
    assert GitSpec("https", "h/r", COMMIT[:12]).commit is None
    assert GitSpec("https", "h/r", COMMIT.upper()).commit is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "a\nb",
        "a\0b",
        "x" * 5000,
        "ext::sh -c touch% pwned",
        "git+ext::sh",
        "fd::17",
        "http://h/r",
        "https://h/r",
        "ssh://h/r",
        "file:///r",
        "ftp://h/r",
        "git://h/r",
        "git+http://h/r",
        "git+git://h/r",
        "git+ext://h/r",
        "git@h:o/r.git",
        "git+https://",
        "git+https://h",
        "git+https://h/",
        "git+https:///r",
        "git+https://-h/r",
        "git+https://h:0/r",
        "git+https://h:99999/r",
        "git+https://h:x/r",
        "git+https://h h/r",
        "git+https://h%0a/r",
        "git+https://h/r%0a",
        "git+https://h/r%ff",
        "git+https://h/r?token=x",
        "git+https://user@h/r",
        "git+https://user:pw@h/r",
        "git+https://:pw@h/r",
        "git+ssh://git:pw@h/r",
        "git+ssh://-oProxyCommand=x/r",
        "git+ssh://-oProxyCommand=x@h/r",
        "git+ssh://git@-oProxyCommand=x/r",
        "git+ssh://a@b@h/r",
        "git+ssh://git@/r",
        "git+file://h/r",
        "git+file:///",
        "git+file://r",
        "git+https://h/r@",
        "git+https://h/r@-x",
        "git+https://h/r@--upload-pack=x",
        "git+https://h/r/@main",
        "git+https://h/r@a..b",
        "git+https://h/r@a b",
        "git+https://h/r@a:b",
        "git+https://h/r@+a:b",
        "git+https://h/r@a^{}",
        "git+https://h/r@a*",
        "git+https://h/r@a~1",
        "git+https://h/r@/a",
        "git+https://h/r@a/",
        "git+https://h/r@a//b",
        "git+https://h/r@.a",
        "git+https://h/r@a.lock",
        "git+https://h/r@a@{1}",
        "git+https://h/r@a%0ab",
        "git+https://h/r#",
        "git+https://h/r#path",
        "git+https://h/r#path=",
        "git+https://h/r#path=..",
        "git+https://h/r#path=a/../b",
        "git+https://h/r#path=a/%2e%2e/b",
        "git+https://h/r#path=a%00",
        "git+https://h/r#path=a&ref=b",
        "git+https://h/r#ref=b",
        "s3://",
        "s3://B/p",
        "s3://b",
        "s3://bucket:x/p",
        "s3://user@bucket/p",
        "s3://bucket/a//b",
        "s3://bucket/../b",
        "s3://bucket/p#path=x",
    ],
)
def test_what_is_unsafe_or_unclear_is_refused_with_advice(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text)
    assert caught.value.reason is Reason.INVALID_URL
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "git+https://user:hunter2@h/r",
        "git+https://hunter2@h/r",
        "git+https://user:hunter2/x@h/r",
        "git+https://h/r?private_token=hunter2",
        "git+ssh://git:hunter2@h/r",
        "https://user:hunter2@h/r",
        "s3://key:hunter2@bucket/p",
    ],
)
def test_a_refusal_never_repeats_a_password(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text)
    assert "hunter2" not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("https://h/r", "git+https://"),
        ("git+http://h/r", "git+https://"),
        ("git@h:r.git", "git+ssh://git@host"),
        ("git+https://user:pw@h/r", "tokenFile"),
    ],
)
def test_the_advice_names_the_form_to_use(text: str, advice: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text)
    assert advice in caught.value.hint
