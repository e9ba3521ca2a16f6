"""The reader takes what the engine takes, and stops where the engine stops."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from controller.fluentbit.classic import ClassicError, Place, SourceFile
from controller.fluentbit.reader import read_classic

END = "[INPUT]\n    Name dummy\n[OUTPUT]\n    Name null\n    Match *\n"
TEXTS = {
    "plain": END,
    "crlf": END.replace("\n", "\r\n"),
    "tabs": END.replace("    ", "\t"),
    "one space": END.replace("    ", " "),
    "comments": "# a\n" + END.replace("    Match", "# b\n    # c\n    Match"),
    "blank line of the indent": END.replace("    Match", "    \n    Match"),
    "blank line of another indent": END.replace("    Match", "  \n    Match"),
    "comment of another indent": END.replace("    Match", "  # c\n    Match"),
    "a blank line sets the indent": "  \n" + END,
    "mixed indents": END.replace("    Match", "\tMatch"),
    "deeper": END.replace("    Match", "      Match"),
    "no indent": END.replace("    Match", "Match"),
    "a tab after the name": END.replace("Match *", "Match\t*"),
    "no value": END.replace("Match *", "Match"),
    "text after the header": END.replace("[OUTPUT]", "[OUTPUT] x"),
    "no end of the header": END.replace("[OUTPUT]", "[OUTPUT"),
    "set": "@SET a=null\n" + END.replace("Name null", "Name ${a}"),
    "set without a value": "@SET\n" + END,
    "include": "@INCLUDE more.conf\n" + END,
    "include in small letters": "@include more.conf\n" + END,
    "included twice": "@INCLUDE more.conf\n@INCLUDE more.conf\n" + END,
    "included by itself": "@INCLUDE main.conf\n" + END,
    "missing include": "@INCLUDE none.conf\n" + END,
    "glob": "@INCLUDE mor*.conf\n" + END,
    "an option before any section": "    Name x\n" + END,
}


def takes(folder: Path) -> bool:
    def include(path: str, place: Place) -> tuple[SourceFile, ...]:
        found = sorted(folder.glob(path))
        if not found:
            raise ClassicError(place.line, "nothing is there", place.file)
        return tuple(SourceFile(one.name, one.read_bytes()) for one in found)

    try:
        read_classic(SourceFile("main.conf", (folder / "main.conf").read_bytes()), include)
    except ClassicError:
        return False
    return True


@pytest.mark.parametrize("name", TEXTS)
def test_the_reader_and_the_engine_agree(name: str, fluent_bit: str, tmp_path: Path) -> None:
    (tmp_path / "main.conf").write_bytes(TEXTS[name].encode())
    (tmp_path / "more.conf").write_text("[FILTER]\n  Name stdout\n  Match x\n")
    command = [fluent_bit, "--dry-run", "-c", str(tmp_path / "main.conf")]
    engine = subprocess.run(command, capture_output=True, check=False, timeout=30, cwd=tmp_path)
    assert takes(tmp_path) == (engine.returncode == 0), engine.stderr.decode(errors="replace")
