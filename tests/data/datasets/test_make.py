from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.data.datasets import GENERATORS, make, make_dataset
from matvae.data.datasets.lines import Lines
from matvae.errors import InputError, PluginError


def fingerprint(store: Path) -> dict[str, str]:
    files = sorted(file for file in store.rglob("*") if file.is_file())
    return {str(file.relative_to(store)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("name", ["lines", "grf", "voronoi", "checkerboard"])
def test_the_seed_determines_every_byte_and_another_seed_gives_other_structures(tmp_path, name):
    for out, seed in (("a", 7), ("b", 7), ("c", 8)):
        make_dataset(name, tmp_path / out, n=20, size=32, seed=seed)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
    a, c = (open_structures(tmp_path / out).data.compute() for out in "ac")
    assert (a != c).any()


def test_samples_are_independent_of_their_number_and_of_blocks(tmp_path, monkeypatch):
    make_dataset("lines", tmp_path / "many", n=100, size=32)
    make_dataset("lines", tmp_path / "few", n=10, size=32)
    monkeypatch.setattr(make, "_BLOCK_SAMPLES", 7)
    make_dataset("lines", tmp_path / "blocks", n=100, size=32)
    many, few, blocks = (open_structures(tmp_path / out) for out in ("many", "few", "blocks"))
    assert (many.data[:10].compute() == few.data.compute()).all()
    assert (many.data.compute() == blocks.data.compute()).all()
    # Sample i depends only on the seed and i.
    labels, properties = Lines((32, 32)).sample(np.random.default_rng([0, 57]))
    assert (many.data[57].compute() == labels).all()
    assert {key: values[57] for key, values in many.properties.items()} == properties


def test_stores_record_name_seed_and_parameters(tmp_path):
    make_dataset("grf", tmp_path / "grf", n=5, size=(16, 24, 20), seed=3, correlation_length=np.float64(4))
    structures = open_structures(tmp_path / "grf")
    assert structures.data.shape == (5, 16, 24, 20)
    assert (structures.grid.phases, structures.grid.periodic) == (2, True)
    assert structures.units["correlation_length_z"] == "voxel"
    assert structures.properties["correlation_length_z"].tolist() == [4.0] * 5
    assert structures.attributes["dataset"] == {
        "name": "grf",
        "seed": 3,
        "n": 5,
        "parameters": {
            "volume_fractions": [0.5, 0.5],
            "correlation_length": 4.0,
            "volume_fraction_range": None,
            "correlation_length_range": None,
            "isotropic": True,
            "exact_fractions": True,
        },
    }


def test_the_default_size_is_that_of_the_card(tmp_path):
    make_dataset("lines", tmp_path / "card", n=2)
    make_dataset("voronoi", tmp_path / "line", n=2, size=(50,), phases=3)
    assert open_structures(tmp_path / "card").grid.shape == (224, 224)
    assert open_structures(tmp_path / "line").grid.shape == (50,)
    assert open_structures(tmp_path / "line").grid.phases == 3


def test_progress_counts_structures_up_to_their_total(tmp_path):
    calls: list[tuple[int, int]] = []
    make_dataset("checkerboard", tmp_path / "out", n=150, size=16, progress=lambda *call: calls.append(call))
    assert calls == [(64, 150), (128, 150), (150, 150)]


def test_at_most_one_shard_is_kept_in_memory(tmp_path):
    calls: list[tuple[int, int]] = []
    make_dataset("checkerboard", tmp_path / "out", n=10, size=(128,) * 3, progress=lambda *c: calls.append(c))
    assert calls == [(8, 10), (10, 10)]  # 8 volumes of 2 MiB make a shard of 16 MiB


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be an integer of at least 1, but 0"),
        ({"n": 2.5}, "n must be an integer"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
        ({"size": 12}, "at least 16 pixels"),
        ({"size": (32, 0)}, "size must be an integer of at least 1, but 0"),
        ({"size": "64"}, "size must be an integer of at least 1, but '64'"),
        ({"thicknes": 3}, "Did you mean 'thickness'"),
    ],
)
def test_invalid_arguments_are_refused_and_nothing_is_written(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        make_dataset("lines", tmp_path / "out", **arguments)
    assert not list(tmp_path.iterdir())


def test_an_existing_store_is_replaced_only_on_request(tmp_path):
    make_dataset("lines", tmp_path / "out", n=3, size=32)
    before = fingerprint(tmp_path / "out")
    with pytest.raises(InputError, match="exists"):
        make_dataset("lines", tmp_path / "out", n=3, size=32, seed=1)
    assert fingerprint(tmp_path / "out") == before
    make_dataset("lines", tmp_path / "out", n=3, size=32, seed=1, overwrite=True)
    assert fingerprint(tmp_path / "out") != before


def test_an_interrupt_leaves_nothing_behind(tmp_path):
    def interrupt(done: int, total: int) -> None:
        if done > 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_dataset("lines", tmp_path / "out", n=200, size=32, progress=interrupt)
    assert not list(tmp_path.iterdir())


class Stripes(Lines):
    """Generator of a plugin without a card, with one parameter and its own default shape."""

    def __init__(self, shape=(48, 16), *, n_lines=2):
        super().__init__(shape, n_lines=n_lines)


def test_a_generator_of_a_plugin_needs_no_card(tmp_path, monkeypatch):
    monkeypatch.setitem(GENERATORS.targets, "stripes", "stripes_plugin:Stripes")
    with pytest.raises(PluginError, match=r"'stripes' .* cannot be imported"):
        make_dataset("stripes", tmp_path / "out")
    monkeypatch.setattr("matvae.data.datasets.lines.Stripes", Stripes, raising=False)
    monkeypatch.setitem(GENERATORS.targets, "stripes", "matvae.data.datasets.lines:Stripes")
    make_dataset("stripes", tmp_path / "out", n=4)
    structures = open_structures(tmp_path / "out")
    assert structures.grid.shape == (48, 16)
    assert structures.properties["n_lines"].tolist() == [2.0] * 4


@pytest.mark.parametrize("options", [{"n": 5}, {"size": 64}, {"phases": 2}])
def test_options_of_generated_sets_are_refused_for_downloads(tmp_path, options):
    with pytest.raises(InputError, match=f"'berea' is measured, so {next(iter(options))} cannot be chosen"):
        make_dataset("berea", tmp_path / "out", **options)
