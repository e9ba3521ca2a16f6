"""A route's secrets become environment of the router: none may have a name that steers what the router runs."""

from __future__ import annotations

import pytest

from controller.specs.load import Loader

ROUTE = """\
apiVersion: logroute.dev/v1alpha1
kind: LogRoute
metadata: {{name: a}}
spec:
  target: {{cluster: c, services: [s]}}
  pipeline: {{outputs: [{{name: stdout}}]}}
  secrets:
    {name}: arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:x-Ab12Cd
"""
CLASS = """\
apiVersion: logroute.dev/v1alpha1
kind: LogRouterClass
metadata: {{name: default}}
spec:
  image: public.ecr.aws/aws-observability/aws-for-fluent-bit:init-3.4.15
  container:
    secrets: [{{name: {name}, valueFrom: "arn:aws:ssm:ap-northeast-1:123456789012:parameter/x"}}]
"""


def problems(text: str) -> list[tuple[str, int]]:
    loaded = Loader().load_files("r", {"a.yaml": text.encode()})
    return [(problem.code, problem.line) for problem in loaded.problems]


@pytest.mark.parametrize(
    "name",
    ["aws_fluent_bit_init_s3_9", "AWS_FLUENT_BIT_INIT_S3_9", "x_aws_fluent_bit_init_file", "ECS_CONTAINER_METADATA_URI_V4",
     "AWS_CONTAINER_CREDENTIALS_FULL_URI", "BASH_ENV", "LD_PRELOAD", "PATH", "ENV"],
)  # fmt: skip
def test_a_secret_cannot_decide_what_the_router_runs(name: str) -> None:
    ((code, line),) = problems(ROUTE.format(name=name))
    assert (code, line) == ("INVALID_VALUE", 8)


@pytest.mark.parametrize("name", ["DD_API_KEY", "AWS_ACCESS_KEY_ID", "PATH_TO_X", "environment", "SPECS_KEY"])
def test_other_names_are_good(name: str) -> None:
    assert problems(ROUTE.format(name=name)) == []


def test_the_classs_own_secrets_name_no_configs() -> None:
    assert problems(CLASS.format(name="aws_fluent_bit_init_s3_9"))
    assert problems(CLASS.format(name="DD_API_KEY")) == []
