"""Prepare a release: check the checkout, build wheels and sdists in dist/, and tag the commit. Nothing is pushed.

Called as ``make release VERSION=1.2.3``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACEHOLDER = "ADDRESS-OF-THIS-REPOSITORY"
VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")


class NotReadyError(Exception):
    """Something is to be done before the release."""


def git(*words: str, root: Path) -> str:
    """Return the output of a git command."""
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def projects(root: Path) -> list[Path]:
    """Return the folders of the package and of its plugins."""
    return [root, *sorted(path.parent for path in root.glob("plugins/*/pyproject.toml"))]


def address(root: Path) -> str:
    """Return the address of the repository, as pyproject.toml states it."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Source"])


def check(version: str, root: Path) -> None:
    """Check that this version can be released from the checkout as it is.

    Raises
    ------
    NotReadyError
        With the one thing that is to be done first.
    """
    if not VERSION.fullmatch(version):
        raise NotReadyError(f"A version looks like 1.2.3 or 1.2.3rc1, but {version!r} was given.")
    if changed := git("status", "--porcelain", root=root):
        raise NotReadyError(f"Commit or remove what has changed since the last commit:\n{changed}")
    if git("tag", "--list", f"v{version}", root=root):
        raise NotReadyError(f"The tag v{version} exists already. Choose another version.")
    if PLACEHOLDER in address(root):
        raise NotReadyError(
            f"pyproject.toml gives {address(root)} as the address of the repository. Put the real one there, and in "
            "README.md, CITATION.cff and recipe/meta.yaml."
        )
    released, unreleased = (section(name, root) for name in (version, "Unreleased"))
    if not released:
        raise NotReadyError(f'CHANGELOG.md lists no changes under "## {version}". Move those of "## Unreleased" there.')
    if unreleased:
        raise NotReadyError('CHANGELOG.md still lists changes under "## Unreleased". Move them to the new version.')


def section(name: str, root: Path) -> str:
    """Return the text of a section of the changelog; empty if it is missing."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        # After the version the heading may give the date.
        heading, _, changes = part.partition("\n")
        if heading.split()[0] == name:
            return changes.strip()
    return ""


def build(out: Path, root: Path, version: str | None = None) -> list[Path]:
    """Build a wheel and an sdist of every project, and return their paths.

    Parameters
    ----------
    out : Path
        Folder of the files.
    root : Path
        The checkout.
    version : str, optional
        By default, as the tags in git say.
    """
    environment = dict(os.environ)
    if version is not None:
        environment["SETUPTOOLS_SCM_PRETEND_VERSION"] = version
    before = set(out.glob("*"))
    for project in projects(root):
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
        subprocess.run(command, cwd=project, env=environment, check=True, stdout=subprocess.DEVNULL)
    return sorted(set(out.glob("*")) - before)


def main(version: str) -> None:
    """Check, build and tag."""
    try:
        check(version, ROOT)
    except NotReadyError as error:
        sys.exit(f"error: {error}")
    files = build(ROOT / "dist", ROOT, version)
    git("tag", "-a", f"v{version}", "-m", f"matvae {version}", root=ROOT)
    print(*[path.relative_to(ROOT) for path in files], sep="\n")
    print(f"\nTagged v{version}. To publish:\n  git push origin v{version}\n  twine upload dist/*-{version}*")


if __name__ == "__main__":
    main(sys.argv[1])
