"""moto: every service but ECS, and what the simulated ECS asks of them. Nothing else imports moto.

moto keeps its state in globals of the process, so that all sandboxes of a process share it; the last one that
started has emptied it.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from controller.sandbox.arns import partition_of
from controller.sandbox.iam.gate import Caller
from controller.sandbox.outside import ACCOUNT, Principal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed.wsgi import WSGIApplication

INSTALL_HINT = "The sandbox needs moto: pip install 'logroute[sandbox]'"


def require_moto() -> None:
    """Raise ImportError, with what to do, where moto or its server part is not installed."""
    try:
        import moto.server  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ImportError(INSTALL_HINT) from error


@cache
def moto_application() -> WSGIApplication:
    """One for the process: the routes of each service are built once, on its first request."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    application: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    return application


def reset_moto() -> None:
    from moto.core.base_backend import BackendDict
    from moto.core.model_instances import reset_model_data

    BackendDict.reset()
    reset_model_data()


class MotoSide:
    """Answers the simulated ECS from moto's backends, without HTTP."""

    def object_exists(self, account: str, bucket: str, key: str) -> bool:
        from moto.s3.exceptions import S3ClientError
        from moto.s3.models import s3_backends

        try:
            return s3_backends[account]["aws"].head_object(bucket, key) is not None
        except S3ClientError:
            return False

    def object_body(self, account: str, bucket: str, key: str) -> bytes | None:
        from moto.s3.exceptions import S3ClientError
        from moto.s3.models import s3_backends

        try:
            found = s3_backends[account]["aws"].get_object(bucket, key)
        except S3ClientError:
            return None
        return bytes(found.value) if found is not None else None

    def credentials(self, role: str) -> tuple[str, str, str]:
        """Access key, secret and token of a session of that role, in the sandbox's own account."""
        from moto.sts.models import sts_backends

        assumed = sts_backends[ACCOUNT]["aws"].assume_role(
            region_name="us-east-1",
            role_session_name="sandbox",
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            policy="",
            duration=3600,
            external_id="",
        )
        return assumed.access_key_id, assumed.secret_access_key, assumed.session_token

    def principal(self, access_key: str, region: str) -> Principal:
        from moto.iam.models import get_account_id_from
        from moto.sts.models import sts_backends

        account = get_account_id_from(access_key) or ACCOUNT
        backend = sts_backends[account][partition_of(region)]
        _, arn, owner = backend.get_caller_identity(access_key, region)
        return Principal(arn, owner)

    # sandbox.iam.gate.Identities

    def caller(self, access_key: str) -> Caller:
        from moto.iam.models import get_account_id_from, iam_backends
        from moto.sts.models import sts_backends

        account = get_account_id_from(access_key) or ACCOUNT
        session: Any = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
        if session is None:
            return Caller(self.principal(access_key, "us-east-1").arn, "", None)
        owner = session.role_arn.split(":")[4]
        role: Any = next(
            (one for one in iam_backends[owner]["aws"].roles.values() if one.arn == session.role_arn), None
        )
        if role is None:
            return Caller(session.arn, session.role_arn, None)
        documents = [*role.policies.values(), *(_document(one) for one in role.managed_policies.values())]
        return Caller(session.arn, role.arn, tuple(json.loads(one) for one in documents))

    def trust_of(self, role: str) -> Mapping[str, Any] | None:
        from moto.iam.models import iam_backends

        roles: Any = iam_backends[role.split(":")[4]]["aws"].roles.values()
        return next((json.loads(one.assume_role_policy_document) for one in roles if one.arn == role), None)

    def object_is_there(self, account: str, path: str) -> bool:
        bucket, _, key = path.lstrip("/").partition("/")
        return self.object_exists(account, bucket, unquote(key))


def _document(policy: Any) -> str:
    """Of a managed policy: its default version's."""
    found: str = next(one.document for one in policy.versions if one.version_id == policy.default_version_id)
    return found
