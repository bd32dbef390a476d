"""The explorer as a page asks it: JSON in, JSON out, the same structures as from Python."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from matvae import Grid
from matvae.data import open_structures
from matvae.errors import InputError

from .test_dropped import npy
from .test_packed import unpack


def test_the_description_is_json_and_starts_at_a_known_structure(explorer):
    described = json.loads(json.dumps(explorer.describe(), allow_nan=False))
    assert described["name"] == "rock.matvae"
    assert described["grid"]["shape"] == [16, 16]
    assert described["start"] in described["latents"]
    assert {f["name"] for f in described["formats"]} >= {"vti", "tiff", "npy", "stl", "ome-zarr"}
    assert [len(c["values"]) for c in described["colours"]] == [len(described["latents"])] * len(described["colours"])


def test_realizations_are_those_of_inverse_transform(explorer, texture_model):
    z = explorer.known.latents[2]
    found = explorer.realize({"latent": z.tolist(), "seed": 5, "n_realizations": 2})
    expected = texture_model.inverse_transform(z[None], n_realizations=2, random_state=5)[0]
    assert np.array_equal([unpack(s) for s in found["structures"]], expected)
    assert [row[0] for row in found["values"]] == pytest.approx(expected.mean((1, 2)).tolist())
    assert all(0 < error < 0.2 for error in found["errors"])


def test_latents_beyond_the_known_structures_are_told(explorer):
    z = explorer.known.latents[2]
    assert explorer.preview({"latent": z.tolist()})["distance"] < 1
    assert explorer.preview({"latent": (z + 30).tolist()})["distance"] > 5


def test_other_sizes_are_realized_and_have_no_error_of_their_own(explorer, layout_explorer):
    z = explorer.known.latents[2].tolist()
    found = explorer.realize({"latent": z, "shape": [16, 24]})
    assert found["structures"][0]["shape"] == [16, 24]
    assert found["errors"] is None
    # A decoder of structures has one shape; another one comes from its statistics.
    assert layout_explorer.realize({"latent": [0, 0], "shape": [20, 20]})["structures"][0]["shape"] == [20, 20]


def test_what_is_shown_is_exported_without_another_realization(explorer, monkeypatch, tmp_path):
    request = {"latent": explorer.known.latents[4].tolist(), "seed": 1}
    shown = unpack(explorer.realize(request)["structures"][0])
    monkeypatch.setattr(explorer, "model", None)
    name, content, _ = explorer.export({**request, "format": "npy"})
    assert name == "structures.npy"
    assert np.array_equal(np.load(io.BytesIO(content)).squeeze(), shown)
    name, content, _ = explorer.export({**request, "format": "vti"})
    (tmp_path / name).write_bytes(content)
    opened = open_structures(tmp_path / name)
    assert opened.grid.voxel_size == (0.5, 0.5)
    assert np.array_equal(opened.data.compute().squeeze(), shown)


def test_folders_and_several_files_are_exported_as_a_zip(explorer):
    request = {"latent": explorer.known.latents[4].tolist(), "n_realizations": 2}
    name, content, _ = explorer.export({**request, "format": "vti"})
    assert name == "structures-vti.zip"
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["structures_0000.vti", "structures_0001.vti"]
    name, content, _ = explorer.export({**request, "format": "ome-zarr"})
    assert any(n.endswith("zarr.json") for n in zipfile.ZipFile(io.BytesIO(content)).namelist())
    with pytest.raises(InputError, match="format must be one of"):
        explorer.export({**request, "format": "../../x"})


def test_few_realizations_are_kept(explorer):
    z = explorer.known.latents[0].tolist()
    for seed in range(10):
        explorer.realize({"latent": z, "seed": seed, "shape": [4, 4]})
    assert len(explorer._kept) == 8


def test_a_dropped_image_gets_a_latent_and_a_score(explorer):
    window = explorer.known.structures[6]
    found = json.loads(json.dumps(explorer.encode("w.npy", npy(window)), allow_nan=False))
    assert found["latent"] == pytest.approx(explorer.known.latents[6].tolist(), abs=0.05)
    assert found["score"] < 1.5
    assert found["values"][0] == pytest.approx(window.mean())


def test_a_design_is_json(explorer):
    found = json.loads(json.dumps(explorer.design({"targets": {"volume_fraction(phase=1)": 0.3}})))
    assert found["predicted"]["volume_fraction(phase=1)"] == pytest.approx(0.3, abs=0.01)
    with pytest.raises(InputError, match="finite numbers"):
        explorer.design({"targets": {"volume_fraction(phase=1)": "much"}})


def test_volumes_send_sections_of_their_statistics():
    from matvae import StatsVAETransformer
    from matvae.data import Structures
    from matvae.explore.explorer import Explorer

    X = (np.random.default_rng(0).random((30, 6, 7, 8)) < 0.4).astype(np.uint8)
    data = Structures(X, Grid((6, 7, 8), periodic=True))
    model = StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(data)
    shown = Explorer(model).preview({"latent": [0.0, 0.0]})
    assert shown["structure"]["shape"] == [6, 7, 8]
    assert [s["shape"] for s in shown["statistics"][0]["sections"]] == [[7, 8], [6, 8], [6, 7]]
