"""Prepare a release: check the checkout, build wheels and sdists in dist/VERSION/, and tag the commit.

Called as ``make release VERSION=1.2.3``. Nothing is pushed. A version that is refused, or does not build,
is not tagged, and leaves no files.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
PLACEHOLDER = "ADDRESS-OF-THIS-REPOSITORY"
BRANCH = "main"
NUMBER = r"(0|[1-9][0-9]*)"
VERSION = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}((a|b|rc){NUMBER})?")


class NotReadyError(Exception):
    """Something is to be done before the release."""


def command(*words: str, root: Path, env: dict[str, str] | None = None) -> str:
    """Return the output of a command.

    Raises
    ------
    NotReadyError
        With what the command says, if it fails or does not exist.
    """
    try:
        done = subprocess.run(words, cwd=root, env=env, capture_output=True, text=True)
    except FileNotFoundError:
        raise NotReadyError(f"{words[0]} is not installed. Install it, and try again.") from None
    if done.returncode:
        raise NotReadyError(f"`{' '.join(words)}` in {root} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout.rstrip()


def git(*words: str, root: Path) -> str:
    """Return the output of a git command; `NotReadyError` if it fails."""
    return command("git", *words, root=root)


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
    branch = git("branch", "--show-current", root=root)
    if branch != BRANCH:
        raise NotReadyError(
            f"Releases are made from the branch {BRANCH}, but {branch or 'no branch'} is checked out. Run `git switch "
            f"{BRANCH}`."
        )
    if changed := git("status", "--porcelain", root=root):
        raise NotReadyError(f"Commit or remove what has changed since the last commit:\n{changed}")
    if git("tag", "--list", f"v{version}", root=root):
        raise NotReadyError(f"The tag v{version} exists already. Choose another version.")
    if PLACEHOLDER in address(root):
        raise NotReadyError(
            f"pyproject.toml gives {address(root)} as the address of the repository. State the real one "
            "with `make address URL=https://...`, and commit."
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
        if heading.split()[:1] == [name]:
            return changes.strip()
    return ""


def build(out: Path, root: Path, version: str | None = None) -> list[Path]:
    """Build a wheel and an sdist of every project into an empty folder, and return their paths.

    Parameters
    ----------
    out : Path
        Folder of the files.
    root : Path
        The checkout.
    version : str, optional
        By default, as the tags in git say.

    Raises
    ------
    NotReadyError
        If a project does not build.
    """
    environment = dict(os.environ)
    if version is not None:
        environment["SETUPTOOLS_SCM_PRETEND_VERSION"] = version
    for project in projects(root):
        command(sys.executable, "-m", "hatchling", "build", "-d", str(out), root=project, env=environment)
    return sorted(out.iterdir())


def release(version: str, root: Path) -> list[Path]:
    """Check, build and tag, and return the files in dist/VERSION/.

    Raises
    ------
    NotReadyError
        As in `check` and `build`, or if git cannot tag. Neither files nor a tag of this version remain then.
    """
    check(version, root)
    out = root / "dist" / version
    out.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".unfinished-", dir=out.parent) as scratch:
        complete = Path(scratch, version)
        build(complete, root, version)
        git("tag", "-a", f"v{version}", "-m", f"matvae {version}", root=root)
        if out.exists():
            # Of a tag that was removed since.
            shutil.rmtree(out)
        complete.rename(out)
    return sorted(out.iterdir())


def main(version: str) -> None:
    """Make a release, and print what to do next."""
    try:
        files = release(version, ROOT)
    except NotReadyError as error:
        sys.exit(f"error: {error}")
    print(f"Tagged v{version}, and built:", *[path.relative_to(ROOT) for path in files], sep="\n  ")
    print(
        f"""
Nothing has been published. Once `make test` and `make wheels` have passed for this commit:
  git push --atomic origin {BRANCH} v{version}
  twine upload dist/{version}/*
  MATVAE_VERSION={version} rattler-build build --recipe recipe/recipe.yaml --channel conda-forge
To take it back instead:
  git tag --delete v{version} && rm -r dist/{version}"""
    )


if __name__ == "__main__":
    main(sys.argv[1])
