"""Both estimators read X in the same way: its form, its grid, and any contradictions."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import xarray

from matvae import Grid, StatsVAETransformer, Structures, TwoPointPCA, save_structures, two_point_stats
from matvae.data import windows
from matvae.errors import InputError
from matvae.estimator.samples import Samples, blocks_of, read, read_all

SHORT = {StatsVAETransformer: {"decoder": "dense", "max_epochs": 1, "width": 8}}


@pytest.fixture(params=[StatsVAETransformer, TwoPointPCA])
def estimator(request):
    return request.param


def test_structures_are_read_in_every_form(estimator, X) -> None:
    states = np.stack([phase == X for phase in range(2)], axis=-1).astype(float)
    for array, options in (
        (X, {}),
        (X.reshape(40, 64), {"sample_shape": (8, 8)}),
        (states, {"state_axis": -1}),
        (Structures(X, Grid((8, 8), phases=2)), {}),
    ):
        samples = Samples.of(estimator(**options), array)
        assert samples.grid == Grid((8, 8), phases=2)
        assert len(samples) == 40
        assert samples.layout.form is not None


def test_statistics_are_read(estimator, X) -> None:
    f = two_point_stats(X, periodic=False, cutoff=3)
    options = {"input": "statistics", "sample_shape": (8, 8), "periodic": False, "cutoff": 3}
    samples = Samples.of(estimator(**options), f)
    assert samples.grid == Grid((8, 8), phases=2, periodic=False)
    assert samples.layout.form is None


def test_a_forgotten_state_axis_is_refused(estimator, X) -> None:
    states = np.stack([phase == X for phase in range(2)], axis=-1).astype(float)
    with pytest.raises(InputError, match="Pass state_axis=-1"):
        Samples.of(estimator(), states)
    assert Samples.of(estimator(phases=1), states).grid == Grid((8, 8, 2), phases=1)


def test_treating_windows_as_periodic_warns_at_the_line_that_fits(estimator, X) -> None:
    windows = Structures(X, Grid((8, 8), phases=2, periodic=False))
    with pytest.warns(UserWarning, match="are not periodic .* but are treated as periodic") as caught:
        estimator(n_components=2).set_params(**SHORT.get(estimator, {})).fit(windows)
    assert {warning.filename for warning in caught} == {__file__}


def test_blocks_follow_chunks_or_a_number_of_bytes() -> None:
    X = np.random.default_rng(0).normal(size=(10, 4))
    assert blocks_of(X, max_bytes=4 * X[0].nbytes) == [slice(0, 4), slice(4, 8), slice(8, 10)]
    lazy = da.from_array(X, chunks=((3, 7), 4))
    assert blocks_of(lazy) == [slice(0, 3), slice(3, 10)]
    np.testing.assert_array_equal(read(lazy, slice(3, 10)), X[3:])


GREY = {"phase_values": [0, 128, 255]}


def test_the_values_of_the_phases_are_learned_and_checked(estimator, make_blobs) -> None:
    labels = make_blobs(24, (8, 8), phases=3)
    grid = Grid((8, 8), phases=3)
    model = (
        estimator(n_components=2).set_params(**SHORT.get(estimator, {})).fit(Structures(labels, grid, attributes=GREY))
    )
    assert model.phase_values_ == (0, 128, 255)
    Z = model.transform(Structures(labels, grid, attributes=GREY)).compute()
    np.testing.assert_allclose(model.transform(labels), Z, atol=1e-6)
    two = Structures(labels % 2, Grid((8, 8)), attributes={"phase_values": [0, 128]})
    assert model.transform(two).shape == (24, 2)
    exchanged = Structures(labels, grid, attributes={"phase_values": [0, 255, 128]})
    for method in (model.transform, model.score, model.statistics):
        with pytest.raises(InputError, match=r"values \[0, 255, 128\] in the file .* but \[0, 128, 255\] in that of t"):
            method(exchanged)
    assert estimator(n_components=2).set_params(**SHORT.get(estimator, {})).fit(labels).phase_values_ is None


def test_files_and_data_arrays_are_read(estimator, X, tmp_path) -> None:
    parts = []
    for name, part in (("a.zarr", X[:20]), ("b.zarr", X[20:])):
        save_structures(tmp_path / name, Structures(part, Grid((8, 8), voxel_size=2.0, unit="micrometer")))
        parts.append(tmp_path / name)
    samples = Samples.of(estimator(), parts)
    np.testing.assert_array_equal(samples.array.compute(), X)
    assert samples.grid == Grid((8, 8), voxel_size=2.0, unit="micrometer")
    coordinates = {"y": ("y", np.arange(8) * 0.5, {"units": "mm"})}
    array = xarray.DataArray(X.transpose(1, 0, 2), dims=("y", "sample", "x"), coords=coordinates)
    samples = Samples.of(estimator(), array)
    np.testing.assert_array_equal(samples.array, X)
    assert samples.grid == Grid((8, 8))
    model = estimator(n_components=2).set_params(**SHORT.get(estimator, {})).fit(parts)
    np.testing.assert_allclose(model.transform(parts[0]).compute(), model.transform(X)[:20], atol=1e-5)


def test_a_lone_image_gives_a_warning_that_works_when_followed(estimator, X, recwarn) -> None:
    image = np.concatenate(X)
    with pytest.warns(UserWarning, match=r"320 structures of 8 voxels in one dimension; .*sample_shape=\(8,\)\. .*win"):
        Samples.of(estimator(), image)
    recwarn.clear()
    assert Samples.of(estimator(sample_shape=(8,)), image).grid == Grid((8,))
    assert Samples.of(estimator(sample_shape=(8, 8)), X.reshape(40, 64)).grid == Grid((8, 8))
    assert Samples.of(estimator(sample_shape=(8, 8)), X[:8]).grid == Grid((8, 8))
    assert len(Samples.of(estimator(periodic=False), windows(image[None], 8))) == 40
    assert not recwarn.list
    with pytest.warns(
        UserWarning,
        match=r"8 images of 8 x 8 voxels.*matvae.data.windows\(X\[None\], size\).*pass sample_shape=\(8, 8\)",
    ):
        Samples.of(estimator(), X[:8])


def test_the_sample_axis_that_transform_misses_is_named(X) -> None:
    model = TwoPointPCA(2).fit(X)
    with pytest.raises(InputError, match=r"an array of shape \(8, 8\) was given. For one sample pass X\[None\]"):
        model.transform(X[0])
    assert model.transform(X[0][None]).shape == (1, 2)


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64])
def test_one_hot_integers_are_refused(estimator, X, axis, dtype) -> None:
    states = np.stack([phase == X for phase in range(2)], axis=axis).astype(dtype)
    with pytest.raises(InputError, match=f"Pass state_axis={axis}, or phases=2 if these are labels"):
        Samples.of(estimator(), states)
    with pytest.raises(InputError, match=f"Pass state_axis={axis}, or phases=2"):
        Samples.of(estimator(), da.from_array(states, chunks=(7, *states.shape[1:])))
    assert Samples.of(estimator(state_axis=axis), states).grid == Grid((8, 8))


def test_floats_of_zero_and_one_give_a_note(estimator, X, recwarn) -> None:
    with pytest.warns(UserWarning, match=r"Pass X.astype\('uint8'\) if these are labels"):
        Samples.of(estimator(), X.astype(float))
    recwarn.clear()
    Samples.of(estimator(phases=1), X.astype(float))
    assert not recwarn.list


def test_images_of_different_size_are_refused(estimator, X) -> None:
    with pytest.raises(InputError, match=r"a list of different shapes was given: \(5, 8\), \(8, 8\)\. Cut windows"):
        Samples.of(estimator(), [X[0], X[1][:5]])


def test_values_that_are_missing_are_counted(estimator, X) -> None:
    field = X + np.random.default_rng(0).random(X.shape)
    field[3, 2, 1] = field[7, :2, 0] = np.nan
    with pytest.raises(InputError, match=r"NaN or infinity in 2 of 40 samples, first in sample 3 \(3 values in total"):
        Samples.of(estimator(), field)


def test_labels_with_gaps_are_refused(estimator, X) -> None:
    for array in (X * 128, da.from_array(X * 128, chunks=(7, 8, 8))):
        with pytest.raises(InputError, match=r"holds 0, 128\. Relabel it with .*, or pass phases=129"):
            Samples.of(estimator(), array)
    assert Samples.of(estimator(phases=129), X * 128).grid.phases == 129


def test_masks_stay_with_their_samples(estimator, X) -> None:
    mask = np.ones(X.shape, bool)
    mask[5:8, 2, 3] = False
    others = np.where(mask, X, 9).astype(np.uint8)
    samples = Samples.of(estimator(), Structures(others, Grid((8, 8), phases=2), mask=mask))
    array, inside = read_all(samples.arrays, slice(4, 9))
    np.testing.assert_array_equal(array, np.where(mask, X, 0)[4:9])
    np.testing.assert_array_equal(inside, mask[4:9])
    chosen = np.arange(40) % 5 == 0
    picked = samples.select(chosen)
    np.testing.assert_array_equal(picked.mask, mask[chosen])
    np.testing.assert_array_equal(picked.array, np.where(mask, X, 0)[chosen])
    whole = samples.whole()
    assert (whole.masks, len(whole)) == ((), 37)
    np.testing.assert_array_equal(whole.array, X[mask.all((1, 2))])
    unmasked = Samples.of(estimator(), X)
    assert unmasked.whole() is unmasked
    assert unmasked.select(np.ones(40, bool)) is unmasked


def test_the_mask_has_the_chunks_of_its_samples(estimator, X) -> None:
    split = da.from_array(np.array(X), chunks=(7, 8, 4))
    with pytest.warns(UserWarning, match="they are merged"):
        samples = Samples.of(estimator(), Structures(split, Grid((8, 8), phases=2), mask=X == X))
    assert samples.mask.chunks == samples.array.chunks
