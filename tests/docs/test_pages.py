"""The documentation as a whole: builds without warnings, valid links and a complete reference."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

import matvae
from matvae.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\[[^\]]*\]\((?!https?://)(?P<target>[^)#]+)(?P<anchor>#[^)]*)?\)")


def commands(command: Any, name: str = "matvae") -> Iterator[tuple[str, Any]]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield name, command
    for word, subcommand in (subcommands or {}).items():
        yield from commands(subcommand, f"{name} {word}")


# Subpackages whose public names are those in `__all__`.
PACKAGES = (
    "data",
    "data.datasets",
    "estimator",
    "evaluate",
    "jobs",
    "model",
    "optimize",
    "reconstruction",
    "report",
    "stats",
    "testing",
)
COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.slow
def test_sphinx_builds_without_a_warning(tmp_path):
    """Sphinx also warns of pages outside every toctree, broken links, and docstrings that cannot be parsed."""
    # `test_notebooks` runs the notebooks.
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-D", "nb_execution_mode=off"]
    completed = subprocess.run([*build, DOCS, tmp_path / "html"], capture_output=True, text=True, timeout=240)
    assert completed.returncode == 0, completed.stderr
    assert (tmp_path / "html" / "index.html").is_file()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_in_pages_outside_the_docs_are_valid(page):
    links = list(LINK.finditer((ROOT / page).read_text(encoding="utf-8")))
    assert links
    for link in links:
        assert (ROOT / link["target"]).exists(), link[0]


def test_every_reading_order_has_at_most_twelve_files_all_of_which_exist():
    page = (DOCS / "develop" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("## Reading order")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if ".py`" in line]
    orders = {row[1].strip(" `"): re.findall(r"`([\w/]+\.py)`", row[2]) for row in rows}
    calls = {call.partition("`")[0] for call in orders}
    assert calls == {"fit", "transform", "inverse_transform", "reconstruct", "optimize_latents"}
    for call, files in orders.items():
        assert 5 <= len(files) <= 12, call
        assert len(set(files)) == len(files), call
        assert [name for name in files if not (ROOT / "matvae" / name).is_file()] == [], call


def test_every_public_name_is_in_the_reference():
    text = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\.\. auto(?:class|function):: matvae\.(\w+)$", text, re.MULTILINE))
    assert documented == set(matvae.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_function_and_class_of_a_subpackage_is_in_the_reference(package):
    # Some are described on the page that explains their use.
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    documented = set(
        re.findall(r"^\.\. auto(?:class|function|exception):: matvae\.(?:\w+\.)*(\w+)$", text, re.MULTILINE)
    )
    module = import_module(f"matvae.{package}")
    # Registries and constants are described with what takes them.
    parts = {
        name for name in module.__all__ if inspect.isclass(getattr(module, name)) or callable(getattr(module, name))
    }
    assert parts - documented == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_reference(name):
    text = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    common, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    section = next((part for part in sections if part.startswith(f"`{name}`\n")), None)
    assert section is not None, f"command-line.md has no section `{name}`"
    options = {flag for parameter in COMMANDS[name].params for flag in parameter.opts if flag[:2] == "--"}
    missing = sorted(flag for flag in options if f"`{flag}" not in section and f"`{flag}" not in common)
    assert not missing


def test_pictures_are_small_enough_to_commit():
    for picture in (DOCS / "images").iterdir():
        assert picture.stat().st_size < 200_000, picture.name
