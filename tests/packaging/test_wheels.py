"""Wheels and sdists: they build, hold all that is needed, and do what the README shows where no checkout is.

The new environment takes the libraries of the present one, so that nothing is downloaded; matvae itself it has from the
wheels alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from tools.release import build, git, projects

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ("matvae_boxes", "matvae_pymks", "matvae_taufactor")
BLOCK = re.compile(r"(?P<mark><!-- not run.*-->\n+)?^```(?P<kind>python|console)\n(?P<text>.*?)^```$", re.M | re.S)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """Folder with a wheel and an sdist of every project."""
    folder = tmp_path_factory.mktemp("dist")
    assert len(build(folder, ROOT)) == 2 * len(projects(ROOT)) == 8
    return folder


@pytest.fixture(scope="module")
def run(dist, tmp_path_factory):
    """Run a command in an environment that has the wheels, from an empty folder, and return what it prints."""
    environment = tmp_path_factory.mktemp("environment")
    folder = tmp_path_factory.mktemp("empty")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # The .pth files in there are not read, so that no editable checkout is found.
    Path(purelib, "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", *dist.glob("*.whl")], check=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MATVAE_", "VIRTUAL"))}
    clean["PATH"] = f"{environment / 'bin'}{os.pathsep}{clean['PATH']}"

    def run_there(*command: str, text: str | None = None) -> str:
        done = subprocess.run(command, cwd=folder, env=clean, input=text, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    return run_there


def contents(wheel: Path) -> list[str]:
    """Files in a wheel, without its metadata, whose folder is named by the version."""
    return sorted(name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name)


def test_wheels_from_sdists_are_those_from_the_checkout(dist, tmp_path):
    for sdist in dist.glob("*.tar.gz"):
        with tarfile.open(sdist) as archive:
            archive.extractall(tmp_path, filter="data")
        folder = tmp_path / sdist.name.removesuffix(".tar.gz")
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        # Of the same name, hence of the same version, where there is no git.
        (wheel,) = dist.glob(sdist.name.removesuffix(".tar.gz") + "-*.whl")
        assert contents(tmp_path / "again" / wheel.name) == contents(wheel)


def files_of(folder: Path) -> set[str]:
    """Files of the checkout below a folder, as git knows them: without caches and what is built."""
    return set(git("ls-files", "--cached", "--others", "--exclude-standard", root=folder).splitlines())


def test_wheels_hold_every_file_of_the_package_and_the_data_sets_and_nothing_else(dist):
    (wheel,) = dist.glob("matvae-*.whl")
    package = {f"matvae/{name}" for name in files_of(ROOT / "matvae")}
    cards = {f"matvae/data/datasets/cards/{name}" for name in files_of(ROOT / "datasets")}
    assert set(contents(wheel)) == package | cards
    assert {
        "matvae/py.typed",
        "matvae/explore/page/index.html",
        "matvae/report/templates/page.html.jinja",
        "matvae/pretrained/alloy.matvae/weights.safetensors",
        "matvae/pretrained/berea.matvae/weights.safetensors",
        "matvae/data/datasets/cards/alloy/micrograph.npz",
    } <= package | cards
    for name in PLUGINS:
        (wheel,) = dist.glob(f"{name}-*.whl")
        folder = ROOT / "plugins" / name.replace("_", "-") / name
        assert set(contents(wheel)) == {f"{name}/{file}" for file in files_of(folder)}
        assert f"{name}/py.typed" in contents(wheel)


def test_sdists_hold_files_of_the_checkout_alone(dist):
    for project, name in zip(projects(ROOT), ("matvae", *PLUGINS), strict=True):
        (sdist,) = dist.glob(f"{name}-*.tar.gz")
        with tarfile.open(sdist) as archive:
            members = [member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()]
        # Hatchling adds the .gitignore of the repository, which it obeys.
        assert set(members) - {"PKG-INFO", ".gitignore"} <= files_of(project)
        assert {"pyproject.toml", "README.md", "LICENSE"} <= set(members)


def test_distributions_carry_the_licence_and_the_versions_of_python(dist):
    assert len(list(dist.glob("*.whl"))) == 4
    for path in dist.glob("*.whl"):
        with zipfile.ZipFile(path) as wheel:
            assert any(name.endswith("/LICENSE") for name in wheel.namelist()), path.name
            (metadata,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
            text = wheel.read(metadata).decode()
        assert "\nRequires-Python: >=3.11\n" in text
        assert "\nClassifier: Programming Language :: Python :: 3.13\n" in text


def test_the_package_and_its_plugins_are_those_of_the_wheels(run, dist):
    for name in ("matvae", *PLUGINS):
        path, version = run("python", "-c", f"import {name}; print({name}.__file__, {name}.__version__)").split()
        assert str(ROOT) not in path
        assert (dist / f"{name}-{version}-py3-none-any.whl").is_file()
    parts = "from matvae.model import DECODERS; from matvae.optimize.property import PROPERTIES; "
    shown = run("python", "-c", parts + "print(DECODERS.get('boxes'), PROPERTIES.get('tortuosity'))")
    assert "matvae_boxes" in shown
    assert "matvae_taufactor" in shown
    run("python", "-c", "import matvae, matvae_boxes; matvae.load(matvae_boxes.REFERENCE)")


def test_the_commands_that_test_the_conda_package_run(run):
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))
    imports, script = recipe["tests"][0]["python"]["imports"], recipe["tests"][1]["script"]
    run("python", "-c", f"import {', '.join(imports)}")
    folder = run("mktemp", "-d")
    run("bash", "-e", text="\n".join([f"cd {folder}", *script]))


@pytest.mark.wheels
@pytest.mark.timeout(1200)
def test_the_lines_of_the_readme_run(run):
    """Blocks of Python by the interpreter, blocks of commands by the shell, in the order of the page."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = [block for block in BLOCK.finditer(text) if not block["mark"]]
    assert [block["kind"] for block in blocks] == ["console", "python", "python", "console"]
    for block in blocks:
        if block["kind"] == "python":
            run("python", "-", text=block["text"])
        else:
            lines = [line.removeprefix("$ ") for line in block["text"].splitlines() if line.startswith("$ ")]
            run("bash", "-e", text="\n".join(lines))
