"""The name of the AWS operation that a request asks for, as well as it can be told: `s3:PutObject`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from controller.sandbox.endpoint.signature import scope_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_FORM = "application/x-www-form-urlencoded"
# Sub-resources of a bucket or an object: `?tagging` makes GetObject GetObjectTagging.
_SUBRESOURCES = {
    "acl": "Acl",
    "encryption": "Encryption",
    "lifecycle": "LifecycleConfiguration",
    "location": "Location",
    "notification": "NotificationConfiguration",
    "policy": "Policy",
    "publicAccessBlock": "PublicAccessBlock",
    "tagging": "Tagging",
    "versioning": "Versioning",
}
_VERBS = {"GET": "Get", "HEAD": "Head", "PUT": "Put", "DELETE": "Delete"}
_BUCKET_OPERATIONS = {
    "GET": "ListObjects",
    "HEAD": "HeadBucket",
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
}


def call_name(environ: WSGIEnvironment) -> str:
    scope = scope_of(environ)
    service = scope.service if scope else "unsigned"
    return f"{service}:{_operation(environ, service)}"


def _operation(environ: WSGIEnvironment, service: str) -> str:
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    if service == "s3":
        return _s3_operation(environ)
    form: str = _form_body(environ) or environ.get("QUERY_STRING", "")
    query = parse_qs(form)
    return query.get("Action", [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"])[0]


def _form_body(environ: WSGIEnvironment) -> str:
    """The body of a query-protocol request, put back for who comes next."""
    if not environ.get("CONTENT_TYPE", "").startswith(_FORM):
        return ""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return str(body, "utf-8", "replace")


def _s3_operation(environ: WSGIEnvironment) -> str:
    """Path-style only, which is what clients of an endpoint that is an IP address use."""
    method: str = environ["REQUEST_METHOD"]
    bucket, _, key = environ["PATH_INFO"].lstrip("/").partition("/")
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if not bucket:
        return "ListBuckets"
    if method == "POST":
        return _s3_post(query)
    if suffix := next((_SUBRESOURCES[name] for name in query if name in _SUBRESOURCES), None):
        return f"{_VERBS.get(method, method)}{'Object' if key else 'Bucket'}{suffix}"
    return _s3_object(method, query, environ) if key else _s3_bucket(method, query)


def _s3_bucket(method: str, query: dict[str, list[str]]) -> str:
    if method != "GET":
        return _BUCKET_OPERATIONS.get(method, method)
    if "versions" in query:
        return "ListObjectVersions"
    return "ListObjectsV2" if query.get("list-type") == ["2"] else "ListObjects"


def _s3_post(query: dict[str, list[str]]) -> str:
    if "delete" in query:
        return "DeleteObjects"
    return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"


def _s3_object(method: str, query: dict[str, list[str]], environ: WSGIEnvironment) -> str:
    if "uploadId" in query:
        return {"PUT": "UploadPart", "DELETE": "AbortMultipartUpload"}.get(method, "ListParts")
    if method == "PUT" and "HTTP_X_AMZ_COPY_SOURCE" in environ:
        return "CopyObject"
    return f"{_VERBS.get(method, method)}Object"
