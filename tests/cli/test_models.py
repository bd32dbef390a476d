"""Commands on models, in the order in which a user runs them."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from typer.main import get_command

from matvae import StatsVAETransformer, load, open_structures
from matvae.cli.app import app
from matvae.cli.models import _show_fit
from matvae.cli.wording import find_command
from matvae.estimator.parameters import DESCRIPTORS
from matvae.estimator.training import DEFAULT_EPOCHS
from matvae.evaluate.sampling_floor import PhaseSampling, SamplingFloor
from matvae.model import DECODERS, ENCODERS

QUICK = ("--n-components", 2, "--max-epochs", 2, "--width", 16, "--decoder", "dense")


@pytest.fixture
def model(matvae, store, tmp_path):
    ran = matvae("fit", store, "-o", tmp_path / "m.matvae", *QUICK, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["n_components"] == 2
    assert "treated as periodic, as the data state" in ran.err
    return tmp_path / "m.matvae"


def test_the_sampling_error_is_said_or_why_there_is_none(matvae, store, tmp_path, monkeypatch):
    monkeypatch.setattr("matvae.jobs.fit.sampling_floor", lambda estimator, structures: (None, "these are layouts"))
    ran = matvae("fit", store, "-o", tmp_path / "m.matvae", *QUICK)
    assert ran.out.splitlines()[-1] == "No sampling error of the windows is stated: these are layouts."
    found = SamplingFloor(100, 100, 25.0, (PhaseSampling(1, 0.3, 0.02, 0.02),), True, 0.2, 0.1)
    monkeypatch.setattr("matvae.jobs.fit.sampling_floor", lambda estimator, structures: (found, ""))
    ran = matvae("fit", store, "-o", tmp_path / "n.matvae", *QUICK)
    assert ran.out.splitlines()[-1] == (
        "The 100 windows show as much material as about 25 without overlap. The volume fraction of a single window "
        "has a sampling error of 0.02 for phase 1 (mean 0.3). The 2-point statistics of a single window have a "
        "sampling error of 20 %. Those that the model decodes are off by 10 %, 0.5 times the sampling error of one "
        "window."
    )


def test_help_of_fit_shows_the_defaults_of_the_estimator_and_the_names_of_parts():
    command = find_command(get_command(app), ["fit"])
    defaults = StatsVAETransformer().get_params()
    options = {option.name: option for option in command.params if option.name in defaults}
    assert len(options) >= 20
    for name, option in options.items():
        assert isinstance(option.show_default, str), name
        if defaults[name] is not None and name != "periodic":
            assert option.show_default == str(defaults[name]), name
    assert options["descriptors"].show_default == ", ".join(DESCRIPTORS)
    assert options["max_epochs"].show_default.split()[0] == str(DEFAULT_EPOCHS)
    for name, registry in (("encoder", ENCODERS), ("decoder", DECODERS)):
        assert all(part in options[name].help for part in registry.builtin), name


def test_flags_reach_the_estimator(matvae, store, tmp_path, monkeypatch):
    monkeypatch.setenv("MATVAE_FIT_LEARNING_RATE", "0.002")
    flags = {
        "--seed": 3,
        "--max-time": 60,
        "--alpha": 2,
        "--beta": 0.001,
        "--batch-size": 4,
        "--validation-fraction": 0.2,
        "--patience": 0.5,
        "--loss": "absolute",
        "--aligned-fraction": 0.1,
        "--device": "cpu",
        "--precision": "float32",
        "--encoder": "image",
        "--decoder": "dense",
        "--threshold": 0.05,
        "--correlations": "0:0",
        "--cutoff": 2,
    }
    out = tmp_path / "m.matvae"
    ran = matvae("fit", store, "-o", out, *QUICK, *(part for pair in flags.items() for part in pair), "--no-periodic")
    assert ran.code == 0, ran.err
    parameters = load(out).get_params()
    expected = {name[2:].replace("-", "_"): value for name, value in flags.items() if name != "--seed"}
    expected.update(
        random_state=3,
        correlations=[[0, 0]],
        periodic=False,
        learning_rate=0.002,
        n_components=2,
        max_epochs=2,
        width=16,
    )
    assert {name: parameters[name] for name in expected} == expected


def test_structures_are_transformed_to_latents_and_back(matvae, model, store, tmp_path):
    ran = matvae("transform", model, store, "-o", tmp_path / "z.csv")
    assert ran.code == 0, ran.err
    assert "structures  6" in ran.out
    assert (tmp_path / "z.csv").read_text().count("\n") == 7
    ran = matvae("inverse", model, tmp_path / "z.csv", "-o", tmp_path / "again.zarr", "--json")
    assert json.loads(ran.out)["n_samples"] == 6
    expected = load(model).inverse_transform(load(model).transform(open_structures(store).data.compute()))
    np.testing.assert_array_equal(open_structures(tmp_path / "again.zarr").data.compute(), expected)
    ran = matvae("inverse", model, tmp_path / "z.csv", "-o", tmp_path / "many.zarr", "--n-realizations", 3, "--seed", 5)
    assert "structures  18" in ran.out
    info = matvae("info", model)
    assert "n_components" in info.out
    assert "last loss" in info.out


def test_an_existing_model_needs_overwrite(matvae, model, store):
    ran = matvae("fit", store, "-o", model, *QUICK)
    assert ran.code == 3
    assert "--overwrite" in ran.err
    assert matvae("fit", store, "-o", model, *QUICK, "--overwrite", "--quiet").err == ""


def test_a_damaged_model_exits_with_4(matvae, model, store, tmp_path):
    weights = model / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    for command in (
        ("transform", model, store, "-o", tmp_path / "z.npy"),
        ("info", model),
        ("evaluate", model, store),
    ):
        ran = matvae(*command)
        assert ran.code == 4
        assert "SHA-256" in ran.err
    assert not (tmp_path / "z.npy").exists()


def test_data_whose_phases_mean_other_values_are_refused_until_imported_as_advised(matvae, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = np.random.default_rng(0).integers(0, 3, (64, 96))
    grey = np.array([0, 128, 255], np.uint8)
    np.save("train.npy", grey[labels])
    # Without the value 128, "auto" makes 255 the phase that 128 is in the training image.
    np.save("test.npy", grey[np.where(labels == 1, 2, labels)])
    for name in ("train", "test"):
        matvae("import", f"{name}.npy", f"{name}.zarr", "--phase-values", "auto", "--window", "16,16")
    options = ("--max-epochs", 1, "--no-periodic", "--cutoff", 6, "--n-components", 2)
    assert matvae("fit", "train.zarr", "-o", "m.matvae", *options).code == 0
    refused = matvae("transform", "m.matvae", "test.zarr", "-o", "z.csv")
    assert refused.code == matvae("evaluate", "m.matvae", "test.zarr").code == 3
    advised = re.findall(r"--phase-values(?:-of)? [^`]*", refused.err)
    assert advised == ["--phase-values-of m.matvae", "--phase-values 0,128,255"]
    for advice in advised:
        ran = matvae("import", "test.npy", "again.zarr", *advice.split(), "--window", "16,16", "--overwrite", "--json")
        assert json.loads(ran.out)["phase_values"] == [0, 128, 255]
        ran = matvae("transform", "m.matvae", "again.zarr", "-o", "z.csv", "--overwrite")
        assert ran.code == 0, ran.err
        image = open_structures("again.zarr").data.compute()
        np.testing.assert_array_equal(np.unique(image), [0, 2])


def test_a_fit_in_closed_form_is_not_described_by_epochs(capsys):
    result = {
        "model": "m.matvae",
        "n_samples": 3,
        "n_components": 2,
        "grid": {"shape": [4], "axes": ["x"], "phases": 2, "periodic": True},
        "last": {"epoch": 9.0, "step": 9.0, "progress": 1.0, "seconds": 17.0791, "loss": 0.161195, "kl": 18.2},
        "sampling": None,
        "sampling_left_out": "there is one",
    }
    _show_fit({**result, "in_epochs": False})
    closed = capsys.readouterr().out
    assert "seconds        17.1\n" in closed
    assert "centred error  0.161\n" in closed
    assert "epoch" not in closed
    _show_fit({**result, "in_epochs": True})
    assert "last epoch" in capsys.readouterr().out
