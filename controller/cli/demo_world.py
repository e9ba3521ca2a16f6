"""What the demo plays on: a sandbox with a service, a git repository, and a controller process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any, Self

from controller.cli.failures import CommandError
from controller.sandbox import RealClock, Sandbox

REGION = "ap-northeast-1"
CLUSTER, SERVICE, FAMILY = "example-poc-app", "example", "example"
STORE, PREFIX = "logroute-demo-configs", "logroute"
NEW_IMAGE = "httpd:2.4.65"
SPEED = 12.0
"""How many times as fast as real time rollouts go."""
GIT = ("git", "-c", "user.name=demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false")
STOP_SECONDS = 15


class DemoWorld:
    """Needs the sandbox extra and git. ImportError, CommandError where they are missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.repository = folder / "specs.git"
        self._log = folder / "controller.log"
        self._sandbox = Sandbox(clock=RealClock(SPEED), region=REGION)
        self._controller: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._sandbox.start()
        self._ecs = self._sandbox.client("ecs")
        self._s3 = self._sandbox.client("s3")
        self._make_aws()
        self._make_repository()
        self._settings = self._folder / "settings.yaml"
        self._settings.write_text(
            f"source: git+file://{self.repository}@main\nconfigStore: s3://{STORE}/{PREFIX}\nregion: {REGION}\n"
            "listen: 127.0.0.1:0\npoll: 1s\nresync: 2s\n"
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._controller and self._controller.poll() is None:
            self._controller.send_signal(signal.SIGTERM)
            try:
                self._controller.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._controller.kill()
        self._sandbox.stop()

    def environment(self) -> dict[str, str]:
        """What another shell needs to look at it with `logroute` and the aws command line."""
        ours = {
            "LOGROUTE_SOURCE": f"git+file://{self.repository}@main",
            "LOGROUTE_CONFIG_STORE": f"s3://{STORE}/{PREFIX}",
        }
        return {**self._sandbox.environment(), "AWS_REGION": REGION, **ours}

    # What a person would do

    def logroute(self, *arguments: str) -> int:
        """Run a command, its output to the person."""
        command = [*_LOGROUTE, *arguments, "--config", str(self._settings)]
        return subprocess.run(command, env=self._env(), check=False).returncode  # noqa: S603 - our own program

    def start_controller(self) -> None:
        with self._log.open("wb") as log:
            command = [*_LOGROUTE, "run", "--config", str(self._settings)]
            self._controller = subprocess.Popen(command, env=self._env(), stdout=log, stderr=log)  # noqa: S603

    def delete(self, key: str) -> None:
        self._s3.delete_object(Bucket=STORE, Key=key)

    def deploy_from_ci(self) -> None:
        """Register from a file, as CI does, and point the service at it."""
        body = _definition()
        body["containerDefinitions"][0]["image"] = NEW_IMAGE
        arn = self._ecs.register_task_definition(**body)["taskDefinition"]["taskDefinitionArn"]
        self._ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=arn)

    def delete_route(self) -> None:
        self._git("rm", "-q", "httpd.yaml")
        self._git("commit", "-q", "-m", "httpd logs itself again")

    # What there is

    def service(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
        return found

    def revision(self) -> str:
        return str(self.service()["taskDefinition"].rsplit("/", 1)[-1])

    def steady(self) -> bool:
        deployments = self.service()["deployments"]
        return len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"

    def rollout(self) -> str:
        """The deployments of the service in a line."""
        parts = []
        for one in self.service()["deployments"]:
            revision, tasks = one["taskDefinition"].rsplit("/", 1)[-1], f"{one['runningCount']}/{one['desiredCount']}"
            parts.append(f"{revision} {one['status']} {one['rolloutState']} {tasks} tasks")
        return ", ".join(parts)

    def containers(self) -> list[dict[str, Any]]:
        answer = self._ecs.describe_task_definition(taskDefinition=self.service()["taskDefinition"])
        found: list[dict[str, Any]] = answer["taskDefinition"]["containerDefinitions"]
        return found

    def image(self) -> str:
        return str(next(one["image"] for one in self.containers() if one["name"] != "log_router"))

    def revisions(self) -> list[dict[str, Any]]:
        return self._sandbox.revisions(FAMILY)

    def config_keys(self) -> list[str]:
        answer = self._s3.list_objects_v2(Bucket=STORE, Prefix=f"{PREFIX}/")
        keys = [row["Key"] for row in answer.get("Contents", ())]
        return [key for key in keys if not key.startswith(f"{PREFIX}/_state/")]

    def object(self, key: str) -> str:
        return str(self._s3.get_object(Bucket=STORE, Key=key)["Body"].read().decode())

    def head(self) -> str:
        return self._git("rev-parse", "HEAD")

    def spec_files(self) -> list[str]:
        return self._git("ls-files").splitlines()

    def controller_log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else "(not started)"

    def check_controller(self) -> None:
        if self._controller and self._controller.poll() is not None:
            raise CommandError(f"the controller ended with {self._controller.returncode}:\n{self.controller_log()}")

    # Set-up

    def _make_aws(self) -> None:
        self._ecs.create_cluster(clusterName=CLUSTER)
        for bucket in (STORE, "example-poc-ecs-logs"):
            self._s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        arn = self._ecs.register_task_definition(**_definition())["taskDefinition"]["taskDefinitionArn"]
        network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"], "securityGroups": ["sg-0a"]}}
        self._ecs.create_service(
            cluster=CLUSTER,
            serviceName=SERVICE,
            taskDefinition=arn,
            desiredCount=2,
            launchType="FARGATE",
            networkConfiguration=network,
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        )

    def _make_repository(self) -> None:
        self.repository.mkdir()
        self._git("init", "-q", "-b", "main")
        for name in ("httpd.yaml", "class.yaml"):
            (self.repository / name).write_text(_data(name))
        self._git("add", ".")
        self._git("commit", "-q", "-m", "Send httpd's logs to CloudWatch Logs and S3")

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - git, with arguments of ours
                [*GIT, *arguments], cwd=self.repository, env=self._env(), check=True, capture_output=True, text=True
            )
        except FileNotFoundError as error:
            raise CommandError("the demo needs the git program on PATH") from error
        except subprocess.CalledProcessError as error:
            raise CommandError(f"git {arguments[0]} failed: {error.stderr}") from error
        return done.stdout.strip()

    def _env(self) -> dict[str, str]:
        return {**os.environ, **self._sandbox.environment(), "PYTHONUNBUFFERED": "1"}


_LOGROUTE = (sys.executable, "-m", "controller")


def _data(name: str) -> str:
    return (resources.files("controller.cli") / "demo_data" / name).read_text()


def _definition() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_data("task-definition.json"))
    return found
