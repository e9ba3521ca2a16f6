"""moto: every service but ECS, and what the simulated ECS asks of them. Nothing else imports moto.

moto keeps its state in globals of the process, so that all sandboxes of a process share it; the last one that
started has emptied it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from controller.sandbox.arns import partition_of
from controller.sandbox.outside import ACCOUNT, Principal

if TYPE_CHECKING:
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

    def principal(self, access_key: str, region: str) -> Principal:
        from moto.iam.models import get_account_id_from
        from moto.sts.models import sts_backends

        account = get_account_id_from(access_key) or ACCOUNT
        backend = sts_backends[account][partition_of(region)]
        _, arn, owner = backend.get_caller_identity(access_key, region)
        return Principal(arn, owner)
