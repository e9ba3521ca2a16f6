"""One SQS queue through botocore, as ports.EventQueue."""

from __future__ import annotations

from collections.abc import Iterable

from controller.aws.calls import Caller
from controller.aws.ports import Message

AT_ONCE = 10
"""Most messages in a request (Amazon SQS API reference)."""


class SqsQueue:
    def __init__(self, call: Caller, url: str) -> None:
        self._call, self.url = call, url

    def receive(self, wait_seconds: int) -> list[Message]:
        answer = self._call(
            "ReceiveMessage",
            f"queue {self.url}",
            expects="",  # of an empty queue SQS says nothing
            QueueUrl=self.url,
            MaxNumberOfMessages=AT_ONCE,
            WaitTimeSeconds=wait_seconds,
        )
        return [Message(row["ReceiptHandle"], row["Body"]) for row in answer.get("Messages", ())]

    def delete(self, messages: Iterable[Message]) -> None:
        """Those that cannot be deleted come again, and do no harm."""
        rows = [{"Id": str(number), "ReceiptHandle": one.receipt} for number, one in enumerate(messages)]
        if rows:
            self._call("DeleteMessageBatch", f"queue {self.url}", expects="", QueueUrl=self.url, Entries=rows)
