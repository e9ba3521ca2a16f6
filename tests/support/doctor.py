"""`logroute doctor` on a playground whose config store is as it should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from controller.cli.main import main
from tests.support.playground import REGION, STORE, Playground

Findings = list[dict[str, str]]
Doctor = Callable[..., Findings]
TLS_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": f"arn:aws:s3:::{STORE}",  # moto reads no conditions: of objects it would deny everything
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
}
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
UNPROVED = {"write-permissions"}
"""No emulator answers SimulatePrincipalPolicy."""


def secure(s3: Any, bucket: str = STORE) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(BLOCKS, True))
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(TLS_ONLY).replace(f":::{STORE}", f":::{bucket}"))


def settings_of(play: Playground, **more: Any) -> dict[str, Any]:
    store = str(play.settings.config_store)
    plain = {"source": str(play.specs), "configStore": store, "region": REGION, "listen": "127.0.0.1:0"}
    return {**plain, **more}


def doctor(
    play: Playground, capsys: pytest.CaptureFixture[str], tmp_path: Path, *options: str, **more: Any
) -> Findings:
    """Its findings; that its exit status fits them is looked at too."""
    config = tmp_path / "settings.yaml"
    config.write_bytes(orjson.dumps(settings_of(play, **more)))
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--config", str(config), "--format", "json", *options])
    shown: Findings = json.loads(capsys.readouterr().out)["findings"]
    assert ended.value.code == int(any(one["verdict"] == "fail" for one in shown))
    return shown


def troubles(found: Findings) -> dict[str, str]:
    """Check → verdict of what is not well."""
    return {one["check"]: one["verdict"] for one in found if one["verdict"] != "pass" and one["check"] not in UNPROVED}
