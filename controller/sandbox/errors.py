"""The errors that the simulated ECS answers with; CodeDeploy's are in `codedeploy.errors`.

EcsError                          HTTP 400, `__type` is the class's `code`
├── ClientError                   ClientException: a bad task definition, or one that is missing
├── InvalidParameterError         InvalidParameterException
├── ClusterNotFoundError, ServiceNotFoundError, ServiceNotActiveError, ResourceNotFoundError
├── ServiceDeploymentNotFoundError, TaskSetNotFoundError, ConflictError
├── ClusterContainsServicesError, ClusterContainsTasksError
├── SerializationError            the body is no JSON object
├── MissingAuthenticationError    the request is not signed
├── ThrottlingError               ThrottlingException
└── InvalidActionError            an operation that the sandbox does not have
"""

from __future__ import annotations


class EcsError(Exception):
    """An answer with HTTP status 400; `code` is what boto3 shows in `response["Error"]["Code"]`."""

    code: str = "ServerException"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ClientError(EcsError):
    code = "ClientException"


class InvalidParameterError(EcsError):
    code = "InvalidParameterException"


class ClusterNotFoundError(EcsError):
    code = "ClusterNotFoundException"


class ServiceNotFoundError(EcsError):
    code = "ServiceNotFoundException"


class ServiceNotActiveError(EcsError):
    code = "ServiceNotActiveException"


class ResourceNotFoundError(EcsError):
    code = "ResourceNotFoundException"


class ServiceDeploymentNotFoundError(EcsError):
    code = "ServiceDeploymentNotFoundException"


class TaskSetNotFoundError(EcsError):
    code = "TaskSetNotFoundException"


class ConflictError(EcsError):
    code = "ConflictException"


class ClusterContainsServicesError(EcsError):
    code = "ClusterContainsServicesException"


class ClusterContainsTasksError(EcsError):
    code = "ClusterContainsTasksException"


class SerializationError(EcsError):
    code = "SerializationException"


class MissingAuthenticationError(EcsError):
    code = "MissingAuthenticationTokenException"


class ThrottlingError(EcsError):
    code = "ThrottlingException"


class InvalidActionError(EcsError):
    code = "InvalidAction"
