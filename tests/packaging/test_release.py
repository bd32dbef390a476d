"""Releases are refused until nothing is left to do, and metadata that stand in several files agree."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
import rattler_build
import yaml

from tools import release
from tools.address import change
from tools.release import NotReadyError, address, check, git, projects, section

ROOT = Path(__file__).resolve().parents[2]
CONDA_NAMES = {"torch": "pytorch", "dask[array]": "dask-core"}
PYPROJECT = """
[build-system]
requires = ["hatchling", "hatch-vcs"]
build-backend = "hatchling.build"
[project]
name = "matvae"
requires-python = ">=3.11"
dynamic = ["version"]
[project.urls]
Source = "https://forge.test/matvae"
[tool.hatch.version]
source = "vcs"
[tool.hatch.build.targets.wheel]
include = ["matvae.py"]
"""


@pytest.fixture
def checkout(tmp_path):
    """A small checkout that is ready for version 1.2.3."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (tmp_path / "matvae.py").write_text("", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("dist/\n", encoding="utf-8")
    changes = "# Changelog\n\n## Unreleased\n\n## 1.2.3 (2026-12-01)\n\n- News.\n\n## 1.2.2\n\n- Old.\n"
    (tmp_path / "CHANGELOG.md").write_text(changes, encoding="utf-8")
    for words in (
        ["init", "-q", "-b", "main"],
        ["config", "user.email", "a@b.test"],
        ["config", "user.name", "A"],
        ["add", "."],
        ["commit", "-q", "-m", "Begin"],
    ):
        git(*words, root=tmp_path)
    return tmp_path


def test_a_checkout_that_is_ready_passes(checkout):
    check("1.2.3", checkout)
    assert section("1.2.3", checkout) == "- News."


def test_a_release_is_built_and_tagged_at_the_commit(checkout):
    files = release.release("1.2.3", checkout)
    assert [file.name for file in files] == ["matvae-1.2.3-py3-none-any.whl", "matvae-1.2.3.tar.gz"]
    assert {file.parent for file in files} == {checkout / "dist" / "1.2.3"}
    with zipfile.ZipFile(files[0]) as wheel:
        assert b"\nVersion: 1.2.3\n" in wheel.read("matvae-1.2.3.dist-info/METADATA")
    assert git("rev-parse", "v1.2.3^{commit}", root=checkout) == git("rev-parse", "HEAD", root=checkout)
    assert git("cat-file", "-t", "v1.2.3", root=checkout) == "tag"
    assert git("status", "--porcelain", root=checkout) == ""


def test_a_release_that_was_taken_back_is_built_anew(checkout):
    release.release("1.2.3", checkout)
    git("tag", "--delete", "v1.2.3", root=checkout)
    (checkout / "dist" / "1.2.3" / "stale.whl").write_text("", encoding="utf-8")
    assert len(release.release("1.2.3", checkout)) == 2


def refused(version: str, checkout: Path, match: str) -> None:
    """A release is refused with this message, and neither tags, files nor the status of the checkout change."""

    def state() -> tuple[str, str, list[Path]]:
        files = [path for path in checkout.rglob("*") if ".git" not in path.parts and path.is_file()]
        return git("tag", "--list", root=checkout), git("status", "--porcelain", root=checkout), sorted(files)

    before = state()
    with pytest.raises(NotReadyError, match=match):
        release.release(version, checkout)
    assert state() == before


@pytest.mark.parametrize(
    "version", ["", "v1.2.3", "1.2", "1.2.3.4", "01.2.3", "1.2.3-rc1", "1.2.3\n", "--all", "1.2.٣"]
)
def test_a_version_has_three_numbers(checkout, version):
    refused(version, checkout, "looks like 1.2.3 or 1.2.3rc1")


def write(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    git("commit", "-q", "-a", "-m", "Change", root=path.parent)


def test_what_is_left_to_do_is_named(checkout):
    refused("1.3.0", checkout, "no changes under")
    write(checkout / "CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n- Forgotten.\n")
    refused("1.2.3", checkout, "Unreleased")
    write(checkout / "CHANGELOG.md", "- Forgotten.\n", "")
    write(checkout / "pyproject.toml", "https://forge.test/matvae", f"https://{release.PLACEHOLDER}")
    refused("1.2.3", checkout, "make address")
    (checkout / "new.txt").write_text("", encoding="utf-8")
    refused("1.2.3", checkout, r"new\.txt")


def test_a_version_is_tagged_once(checkout):
    git("tag", "v1.2.3", root=checkout)
    refused("1.2.3", checkout, "exists already")


def test_releases_are_made_from_the_main_branch(checkout):
    git("switch", "-q", "-c", "idea", root=checkout)
    refused("1.2.3", checkout, "from the branch main, but idea is checked out")
    git("switch", "-q", "--detach", root=checkout)
    refused("1.2.3", checkout, "but no branch is checked out")


def test_a_project_that_does_not_build_is_not_tagged(checkout):
    write(checkout / "pyproject.toml", 'include = ["matvae.py"]', "include = 3")
    refused("1.2.3", checkout, "hatchling build .* failed")


def test_files_are_not_kept_if_git_cannot_tag(checkout):
    # A tag `v1.2.3/x` takes the place of the folder of `v1.2.3`.
    git("tag", "v1.2.3/x", root=checkout)
    refused("1.2.3", checkout, "git tag .* failed")


def test_a_folder_without_git_is_named(tmp_path):
    with pytest.raises(NotReadyError, match="not a git repository"):
        check("1.2.3", tmp_path)


def test_the_address_changes_in_all_files_that_state_it(checkout):
    (checkout / "README.md").write_text("git clone https://forge.test/matvae matvae\n", encoding="utf-8")
    git("add", ".", root=checkout)
    git("commit", "-q", "-m", "Add", root=checkout)
    for wrong in (
        "",
        "forge.test/x",
        "http://forge.test/x",
        "https://",
        "https://forge.test/a b",
        "https://forge.test/x/",
    ):
        with pytest.raises(NotReadyError, match="looks like"):
            change(wrong, checkout)
    assert git("status", "--porcelain", root=checkout) == ""
    assert {path.name for path in change("https://other.test/m", checkout)} == {"README.md", "pyproject.toml"}
    assert address(checkout) == "https://other.test/m"
    assert (checkout / "README.md").read_text(encoding="utf-8") == "git clone https://other.test/m matvae\n"


def test_the_address_of_the_repository_is_the_same_everywhere():
    where = address(ROOT)
    pages = git("ls-files", "*.md", root=ROOT).splitlines()
    cloned = [re.findall(r"git clone (\S+)", (ROOT / page).read_text(encoding="utf-8")) for page in pages]
    assert [each for found in cloned for each in found] == [where]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == where
    assert recipe()["about"]["homepage"] == recipe()["about"]["repository"] == where
    others = git("grep", "-lI", "--fixed-strings", where, root=ROOT).splitlines()
    assert set(others) == {"README.md", "CITATION.cff", "pyproject.toml", "recipe/recipe.yaml"}


def recipe() -> dict:
    return yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))


def test_the_recipe_is_understood_by_the_builder(monkeypatch):
    monkeypatch.setenv("MATVAE_VERSION", "1.2.3")
    (variant,) = rattler_build.Stage0Recipe.from_file(ROOT / "recipe" / "recipe.yaml").render()
    rendered = variant.recipe.to_dict()
    assert rendered["package"] == {"name": "matvae", "version": "1.2.3"}
    assert rendered["build"]["script"]["env"] == {"SETUPTOOLS_SCM_PRETEND_VERSION": "1.2.3"}
    assert rendered["build"]["noarch"] == "python"


def test_the_recipe_agrees_with_the_metadata_of_the_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    python = "python" + project["requires-python"]
    run = {python}
    for dependency in project["dependencies"]:
        name, bound = re.fullmatch(r"([\w\[\]-]+)(.*)", dependency).groups()
        run.add(CONDA_NAMES.get(name, name) + bound)
    host = {python, "pip", *settings["build-system"]["requires"]}
    wanted = recipe()["requirements"]
    assert {line.replace(" ", "") for line in wanted["run"]} == run
    assert {line.replace(" ", "") for line in wanted["host"]} == host
    scripts = [f"{name} = {target}" for name, target in project["scripts"].items()]
    assert recipe()["build"]["python"]["entry_points"] == scripts
    assert recipe()["about"]["summary"] == project["description"]
    assert recipe()["about"]["license"] == project["license"]
    assert [recipe()["about"]["license_file"]] == project["license-files"]


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


def test_the_package_and_its_plugins_need_the_same_python():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = package["project"]["requires-python"].removeprefix(">=")
    named = [each.rpartition(" :: ")[2] for each in package["project"]["classifiers"] if re.search(r":: 3\.", each)]
    assert named == ["3.11", "3.12", "3.13"]
    assert named[0] == oldest == package["tool"]["mypy"]["python_version"]
    assert package["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    for project in projects(ROOT):
        settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert settings["requires-python"] == f">={oldest}", project
        assert settings["classifiers"] == package["project"]["classifiers"], project
