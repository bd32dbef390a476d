"""Invalid parameters and samples are refused before any work starts, with a helpful message."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from matvae.errors import InputError, PluginError

WRONG = [
    ({"n_components": 0}, "n_components must be an integer of at least 1"),
    ({"n_components": 2.0}, "n_components must be an integer"),
    ({"n_components": True}, "n_components must be an integer"),
    ({"alpha": -1}, "alpha must be a number at least 0"),
    ({"alpha": "1"}, "alpha must be a number"),
    ({"beta": float("nan")}, "beta must be a number"),
    ({"phases": 0}, "phases must be"),
    ({"phases": 300}, "from 1 .* to 255"),
    ({"phases": "two"}, "phases must be"),
    ({"sample_shape": 8}, "sample_shape must be one to three numbers"),
    ({"sample_shape": (8, 0)}, "sample_shape must be"),
    ({"sample_shape": "88"}, "sample_shape must be"),
    ({"state_axis": "last"}, "state_axis must be an integer"),
    ({"input": "images"}, "input must be one of 'structures', 'statistics'"),
    ({"correlations": [(0, 7)]}, "7"),
    ({"correlations": "auto"}, "correlations"),
    ({"periodic": None}, "periodic must be True or False"),
    ({"cutoff": 99}, "cutoff"),
    ({"cutoff": -1}, "cutoff"),
    ({"metric": "short"}, "metric must be one of 'auto', 'plain', 'lags'"),
    ({"descriptors": "surface_area"}, "descriptors must be a sequence of names"),
    ({"width": 0}, "width must be an integer"),
    ({"loss": "squared"}, "loss must be one of 'relative', 'absolute'"),
    ({"loss": ["relative"]}, "loss must be one of"),
    ({"short_range": -1}, "short_range must be a number at least"),
    ({"mixing": 1.5}, "mixing must be a number from 0.0 to 1.0"),
    ({"mixing": "some"}, "mixing must be a number from 0.0 to 1.0"),
    ({"aligned_fraction": 1.5}, "aligned_fraction must be a number from 0.0 to 1.0"),
    ({"coarse_fraction": -0.1}, "coarse_fraction must be a number from 0.0 to 1.0"),
    ({"latent_steps": -1}, "latent_steps must be an integer of at least 0"),
    ({"threshold": "otsu"}, "threshold must be a number from 0.0 to 1.0"),
    ({"threshold": 2}, "threshold must be"),
    ({"max_epochs": 0}, "max_epochs must be an integer of at least 1"),
    ({"max_time": 0}, "max_time must be a number above 0"),
    ({"batch_size": 0}, "batch_size must be an integer of at least 1"),
    ({"batch_size": "big"}, "batch_size must be an integer"),
    ({"learning_rate": 0}, "learning_rate must be a number above 0"),
    ({"patience": -1}, "patience must be"),
    ({"validation_fraction": 1.0}, "validation_fraction must be a number from 0.0 to 0.9"),
    ({"device": "gpu"}, "device must be"),
    ({"device": 0}, "device must be a name"),
    ({"precision": "float16"}, "precision must be one of"),
    ({"random_state": "seed"}, "random_state must be None, an integer"),
    ({"warm_start": "yes"}, "warm_start must be True or False"),
    ({"checkpoint": 3}, "checkpoint must be the path"),
    ({"verbose": "very"}, "verbose must be True or False"),
    ({"input": "statistics", "encoder": "image"}, 'Choose encoder="statistics"'),
    ({"loss": "voxels"}, 'Choose encoder="image"'),
    ({"encoder_weights": 3}, "encoder_weights must be a folder, a name, or None"),
    ({"encoder_weights": "resnet"}, "'statistics' does not start from trained weights"),
]


@pytest.mark.parametrize(("parameters", "message"), WRONG)
def test_invalid_parameters_are_refused(X, tiny, parameters: dict, message: str) -> None:
    for train in ("fit", "partial_fit"):
        with pytest.raises(InputError, match=message):
            getattr(tiny(**parameters), train)(X)


def test_every_parameter_has_an_invalid_value_in_the_list(tiny) -> None:
    tried = {name for parameters, _ in WRONG for name in parameters} | {"encoder", "decoder"}
    assert tried == set(tiny().get_params())


def test_invalid_parameters_are_refused_before_data_is_read(tiny) -> None:
    def explode(block: np.ndarray) -> np.ndarray:
        raise AssertionError("The data was read.")

    lazy = da.zeros((20, 8, 8), dtype=np.uint8).map_blocks(explode, meta=np.empty((0, 0, 0), np.uint8))
    for parameters, message in WRONG:
        with pytest.raises(InputError, match=message):
            tiny(**{"phases": 2, **parameters}).fit(lazy)


@pytest.mark.parametrize(("name", "close"), [("encoder", "statistic"), ("decoder", "convolution")])
def test_unknown_encoders_and_decoders_get_a_suggestion(X, tiny, name: str, close: str) -> None:
    with pytest.raises(PluginError, match=f"no {name} called '{close}'.*Did you mean '{close}"):
        tiny(**{name: close}).fit(X)


def with_value(value: float) -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(20, 6, 6))
    X[19, 5, 5] = value
    return X


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(tiny, value: float) -> None:
    good = with_value(0.0)
    model = tiny().fit(good)
    for data in (with_value(value), da.from_array(with_value(value), chunks=(7, 6, 6))):
        with pytest.raises(InputError, match=r"NaN|infinity"):
            tiny().fit(data)
        with pytest.raises(InputError, match=r"NaN|infinity"):
            np.asarray(model.transform(data))
        with pytest.raises(InputError, match=r"NaN|infinity"):
            model.score(data)


@pytest.mark.parametrize("convert", [np.asarray, lambda X: da.from_array(X, chunks=(7, -1, -1))])
def test_invalid_samples_are_refused(X, tiny, convert) -> None:
    X = np.array(X)
    with pytest.raises(InputError, match="labels from 0 to 3"):
        tiny(phases=3).fit(convert(X * 3))
    with pytest.raises(InputError, match=r"labels 0 to H-1, but holds -1, 0\. Relabel it"):
        tiny().fit(convert(X.astype(int) - 1))
    with pytest.raises(InputError, match="asks for integer phase labels"):
        tiny(phases=2).fit(convert(X.astype(float)))
    with pytest.raises(InputError, match="means a continuous field"):
        tiny(phases=1).fit(convert(X))
    with pytest.raises(
        InputError, match=r"holds 0, 255\. Relabel it with .*numpy.searchsorted\(\[0, 255\], (X|block)\)"
    ):
        tiny().fit(convert(X * 255))
    with pytest.raises(InputError, match=r"1 sample.*minimum of 2"):
        tiny().fit(convert(X[:1]))
    with pytest.raises(InputError, match=r"0 sample.*minimum of 2"):
        tiny().fit(convert(X[:0]))
    with pytest.raises(InputError, match=r"0 sample.*minimum of 1"):
        tiny().fit(convert(X)).transform(convert(X[:0]))


def test_other_kinds_of_array_are_refused(X, tiny) -> None:
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        tiny().fit(csr_matrix(np.eye(8)))
    with pytest.raises(InputError, match=r"[Cc]omplex"):
        tiny().fit(np.ones((5, 4, 4), dtype=complex))
    with pytest.raises(InputError):
        tiny().fit(np.full((5, 4), "phase"))
    with pytest.raises(InputError, match="2D array"):
        tiny().fit(np.arange(10))
    with pytest.raises(InputError, match="\\(sample, \\*space\\)"):
        tiny().fit(da.arange(10))


def test_a_dask_array_of_unknown_length_is_refused(X, tiny) -> None:
    lazy = da.from_array(np.array(X), chunks=(8, 8, 8))
    unknown = lazy[lazy.sum((1, 2)) > 0]
    with pytest.raises(InputError, match="compute_chunk_sizes"):
        tiny().fit(unknown)


@pytest.mark.parametrize("state_axis", [None, -1])
def test_constant_structures_are_counted_in_a_warning_and_give_finite_values(X, tiny, state_axis) -> None:
    X = np.array(X)
    X[:3], X[3] = 0, 1
    data = X if state_axis is None else np.stack([X == 0, X == 1], axis=-1).astype(np.float32)
    with pytest.warns(UserWarning, match=r"4 of 40 samples are constant.*Remove them"):
        model = tiny(state_axis=state_axis).fit(data)
    assert np.isfinite(model.transform(data)).all()
    assert np.isfinite(model.score(data))


def test_the_causes_of_many_constant_structures_are_named(X, tiny) -> None:
    X = np.array(X)
    X[:5] = 0
    with pytest.warns(UserWarning, match=r"5 of 40 samples are constant.*--region 0:690,:"):
        tiny().fit(X)


def test_a_fit_on_constant_structures_only_gives_finite_values(tiny) -> None:
    X = np.zeros((10, 6, 6), dtype=np.uint8)
    with pytest.warns(UserWarning, match="10 of 10"):
        model = tiny().fit(X)
    assert np.isfinite(model.transform(X)).all()
    assert np.isfinite(model.inverse_statistics(model.transform(X))).all()
