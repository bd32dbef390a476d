"""`matvae info --plan`: any command is begun, what it takes is printed, and nothing remains."""

from __future__ import annotations

import json

import pytest

from matvae import StatsVAETransformer, open_structures
from matvae.cli import plan as plan_page
from matvae.jobs import plan as plan_module


@pytest.fixture
def model(store, tmp_path):
    StatsVAETransformer(n_components=2, decoder="dense", max_epochs=1, width=8, random_state=0).fit(
        open_structures(store)
    ).save(tmp_path / "m.matvae")
    return tmp_path / "m.matvae"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_plan_of_a_job_is_a_table(matvae, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = matvae("info", store, "--plan", "stats --cutoff 2")
    assert outcome.code == 0
    rows = dict(line.split("  ", 1) for line in outcome.out.splitlines())
    assert rows["job"].strip() == "stats"
    assert rows["work"].strip().startswith("6 structures, or blocks of a large one, all done in ")
    assert rows["time"].strip().startswith("about ")
    assert "are free" in rows["disk"]
    assert rows["fits"].strip() == "yes"
    assert outcome.err == ""
    assert names(tmp_path) == ["x.zarr"]


@pytest.mark.parametrize(
    ("job", "path", "total", "is_exact"),
    [
        ("transform {m} -o z.npy", "x.zarr", 6, True),
        ("transform {m}", "x.zarr", 6, False),
        ("inverse {m} --n-realizations 2 -o {f}/new.zarr --quiet", "z.csv", 2, False),
        ("import --window 4", "x.zarr", 24, False),
        ("evaluate {m} --n-realized 0", "x.zarr", 6, None),
        ("fit --decoder dense --width 8 --max-epochs 2 --n-components 2", "x.zarr", 0, False),
        ("dataset make lines --n 30 --size 16", None, 30, False),
        ("compare {m} --n-components 1,2 --max-epochs 1 --held-out 0.5", "x.zarr", 0, None),
    ],
)
def test_every_job_is_planned_as_it_is_typed(matvae, model, tmp_path, monkeypatch, job, path, total, is_exact):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "z.csv").write_text("z0,z1\n0,0\n1,1\n")
    before = names(tmp_path)
    outcome = matvae("info", *([] if path is None else [path]), "--plan", job.format(m=model, f=tmp_path), "--json")
    assert outcome.code == 0
    plan = json.loads(outcome.out)
    assert (plan["total"], plan["problems"]) == (total, [])
    assert min(plan["seconds"], plan["measured_seconds"]) > 0
    assert (plan["disk_certainty"] == "exactly") == bool(is_exact)
    assert (plan["disk"] is None) == (is_exact is None)
    if is_exact:
        # The header of a .npy, and two components of four bytes.
        assert plan["disk"] == 128 + 6 * 2 * 4
    assert names(tmp_path) == before


def test_a_training_is_planned_in_words(matvae, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit = "fit --decoder dense --width 8 --n-components 2"
    outcome = matvae("info", store, "--plan", f"{fit} --max-epochs 7 --batch-size 2")
    rows = dict(line.split("  ", 1) for line in outcome.out.splitlines())
    assert rows["work"].strip().startswith("7 passes over the data, in 3 batches each; parts of it were measured in ")
    # It may end earlier.
    assert rows["time"].strip().startswith("at most about ")
    outcome = matvae("info", store, "--plan", f"{fit} --max-time 600")
    rows = dict(line.split("  ", 1) for line in outcome.out.splitlines())
    assert rows["work"].strip().startswith("training for ")
    assert rows["time"].strip() == "at most about 10 min"
    assert "given up" not in outcome.out
    assert names(tmp_path) == ["x.zarr"]


def test_shares_of_a_training_and_a_single_step_read_well():
    plan = {"work": None, "done": 120, "total": 1000, "measured_seconds": 5.0}
    assert plan_page._work(plan, plan_page.TRAINING) == "training, of which 12 % was done in 5 s"
    assert plan_page._work({**plan, "done": 1}, "structures") == "1000 structures, of which 1 was done in 5 s"


def test_what_does_not_fit_has_exit_code_3(matvae, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan_module, "free_memory", lambda: 1_000_000)
    if plan_module.peak_memory() is None:
        pytest.skip("memory is unknown on this system")
    outcome = matvae("info", store, "--plan", "stats")
    assert outcome.code == 3
    assert "fits    no. It needs " in outcome.out
    assert "but 1 MB are free" in outcome.out


def test_whether_a_result_fits_whose_compression_is_unknown_is_left_open(matvae, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan_module, "free_room", lambda out: 10)
    # Stopped at the second block, before a shard of 65536 structures is full.
    monkeypatch.setattr(plan_module, "WORK_SECONDS", 1e-6)
    outcome = matvae("info", "--plan", "dataset make lines --n 300000 --size 16")
    assert outcome.code == 0
    assert "fits    perhaps: how well the result compresses" in outcome.out


def test_errors_are_those_of_the_job_in_its_own_words(matvae, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = matvae("info", store, "--plan", "stats --cutoff 9")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith("error: --cutoff 9 asks for lags beyond the window")
    outcome = matvae("info", store, "--plan", f"stats -o {store} --cutoff 2")
    assert (outcome.code, "exists already" in outcome.err) == (3, True)
    outcome = matvae("info", store, "--plan", "stats --no-such-option")
    assert (outcome.code, "No such option" in outcome.err) == (2, True)
    assert names(tmp_path) == ["x.zarr"]


def test_a_comparison_is_planned_in_words(matvae, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = matvae("info", "x.zarr", "--plan", f"compare {model} --n-components 1,2 --held-out 0.5 --max-epochs 3")
    rows = dict(line.split("  ", 1) for line in outcome.out.splitlines())
    assert rows["work"].strip().startswith("8 fits to 3 structures, each measured on 3 others; parts of it were ")
    assert rows["time"].strip().startswith("at most about ")
    assert "disk" not in rows
    assert rows["fits"].strip() == "yes"


def test_a_benchmark_is_planned_without_its_folder(matvae, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = "benchmark paper --size 16 --n 60 --n-test 12 --n-components 2 --max-time 50 --batch-size 16"
    outcome = matvae("info", "--plan", job, "--json")
    assert outcome.code == 0
    plan = json.loads(outcome.out)
    assert plan["work"].startswith(
        "drawing 72 structures, 50 s of training for each model, and measuring 12 structures"
    )
    assert plan["seconds"] > 50
    assert plan["disk_certainty"] == "about"
    assert names(tmp_path) == []


@pytest.mark.parametrize("job", ["explore m.matvae", "", "matvae stats"])
def test_other_words_are_usage_errors(matvae, store, job):
    outcome = matvae("info", store, "--plan", job)
    assert outcome.code == 2
    assert "dataset make, import, stats" in " ".join(outcome.err.replace("│", " ").split())


def test_info_without_a_path_or_a_plan_is_a_usage_error(matvae):
    outcome = matvae("info")
    assert outcome.code == 2
    assert "Give the file or folder to describe" in outcome.err
