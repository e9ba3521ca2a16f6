"""Where outputs write to, looked at: whether it is there, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from controller.aws.calls import Caller
from controller.aws.ports import NotFound

_FIRST = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}
"""What S3 calls the regions that it had first (Amazon S3 API reference, GetBucketLocation)."""


class BotoDestinations:
    """ports.Destinations. `call`: a caller for a service in a region."""

    def __init__(self, call: Callable[[str, str], Caller]) -> None:
        self._call = call

    def bucket_region(self, bucket: str) -> str:
        answer = self._call("s3", "")("GetBucketLocation", f"bucket {bucket}", expects="", Bucket=bucket)
        said = answer.get("LocationConstraint")
        return _FIRST.get(said) or str(said)

    def bucket_policy(self, bucket: str) -> dict[str, Any]:
        try:
            answer = self._call("s3", "")("GetBucketPolicy", f"bucket {bucket}", expects="Policy", Bucket=bucket)
        except NotFound as error:
            if error.code == "NoSuchBucket":
                raise
            return {}
        found = orjson.loads(answer["Policy"])
        return found if isinstance(found, dict) else {}

    def bucket_key(self, bucket: str) -> str:
        answer = self._call("s3", "")("GetBucketEncryption", f"bucket {bucket}", expects="", Bucket=bucket)
        rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
        return _own_key(*(one.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for one in rules))

    def delivery_stream(self, name: str, region: str) -> None:
        self._call("firehose", region)(
            "DescribeDeliveryStream",
            f"delivery stream {name}",
            expects="DeliveryStreamDescription",
            DeliveryStreamName=name,
        )

    def stream(self, name: str, region: str) -> None:
        self._call("kinesis", region)(
            "DescribeStreamSummary", f"stream {name}", expects="StreamDescriptionSummary", StreamName=name
        )

    def secret(self, arn: str, region: str) -> str:
        call = self._call("secretsmanager", region)
        return _own_key(call("DescribeSecret", f"secret {arn}", expects="ARN", SecretId=arn).get("KmsKeyId"))

    def log_group(self, name: str, region: str) -> None:
        resource = f"log group {name}"
        answer = self._call("logs", region)(
            "DescribeLogGroups", resource, expects="logGroups", logGroupNamePrefix=name, limit=1
        )
        if not any(one.get("logGroupName") == name for one in answer["logGroups"]):
            raise NotFound("logs:DescribeLogGroups", resource, "ResourceNotFoundException", "there is no such group")


def _own_key(*keys: str | None) -> str:
    """AWS's own keys are open to who may use the service (AWS KMS developer guide, "AWS managed keys")."""
    return next((key for key in keys if key and "alias/aws/" not in key), "")
