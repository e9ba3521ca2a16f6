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
    }
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AllAccessDisabled",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "403",
        "Forbidden",
    }
)
MISSING = frozenset(
    {
        "ClusterNotFoundException",
        "ServiceNotFoundException",
        "NoSuchKey",
        "NoSuchBucket",
        "ResourceNotFoundException",
        "404",
        "NotFound",
    }
)
LOST = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})


def translate(operation: str, resource: str, error: Exception) -> AwsError:
    """`operation` as `ecs:RegisterTaskDefinition`. Never loses the original: it is the `__cause__`."""
    if not isinstance(error, boto.ClientError):
        hint = _connection_hint(error)
        return Unreachable(operation, resource, type(error).__name__, str(error) or "no answer", hint)
    said = error.response.get("Error", {})
    code, detail = str(said.get("Code", "Unknown")), str(said.get("Message") or "AWS gave no reason")
    if code in THROTTLES:
        return Throttled(operation, resource, code, detail, "Other tools share this account's rate; it is tried again")
    if code in DENIED:
        return AccessDenied(
            operation, resource, code, detail, f"Allow {operation} on {resource} to the controller's role"
        )
    if code in MISSING:
        return NotFound(operation, resource, code, detail, "Check the name, the account and the region")
    if code in LOST:
        return PreconditionFailed(
            operation, resource, code, detail, "Somebody else wrote first; the next pass looks again"
        )
    if _status(error) >= 500:  # noqa: PLR2004 - any server error
        return Unreachable(operation, resource, code, detail, "AWS failed to answer; it is tried again")
    return AwsError(operation, resource, code, detail)


def _status(error: boto.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _connection_hint(error: Exception) -> str:
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError):
        return "Give AWS credentials: a profile, environment variables, or a role"
    if isinstance(error, boto.NoRegionError):
        return "Set AWS_REGION or the setting `region`"
    if isinstance(error, boto.EndpointConnectionError | boto.ConnectTimeoutError):
        return "Check the network and AWS_ENDPOINT_URL"
    return ""
