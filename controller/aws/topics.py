"""One SNS topic through botocore, as ports.Topic."""

from __future__ import annotations

from collections.abc import Mapping

from controller.aws.calls import Caller


class SnsTopic:
    def __init__(self, call: Caller, arn: str) -> None:
        self._call, self.arn = call, arn

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """Not repeated where nobody knows whether it went out: the sender tries again by itself."""
        self._call(
            "Publish",
            f"topic {self.arn}",
            expects="MessageId",
            repeatable=False,
            TopicArn=self.arn,
            Subject=subject,
            Message=message,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
