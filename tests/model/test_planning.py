from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError, PluginError
from matvae.model import check_parts, plan_model
from matvae.model.planning import choose_decoder

from ..structures import blobs, lines

SUITABLE = {"encoder": "statistics", "decoder": "auto", "from_statistics": False, "loss": "relative"}


@pytest.fixture
def spec_of(make_spec):
    """Return a function that builds a small spec whose decoder is chosen automatically."""
    return lambda shape, **values: make_spec(shape, **{"decoder": "auto", **values})


@pytest.mark.parametrize(
    ("shape", "phases", "decoder"),
    [
        ((256, 256), 2, "dense"),
        ((257, 256), 2, "convolutional"),
        ((256, 256), 3, "convolutional"),
        ((256, 256), 1, "dense"),
        ((64, 64, 64), 2, "convolutional"),
    ],
)
def test_networks_are_dense_up_to_65536_outputs(spec_of, shape, phases, decoder):
    assert choose_decoder(spec_of(shape, phases=phases), [], closed_form=False)[0] == decoder
    assert plan_model(spec_of(shape, phases=phases), [], closed_form=False).decoder == decoder
    assert plan_model(spec_of(shape, phases=phases, decoder="separable"), []).decoder == "separable"


def test_images_that_are_sums_of_few_products_get_the_separable_decoder(spec_of):
    images = [torch.from_numpy(lines(12, 66))]
    chosen = plan_model(spec_of((66, 66)), images)
    assert (chosen.decoder, chosen.metric) == ("separable", "plain")
    assert "products of profiles" in chosen.reason
    assert plan_model(spec_of((66, 66), periodic=False), images).decoder != "separable"
    assert plan_model(spec_of((66, 66), cutoff=(8, 8)), images).decoder != "separable"


def test_textures_get_the_statistics_decoder_its_encoder_and_the_lag_metric(spec_of):
    textures = [torch.from_numpy(blobs(12, (66, 66)))]
    chosen = plan_model(spec_of((66, 66), metric="auto"), textures)
    assert (chosen.decoder, chosen.encoder, chosen.metric) == ("statistics", "projection", "lags")
    assert chosen.reason.startswith("texture")
    assert plan_model(spec_of((66, 66), metric="plain"), textures).metric == "plain"
    assert plan_model(spec_of((66, 66), encoder="image"), textures).decoder == "dense"
    assert plan_model(spec_of((66, 66), phases=1), []).decoder == "dense"


def test_phases_at_fixed_positions_are_a_layout(spec_of):
    discs = np.zeros((20, 16, 16), np.uint8)
    y, x = np.indices((16, 16)) - 7.5
    for disc, radius in zip(discs, np.linspace(4, 7, 20), strict=True):
        disc[np.hypot(y, x) < radius] = 1
    chosen = plan_model(spec_of((16, 16), cutoff=(4, 4)), [torch.from_numpy(discs)])
    assert chosen.decoder == "dense"
    assert "same places" in chosen.reason
    rng = np.random.default_rng(0)
    moved = np.stack([np.roll(disc, rng.integers(16, size=2), (0, 1)) for disc in discs])
    assert plan_model(spec_of((16, 16), cutoff=(4, 4)), [torch.from_numpy(moved)]).decoder == "statistics"


def test_coarse_grids_need_all_lags_a_decoder_that_coarsens_and_a_statistics_encoder(spec_of):
    assert plan_model(spec_of((128, 128), decoder="separable"), []).coarse == (4, 4)
    assert plan_model(spec_of((128, 128), decoder="dense"), []).coarse is None
    assert plan_model(spec_of((128, 128), decoder="separable", encoder="image"), []).coarse is None
    assert plan_model(spec_of((128, 128), decoder="separable", periodic=False), []).coarse is None


def test_continued_training_keeps_the_decoder_and_its_options(spec_of):
    images = [torch.from_numpy(lines(12, 66))]
    fitted = plan_model(spec_of((66, 66)), images)
    assert plan_model(spec_of((66, 66)), [torch.from_numpy(blobs(12, (66, 66)))], fitted) == fitted


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"encoder": "image", "from_statistics": True}, "provides no structures"),
        ({"loss": "voxels"}, "compares structures voxel by voxel"),
        ({"weights": "folder"}, "does not start from trained weights"),
    ],
)
def test_incompatible_parts_are_refused(changed, message):
    check_parts(**SUITABLE)
    with pytest.raises(InputError, match=message):
        check_parts(**{**SUITABLE, **changed})


def test_an_unknown_part_is_refused():
    with pytest.raises(PluginError, match=r"no decoder called 'dens'.*Did you mean 'dense'"):
        check_parts(**{**SUITABLE, "decoder": "dens"})
