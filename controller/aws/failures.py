"""botocore's exceptions as ours: the operation, the resource, AWS's words, and what a person can do."""

from __future__ import annotations

from botocore import exceptions as boto

from controller.aws.ports import AccessDenied, AwsError, NotFound, PreconditionFailed, Throttled, Unreachable

THROTTLES = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "RequestThrottled",
        "RequestThrottledException",
        "429",
    }
)
BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidToken",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "AuthFailure",
        "RequestExpired",
        "RequestTimeTooSkewed",
    }
)
_ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket", "s3:HeadBucket": "s3:ListBucket", "s3:HeadObject": "s3:GetObject"}
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AllAccessDisabled",
        "403",
        "Forbidden",
    }
)
MISSING = frozenset(
    {
        "ClusterNotFoundException",
        "ServiceNotFoundException",
        "ApplicationDoesNotExistException",
        "NoSuchKey",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "ResourceNotFoundException",
        "404",
        "NotFound",
    }
)
LOST = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "ConditionalCheckFailedException"})
NO_ANSWER = frozenset({"RequestTimeout", "RequestTimeoutException"})
"""Errors in the 400s that say that the request did not arrive whole (Amazon S3 API reference, error responses)."""
NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.NoAuthTokenError,
    boto.SSOError,
    boto.LoginError,
    boto.TokenRetrievalError,
    boto.RefreshWithMFAUnsupportedError,
)
NO_CONNECTION = (
    boto.HTTPClientError,
    boto.ConnectionError,
    boto.IncompleteReadError,
    boto.ChecksumError,
    boto.FlexibleChecksumError,
    boto.CredentialRetrievalError,
    boto.MetadataRetrievalError,
)
"""May go well the next time, as may what is not botocore's own: its parsers raise what they stumble upon where
an answer has another shape. Its other exceptions are about mistakes, which stay mistakes.
"""


def translate(operation: str, resource: str, error: Exception) -> AwsError:
    """`operation` as `ecs:RegisterTaskDefinition`. Never loses the original: it is the `__cause__`."""
    if isinstance(error, boto.ClientError):
        return _answered(operation, resource, error)
    kind: type[AwsError] = AwsError
    if isinstance(error, NO_CREDENTIALS):
        kind = AccessDenied
    elif _may_pass(error):
        kind = Unreachable
    return kind(operation, resource, type(error).__name__, str(error) or "no answer", _hint(error))


def not_aws(operation: str, resource: str, expected: str) -> Unreachable:
    """A 200 whose body is not what AWS says there."""
    return Unreachable(
        operation,
        resource,
        "ResponseParserError",
        f"the answer is not AWS's: it has no {expected}",
        "Check AWS_ENDPOINT_URL, and what stands between LogRoute and AWS",
    )


def _action(operation: str) -> str:
    """What a policy calls it: some of S3's operations have no action of their own name (Service Authorization
    Reference, "Actions defined by Amazon S3").
    """
    return _ACTIONS.get(operation, operation)


def _answered(operation: str, resource: str, error: boto.ClientError) -> AwsError:
    said, status = error.response.get("Error", {}), _status(error)
    code, detail = str(said.get("Code") or status or "Unknown"), str(said.get("Message") or "AWS gave no reason")
    if code in THROTTLES:
        return Throttled(operation, resource, code, detail, "Other tools share this account's rate; it is tried again")
    if code in BAD_CREDENTIALS:
        hint = "The credentials are expired or wrong, or this machine's clock is: renew them"
        return AccessDenied(operation, resource, code, detail, hint)
    if code in DENIED or status == 403:  # noqa: PLR2004 - HTTP's own number
        return AccessDenied(
            operation, resource, code, detail, f"Allow {_action(operation)} on {resource} to the controller's role"
        )
    if code in MISSING:
        return NotFound(operation, resource, code, detail, "Check the name, the account and the region")
    if code in LOST:
        return PreconditionFailed(
            operation, resource, code, detail, "Somebody else wrote first; the next pass looks again"
        )
    if status >= 500 or code in NO_ANSWER:  # noqa: PLR2004 - any server error
        return Unreachable(operation, resource, code, detail, "AWS failed to answer; it is tried again")
    return AwsError(operation, resource, code, detail)


def _may_pass(error: Exception) -> bool:
    return isinstance(error, NO_CONNECTION) or not isinstance(error, boto.BotoCoreError)


def _status(error: boto.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _hint(error: Exception) -> str:
    if isinstance(error, NO_CREDENTIALS):
        return "Give AWS credentials: a profile, environment variables, or a role"
    if isinstance(error, boto.NoRegionError):
        return "Set AWS_REGION or the setting `region`"
    if _may_pass(error):
        return "Check the network and AWS_ENDPOINT_URL"
    return ""
