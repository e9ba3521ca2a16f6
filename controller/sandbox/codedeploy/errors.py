"""CodeDeploy's errors: it has some hundred codes, told apart by name alone."""

from __future__ import annotations

from controller.sandbox.errors import EcsError


class CodeDeployError(EcsError):
    """An answer with HTTP status 400 whose `code` is one of those that the operation's reference lists."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
