"""Table, options and exit codes of the command `benchmark`."""

from __future__ import annotations

import json

import pytest

from matvae import jobs

pytestmark = pytest.mark.usefixtures("builtin_presets")
FLAGS = ("--size", 16, "--n", 60, "--n-test", 12, "--n-components", 2, "--max-time", 0.5, "--device", "cpu")


def test_the_table_is_printed(matvae, tmp_path, monkeypatch):
    from matvae.jobs.benchmark import paper as benchmark

    monkeypatch.setattr(benchmark, "benchmark_page", lambda result, parts: "page")
    ran = matvae("benchmark", "paper", *FLAGS, "-o", tmp_path / "b")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:4]] == ["method", "paper, as published", "PCA (2)", "matvae (2)"]
    assert lines[1].split()[3:] == ["100", "98", "%", "63", "%", "17", "%", "–", "–"]
    assert lines[-2].split() == ["page", str(tmp_path / "b" / "report.html")]
    assert "Only 12 structures are held out" in ran.err
    again = matvae("benchmark", "paper", *FLAGS, "-o", tmp_path / "b")
    assert again.code == 3
    assert "--resume" in again.err
    again = matvae("benchmark", "paper", *FLAGS, "-o", tmp_path / "b", "--resume", "--json", "--quiet")
    assert json.loads(again.out)["rows"][-1]["method"] == "matvae (2)"


@pytest.fixture
def recorded(monkeypatch):
    """Record the arguments of the job, which is replaced and runs nothing."""
    arguments = {}

    def job(out, **others):
        arguments.update(out=str(out), **others)
        raise jobs.BenchmarkInterrupted("It stopped; continue with --resume.")

    monkeypatch.setattr(jobs, "benchmark_paper", job)
    return arguments


def test_defaults_are_those_of_the_job(matvae, recorded):
    import inspect

    from matvae.jobs.benchmark.paper import benchmark_paper

    expected = {
        name: parameter.default
        for name, parameter in inspect.signature(benchmark_paper).parameters.items()
        if name not in ("out", "progress", "on_record")
    }
    ran = matvae("benchmark", "paper")
    assert {name: recorded[name] for name in expected} == expected
    assert recorded["out"] == "paper-benchmark"
    assert ran.code == 130
    assert "continue with --resume" in ran.err


def test_flags_reach_the_job(matvae, recorded, monkeypatch):
    monkeypatch.setenv("MATVAE_BENCHMARK_PAPER_SEED", "5")
    matvae("benchmark", "paper", "--preset", "paper", "--weights", "a/b", "--batch-size", 4, "--overwrite", "-o", "x")
    assert (recorded["preset"], recorded["weights"], recorded["batch_size"]) == ("paper", "a/b", 4)
    assert (recorded["overwrite"], recorded["out"], recorded["seed"]) == (True, "x", 5)


def test_invalid_settings_exit_with_3(matvae, tmp_path):
    ran = matvae("benchmark", "paper", "--preset", "papers", "-o", tmp_path / "b")
    assert ran.code == 3
    assert ran.err.startswith("error: preset must be one of")


@pytest.fixture
def asked_materials(monkeypatch):
    """Arguments of the benchmark of materials, which returns a synthetic result."""
    from ..report.materials_result import result

    arguments = {}

    def job(data, out, **others):
        arguments.update(data=str(data), out=str(out), **others)
        files = {name: f"{out}/{name}" for name in ("page", "result", "decoded_csv", "realized_csv")}
        return {**result(), **files}

    monkeypatch.setattr(jobs, "benchmark_materials", job)
    return arguments


def test_defaults_of_materials_are_those_of_the_job(matvae, asked_materials):
    import inspect

    from matvae.jobs.benchmark.materials import benchmark_materials

    parameters = inspect.signature(benchmark_materials).parameters
    expected = {name: p.default for name, p in parameters.items() if name not in ("data", "out", "progress")}
    assert matvae("benchmark", "materials", "--data", "d").code == 0
    assert {name: asked_materials[name] for name in expected} == expected
    assert (asked_materials["data"], asked_materials["out"]) == ("d", parameters["out"].default)


def test_flags_of_materials_reach_the_job_and_both_tables_are_printed(matvae, asked_materials):
    flags = ("--materials", "alloy,nmc", "--n-components", "2,5", "--seeds", "3,4", "--quick", "--image-vae", 30)
    ran = matvae("benchmark", "materials", "--data", "d", *flags, "--n-realized", 8, "-o", "x")
    assert ran.code == 0, ran.err
    assert (asked_materials["materials"], asked_materials["n_components"]) == (("alloy", "nmc"), (2, 5))
    assert (asked_materials["seeds"], asked_materials["quick"]) == ((3, 4), True)
    assert (asked_materials["image_vae"], asked_materials["n_realized"], asked_materials["out"]) == (30, 8, "x")
    lines = ran.out.splitlines()
    assert lines[0].split()[:3] == ["material", "method", "n"]
    assert lines[4].split()[:4] == ["alloy", "matvae", "5", "0.300"]
    assert lines[10].split()[:3] == ["material", "method", "n"]
    assert "with examples" in lines[12]
    assert lines[-1].split() == ["realized_csv", "x/realized_csv"]
