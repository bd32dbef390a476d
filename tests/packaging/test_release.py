"""Releases are refused until nothing is left to do, and metadata that stand in several files agree."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import jinja2
import pytest
import yaml

from tools import release
from tools.release import NotReadyError, address, check, git, projects, section

ROOT = Path(__file__).resolve().parents[2]
CONDA_NAMES = {"torch": "pytorch", "dask[array]": "dask-core"}


@pytest.fixture
def checkout(tmp_path):
    """A small checkout that is ready for version 1.2.3."""
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nSource = "https://forge.test/matvae"\n', encoding="utf-8")
    changes = "# Changelog\n\n## Unreleased\n\n## 1.2.3 (2026-12-01)\n\n- News.\n\n## 1.2.2\n\n- Old.\n"
    (tmp_path / "CHANGELOG.md").write_text(changes, encoding="utf-8")
    for words in (["init", "-q"], ["config", "user.email", "a@b.test"], ["config", "user.name", "A"], ["add", "."]):
        git(*words, root=tmp_path)
    git("commit", "-q", "-m", "Begin", root=tmp_path)
    return tmp_path


def test_a_checkout_that_is_ready_passes(checkout):
    check("1.2.3", checkout)
    assert section("1.2.3", checkout) == "- News."


def write(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    git("commit", "-q", "-a", "-m", "Change", root=path.parent)


def test_what_is_left_to_do_is_named(checkout):
    with pytest.raises(NotReadyError, match="looks like"):
        check("v1.2.3", checkout)
    with pytest.raises(NotReadyError, match="no changes under"):
        check("1.3.0", checkout)
    write(checkout / "CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n- Forgotten.\n")
    with pytest.raises(NotReadyError, match="Unreleased"):
        check("1.2.3", checkout)
    write(checkout / "CHANGELOG.md", "- Forgotten.\n", "")
    write(checkout / "pyproject.toml", "https://forge.test/matvae", f"https://{release.PLACEHOLDER}")
    with pytest.raises(NotReadyError, match="address"):
        check("1.2.3", checkout)
    (checkout / "new.txt").write_text("", encoding="utf-8")
    with pytest.raises(NotReadyError, match=r"new\.txt"):
        check("1.2.3", checkout)


def test_a_version_is_tagged_once(checkout):
    git("tag", "v1.2.3", root=checkout)
    with pytest.raises(NotReadyError, match="exists already"):
        check("1.2.3", checkout)


def test_the_address_of_the_repository_is_the_same_everywhere():
    where = address(ROOT)
    assert f"git clone {where} matvae" in (ROOT / "README.md").read_text(encoding="utf-8")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == where
    assert recipe()["about"]["home"] == where
    others = subprocess.run(["git", "grep", "-lI", where], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert set(others) <= {"README.md", "CITATION.cff", "pyproject.toml", "recipe/meta.yaml"}


def recipe() -> dict:
    template = jinja2.Template((ROOT / "recipe" / "meta.yaml").read_text(encoding="utf-8"))
    return yaml.safe_load(template.render(environ={}, PYTHON="python"))


def test_the_recipe_has_the_dependencies_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    expected = {"python" + project["requires-python"]}
    for dependency in project["dependencies"]:
        name, bound = re.fullmatch(r"([\w\[\]-]+)(.*)", dependency).groups()
        expected.add(CONDA_NAMES.get(name, name) + bound)
    assert {line.replace(" ", "") for line in recipe()["requirements"]["run"]} == expected


def test_the_citation_names_the_authors_and_the_licence_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in project["authors"]]
    assert citation["license"] == project["license"]
    assert (
        citation["preferred-citation"]["title"].lower()
        in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split()).replace("*", "").lower()
    )


def test_plugins_take_their_versions_from_the_same_tags():
    for project in projects(ROOT):
        settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
        assert settings["project"]["dynamic"] == ["version"], project
        assert settings["tool"]["hatch"]["version"]["source"] == "vcs", project
