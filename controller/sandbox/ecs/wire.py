"""Requests checked against botocore's own model of the service, as strictly as the service would."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from controller.sandbox.errors import (
    ClientError,
    InvalidActionError,
    InvalidParameterError,
    SerializationError,
)
from controller.sandbox.model import Json

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape

TARGET_PREFIX = "AmazonEC2ContainerServiceV20141113."
CONTENT_TYPE = "application/x-amz-json-1.1"


@cache
def service_model(service: str = "ecs") -> ServiceModel:
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


def read(body: bytes) -> Json:
    try:
        request = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise SerializationError(f"The body is no JSON: {error}") from error
    if not isinstance(request, dict):
        raise SerializationError("The body is no JSON object.")
    cleaned: Json = _without_nulls(request)
    return cleaned


def _without_nulls(value: Any) -> Any:
    """JSON null means "not given" in AWS's JSON protocols."""
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(member) for member in value if member is not None]
    return value


def check(operation: str, request: Json) -> None:
    """Raise ClientError or InvalidParameterError where a member is missing, unknown or of the wrong type.

    A registration's faults are a ClientException, those of other requests an InvalidParameterException.
    """
    if found := problems("ecs", operation, request):
        kind = ClientError if operation == "RegisterTaskDefinition" else InvalidParameterError
        raise kind("; ".join(found))


def problems(service: str, operation: str, request: Json) -> list[str]:
    """Members that are missing, unknown or of the wrong type. Raises InvalidActionError for unknown operations."""
    shape = _input_shape(service, operation)
    if shape is None:
        return []
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(request, shape)
    return report.generate_report().splitlines() if report.has_errors() else list(_unlisted(request, shape, ""))


def _input_shape(service: str, operation: str) -> Shape | None:
    model = service_model(service)
    if operation not in model.operation_names:
        raise InvalidActionError(f"The action {operation} is not valid for this endpoint.")
    return model.operation_model(operation).input_shape


def _unlisted(value: Any, shape: Any, name: str) -> Iterator[str]:
    """What botocore's validator lets through: values outside an enum, and booleans where a number belongs."""
    if shape.type_name == "structure" and not shape.is_document_type:
        for key, member in value.items():
            yield from _unlisted(member, shape.members[key], f"{name}.{key}")
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield from _unlisted(member, shape.member, f"{name}[{index}]")
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from _unlisted(member, shape.value, f"{name}.{key}")
    elif shape.type_name in {"integer", "long"} and isinstance(value, bool):
        yield f"Invalid type for parameter {name.lstrip('.')}: a boolean is no number"
    elif (enum := getattr(shape, "enum", None)) and value not in enum:
        yield f"Invalid value '{value}' for parameter {name.lstrip('.')}, must be one of: {', '.join(enum)}"
