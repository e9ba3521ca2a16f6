"""The GitHub Action and the pre-commit hook: linted, and their steps really executed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.playground import route_yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "logroute"
BIN = Path(sys.executable).parent
WORKFLOW = re.search(
    r"```yaml\n# \.github/workflows/log-routes\.yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(), re.DOTALL
)


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(words, env={**plain, **environment}, capture_output=True, text=True, check=False)


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """The example of docs/ci.md, as a file of a repository."""
    assert WORKFLOW
    path = tmp_path / ".github" / "workflows" / "log-routes.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(WORKFLOW[1])
    return path


def test_action_and_workflow_are_as_github_s_schemas_have_them(workflow: Path) -> None:
    for schema, path in (("github-actions", ACTION / "action.yml"), ("github-workflows", workflow)):
        found = run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", str(path))
        assert found.returncode == 0, found.stdout


def test_zizmor_finds_no_way_to_misuse_action_or_workflow(workflow: Path) -> None:
    found = run("zizmor", "--offline", "--no-progress", "--format=plain", str(ACTION / "action.yml"), str(workflow))
    assert found.returncode == 0, found.stdout + found.stderr


def test_shellcheck_finds_nothing() -> None:
    found = run("shellcheck", *map(str, sorted(ACTION.glob("*.sh"))))
    assert found.returncode == 0, found.stdout


def test_no_input_stands_in_a_script() -> None:
    """It comes by the environment, so that it can never be a command."""
    for step in yaml.safe_load((ACTION / "action.yml").read_text())["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_pre_commit_takes_the_manifest() -> None:
    found = run("pre-commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"))
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(("text", "status"), [(route_yaml(), 0), ("a: [\n", 1)])
def test_the_hook_does_what_it_says(tmp_path: Path, text: str, status: int) -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "route.yaml").write_text(text)
    words: list[str] = [*hook["entry"].split(), *hook["args"]]
    assert words[0] == "logroute"
    command = [sys.executable, "-m", "controller", *words[1:]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode == status
    assert re.match(hook["files"], "specs/route.yaml")


class GitHub:
    """Its comments API on loopback. `refuses`: an HTTP status for all that is asked. `person`: whose the token is; a
    job's own token writes as a bot, and gets 403 for asking who it is.
    """

    def __init__(self) -> None:
        self.person = ""
        self.comments: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.refuses = 0
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/user":
                    return self._answer({"login": github.person}, status=200 if github.person else 403)
                start = 100 if "page=2" in self.path else 0
                rows = github.comments[start : start + 100]
                more = len(github.comments) > start + 100
                link = f'<{github.url}{self.path}&page=2>; rel="next"' if more else ""
                return self._answer(rows, link)

            def do_POST(self) -> None:
                bot = {"type": "Bot", "login": "github-actions[bot]"}
                author = {"type": "User", "login": github.person} if github.person else bot
                github.comments.append({"id": len(github.comments) + 1, "user": author, **self._body()})
                self._answer({})

            def do_PATCH(self) -> None:
                number = int(self.path.rsplit("/", 1)[1])
                github.comments[number - 1] |= self._body()
                self._answer({})

            def _body(self) -> dict[str, Any]:
                found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                return found

            def _answer(self, plain: Any, link: str = "", status: int = 200) -> None:
                github.asked.append((self.command, self.path))
                allowed = self.headers["Authorization"] == "Bearer t0ken" and not github.refuses
                self.send_response(status if allowed else github.refuses or 401)
                self.send_header("Link", link)
                self.end_headers()
                self.wfile.write(json.dumps(plain).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def github() -> Iterator[GitHub]:
    found = GitHub()
    yield found
    found.close()


class Job:
    def __init__(self, folder: Path, github: GitHub) -> None:
        self.folder, self.github = folder, github
        (folder / "event.json").write_text('{"pull_request": {"number": 7}}')
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "python").symlink_to(sys.executable)
        self.says("", 0)

    def says(self, text: str, status: int) -> None:
        """What `logroute plan` prints and how it ends."""
        (self.folder / "said").write_text(text)
        script = f'#!/bin/sh\necho "$@" > "{self.folder}/asked"\ncat "{self.folder}/said"\nexit {status}\n'
        (self.bin / "logroute").write_text(script)
        (self.bin / "logroute").chmod(0o755)

    def plan(self, token: str = "t0ken", **more: str) -> subprocess.CompletedProcess[str]:  # noqa: S107 - no secret
        environment = {
            "RUNNER_TEMP": str(self.folder),
            "LOGROUTE_BIN": str(self.bin),
            "SPECS": "specs",
            "CONFIG": "",
            "GITHUB_TOKEN": token,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_REPOSITORY": "example/specs",
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
        }
        return run("bash", str(ACTION / "plan.sh"), **{**environment, **more})


@pytest.fixture
def job(tmp_path: Path, github: GitHub) -> Job:
    return Job(tmp_path, github)


def test_a_plan_becomes_one_comment_that_the_next_push_writes_over(job: Job) -> None:
    job.says("## 2 changes\n", 2)
    assert job.plan().returncode == 0
    job.says("## no changes\n", 0)
    assert job.plan().returncode == 0
    [comment] = job.github.comments
    assert comment["body"] == "<!-- logroute plan -->\n## no changes\n"
    assert (job.folder / "output").read_text() == "changes=true\nchanges=false\n"
    assert (job.folder / "summary").read_text() == "## 2 changes\n## no changes\n"


def test_its_own_comment_is_found_among_many_and_nobody_else_s_is_touched(job: Job) -> None:
    people = {"user": {"type": "User", "login": "mallory"}}
    job.github.comments = [{"id": number, "body": "hello", **people} for number in range(1, 120)]
    job.github.comments[3]["body"] = "<!-- logroute plan -->\na copy by a person"
    job.says("one\n", 2)
    job.plan()
    job.says("two\n", 2)
    job.plan()
    assert len(job.github.comments) == 120
    assert job.github.comments[-1]["body"].endswith("two\n")
    assert job.github.comments[3]["body"].endswith("a copy by a person")


def test_with_a_person_s_token_too_there_is_one_comment(job: Job) -> None:
    job.github.comments = [{"id": 1, "body": "<!-- logroute plan -->", "user": {"type": "User", "login": "mallory"}}]
    job.github.person = "alice"
    for text in ("one\n", "two\n"):
        job.says(text, 2)
        assert job.plan().returncode == 0
    assert [one["body"] for one in job.github.comments] == ["<!-- logroute plan -->", "<!-- logroute plan -->\ntwo\n"]


@pytest.mark.parametrize(("refuses", "said"), [(403, "fork"), (500, "HTTP 500")])
def test_a_comment_that_github_refuses_is_a_warning_and_the_plan_stands(job: Job, refuses: int, said: str) -> None:
    job.says("## 2 changes\n", 2)
    job.github.refuses = refuses
    ended = job.plan()
    assert ended.returncode == 0
    assert "::warning::the plan could not be commented" in ended.stdout
    assert said in ended.stdout
    assert "t0ken" not in ended.stdout + ended.stderr


def test_a_plan_that_fails_fails_the_job_and_comments_nothing(job: Job) -> None:
    job.says("", 1)
    ended = job.plan()
    assert ended.returncode == 1
    assert "::error::" in ended.stdout
    assert job.github.asked == []


def test_without_a_pull_request_there_is_nothing_to_comment_on(job: Job) -> None:
    (job.folder / "event.json").write_text("{}")
    ended = job.plan()
    assert (ended.returncode, job.github.asked) == (0, [])


def test_a_name_with_spaces_and_commands_in_it_is_one_argument(job: Job) -> None:
    job.plan(SPECS="my specs; touch x $(touch y)", CONFIG="a b.yaml")
    assert (job.folder / "asked").read_text() == (
        "plan --source my specs; touch x $(touch y) --format markdown --config a b.yaml\n"
    )


def validate(folder: Path, specs: str) -> subprocess.CompletedProcess[str]:
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    (programs / "logroute").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m controller "$@"\n')
    (programs / "logroute").chmod(0o755)
    places = {"SPECS": specs, "RUNNER_TEMP": str(folder), "LOGROUTE_BIN": str(programs)}
    return run("bash", str(ACTION / "validate.sh"), PYTHONPATH=str(ROOT), **places)


def test_problems_become_annotations_at_their_lines(tmp_path: Path) -> None:
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "route.yaml").write_text(route_yaml(outputs="[{name: s4, bucket: x}]"))
    ended = validate(tmp_path, str(specs))
    assert ended.returncode == 1
    [line] = [one for one in ended.stdout.splitlines() if one.startswith("::error")]
    assert re.match(r"::error file=\S*route\.yaml,line=\d+,col=\d+,title=[A-Z_]+::", line)
    assert '"s4"%0Aknown: ' in line


def test_a_folder_that_is_not_there_is_said_without_a_traceback(tmp_path: Path) -> None:
    ended = validate(tmp_path, "nowhere")
    assert ended.returncode == 1
    assert ended.stdout == "::error::logroute validate could not begin; see above\n"
    assert ended.stderr == "error: there is no file or folder nowhere\n"


def test_nothing_in_a_problem_can_be_a_command() -> None:
    evil = {"file": "a,line=1::b\n::set-output", "line": 1, "column": 2, "code": "X", "severity": "warning"}
    problems = {"problems": [{**evil, "message": "100%\n::error::no", "hint": ""}]}
    ended = subprocess.run(
        [sys.executable, str(ACTION / "annotate.py")],
        input=json.dumps(problems),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.splitlines() == [
        "::warning file=a%2Cline=1%3A%3Ab%0A%3A%3Aset-output,line=1,col=2,title=X::100%25%0A::error::no"
    ]
