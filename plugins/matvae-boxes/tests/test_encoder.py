from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from matvae import StatsVAETransformer
from matvae.data.datasets.lines import Lines
from matvae.errors import InputError
from matvae.stats import relative_error


def lines(n, size=32, seed=0):
    generator = Lines((size, size), n_lines=(1, 3))
    rng = np.random.default_rng(seed)
    return np.stack([generator.sample(rng)[0] for _ in range(n)])


def model(**values):
    defaults = {"encoder": "pursuit", "n_components": 9, "max_epochs": 1, "batch_size": 20, "random_state": 0}
    return StatsVAETransformer(**{**defaults, **values})


@pytest.fixture(scope="module")
def fitted():
    return model().fit(lines(60))


def errors(fitted, structures):
    reconstructions = fitted.inverse_transform(fitted.transform(structures))
    module = fitted.module_
    f, g = (module.statistics(module.fields(torch.from_numpy(X))) for X in (structures, reconstructions))
    return relative_error(f, g)


def test_unseen_structures_are_reconstructed_with_their_statistics(fitted):
    error = errors(fitted, lines(20, seed=1))
    assert error.median() < 0.02
    assert (error < 0.25).all()


def test_latents_are_invariant_under_translation(fitted):
    structures = lines(10, seed=2)
    moved = np.roll(structures, (9, 20), (1, 2))
    np.testing.assert_allclose(fitted.transform(moved), fitted.transform(structures), atol=1e-6)


def test_training_updates_the_variance_of_the_latent_and_the_kinds_of_boxes(fitted):
    encoder, decoder = fitted.module_.encoder, fitted.module_.decoder
    assert encoder.log_variance.detach().unique().numel() > 1
    assert fitted.module_.spec.decoder == "boxes"
    assert fitted.module_.spec.decoder_options == {"boxes": 3}
    assert decoder.middle.grad is not None


def test_saved_models_are_loaded_with_their_boxes(fitted, tmp_path):
    from matvae import load

    fitted.save(tmp_path / "lines.matvae")
    again = load(tmp_path / "lines.matvae")
    structures = lines(3, seed=3)
    np.testing.assert_array_equal(again.transform(structures), fitted.transform(structures))


def test_two_fits_with_one_seed_are_equal(fitted):
    again = model().fit(lines(60))
    structures = lines(3, seed=3)
    np.testing.assert_array_equal(again.transform(structures), fitted.transform(structures))


def test_double_precision_finds_structures_with_the_same_statistics(fitted):
    f = torch.from_numpy(fitted.statistics(lines(5, seed=4)))
    single_module = fitted.module_
    double_module = copy.deepcopy(single_module).double()
    with torch.no_grad():
        single, double = (
            m.statistics(m.decode(m.encode(g, None)[0])) for m, g in ((single_module, f), (double_module, f.double()))
        )
    assert relative_error(double, single.double()).max() < 0.02


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"decoder": "dense"}, r"'pursuit' does not work with the decoder 'dense'.*decoder='boxes'"),
        ({"encoder": "image", "decoder": "boxes"}, r"'image' does not work with.*encoder='pursuit'"),
        ({"periodic": False}, r"needs periodic structures of two phases"),
        ({"cutoff": 4}, r"needs periodic structures of two phases"),
        ({"correlations": [(0, 0)]}, r"needs periodic structures of two phases"),
    ],
)
def test_unsuitable_parts_and_statistics_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        model(**values).fit(lines(40))


def test_structures_without_boxes_are_refused():
    y, x = np.indices((20, 20)) - 9.5
    discs = np.stack([y**2 + x**2 < r**2 for r in range(3, 9)]).astype(int)
    with pytest.raises(
        InputError, match=r"none of the .* pieces of phase 1 fills its bounding box\. Choose another decoder"
    ):
        model().fit(discs)
