"""Images that stand in for Amazon Linux and for AWS's Fluent Bit: made of this machine's own packages, nothing is pulled."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "bash",
    "coreutils",
    "git",
    "gpg",
    "openssh-client",
    "python3.11",
    "python3.11-venv",
    "base-passwd",
    "tzdata",
    "sed",
)
LEFT_OUT = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/")
DNF = """\
#!/bin/bash
# What dnf would install is here already.
set -e
while [ $# -gt 0 ]; do
  if [ "$1" = --installroot ] && [ "$command" = install ]; then
    cp -a /usr /bin /sbin /lib /lib64 /etc "$2"/
    mkdir -p "$2"/tmp "$2"/proc "$2"/dev "$2"/var/cache
  fi
  case "$1" in install|clean) command=$1;; esac
  shift
done
"""
FLUENT_BIT = "#!/bin/sh\necho Fluent Bit v5.0.9\n"


class Buildah:
    """With a storage of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._options = ["--storage-driver", "vfs", "--root", str(folder / "store"), "--runroot", str(folder / "run")]

    def __call__(self, *words: str) -> str:
        done = subprocess.run(["buildah", *self._options, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"buildah {' '.join(words)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()


def base(buildah: Buildah, folder: Path) -> str:
    """Debian in the place of Amazon Linux, with what `dnf` would install, and pip without a network."""
    root, wheels = folder / "root", folder / "wheels"
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    copied = "\n".join(sorted({file.lstrip("/") for file in _files()}))
    packed = str(folder / "root.tar")
    subprocess.run(["tar", "-C", "/", "--no-recursion", "-cf", packed, "-T", "-"], input=copied, text=True, check=True)
    subprocess.run(["tar", "-C", str(root), "--keep-directory-symlink", "-xf", packed], check=True)
    (root / "usr" / "bin" / "sh").unlink(missing_ok=True)
    (root / "usr" / "bin" / "sh").symlink_to("bash")
    (root / "usr" / "bin" / "dnf").write_text(DNF)
    (root / "usr" / "bin" / "dnf").chmod(0o755)
    (root / "tmp").mkdir(mode=0o1777, exist_ok=True)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (root / "etc" / "group").write_text("root:x:0:\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels), "--constraint", "constraints.txt"]
    backend = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    subprocess.run([*pip, ".", *backend], cwd=ROOT, check=True)
    return _committed(buildah, "base", {root: "/", wheels: "/wheels"}, PIP_NO_INDEX="1", PIP_FIND_LINKS="/wheels")


def fluent_bit(buildah: Buildah, folder: Path) -> str:
    """AWS's image has a root file system with `/fluent-bit` in it."""
    binary = folder / "engine" / "fluent-bit" / "bin" / "fluent-bit"
    binary.parent.mkdir(parents=True)
    if there := os.environ.get("FLUENT_BIT"):
        binary.write_bytes(Path(there).read_bytes())
    else:
        binary.write_text(FLUENT_BIT)
    binary.chmod(0o755)
    return _committed(buildah, "fluent-bit", {folder / "engine": "/"})


def _committed(buildah: Buildah, name: str, content: dict[Path, str], **environment: str) -> str:
    container = buildah("from", "scratch")
    for source, target in content.items():
        buildah("copy", "--quiet", container, str(source), target)
    for key, value in environment.items():
        buildah("config", "--env", f"{key}={value}", container)
    buildah("commit", "--quiet", "--rm", container, f"localhost/{name}")
    return f"localhost/{name}"


def _files() -> Iterator[str]:
    for package in _closure():
        listed = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            is_file = os.path.lexists(line) and (Path(line).is_symlink() or not Path(line).is_dir())
            if is_file and not line.startswith(LEFT_OUT):
                yield line


def _closure() -> set[str]:
    """`PACKAGES` and all that they depend on, as far as it is installed."""
    shown = "${Package}\t${db:Status-Status}\t${Provides}\t${Pre-Depends}, ${Depends}\n"
    told = subprocess.run(["dpkg-query", "-W", "-f", shown], capture_output=True, text=True, check=True).stdout
    depends: dict[str, str] = {}
    provided: dict[str, str] = {}
    for line in told.splitlines():
        package, status, provides, needs = line.split("\t")
        if status == "installed":
            depends[package] = needs
            provided |= dict.fromkeys(_names(provides), package)
    found: set[str] = set()
    wanted = list(PACKAGES)
    while wanted:
        name = wanted.pop()
        package = name if name in depends else provided.get(name, "")
        if package and package not in found:
            found.add(package)
            wanted += [one for group in depends[package].split(",") for one in _names(group)]
    return found


def _names(group: str) -> list[str]:
    return [re.split(r"[ :(]", one.strip(), maxsplit=1)[0] for one in re.split(r"[,|]", group) if one.strip()]
