"""Representativity of random media whose statistics are known."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, Structures
from matvae.data.datasets.grf import gaussian_field
from matvae.errors import InputError
from matvae.evaluate import representative, representative_windows, window_spread


def micrograph(length, *, n=192, seed=0, gradient=0.0, voxel_size=None, level=0.5):
    """A window of a level-cut Gaussian field; the gradient is in standard deviations of the field."""
    lengths = (length, length) if np.isscalar(length) else length
    field = gaussian_field(np.random.default_rng(seed).standard_normal((2 * n, 2 * n)), lengths)[:n, :n]
    field = field + gradient * np.linspace(-0.5, 0.5, n)[:, None]
    grid = Grid((n, n), periodic=False, voxel_size=voxel_size, unit="micrometer" if voxel_size else None)
    return Structures((field > level).astype(np.uint8)[None], grid)


def test_the_standard_error_is_the_scatter_of_volume_fractions_among_micrographs():
    results = [representative_windows(micrograph(4, n=128, seed=seed)) for seed in range(40)]
    fractions = [result.phases[0].volume_fraction for result in results]
    errors = [result.phases[0].standard_error for result in results]
    assert np.mean(errors) == pytest.approx(np.std(fractions), rel=0.3)
    # A verdict at a significance of 1 %.
    assert sum(result.stationary is False for result in results) <= 2


def test_windows_scatter_as_the_integral_range_says():
    """The variance falls as V^-1 and is that of the autocovariance at every size."""
    result = representative_windows(micrograph(3, n=256))
    sizes = [size for size in result.sizes if size.n_windows >= 16]
    assert len(sizes) >= 5
    for size in sizes:
        noise = 3 / np.sqrt(2 * (size.n_windows - 1))
        assert size.phases[0].volume_fraction.sd == pytest.approx(size.expected[0], rel=max(noise, 0.1))
    volumes = [np.prod(size.shape) for size in sizes if min(size.shape) >= 16]
    variances = [size.expected[0] ** 2 for size in sizes if min(size.shape) >= 16]
    assert np.polyfit(np.log(volumes), np.log(variances), 1)[0] == pytest.approx(-1, abs=0.12)


def test_windows_grow_with_the_correlation_length():
    results = [representative_windows(micrograph(length, n=256)) for length in (2, 4, 8)]
    windows = [result.recommended.window[0] for result in results]
    rves = [result.recommended.rve[0] for result in results]
    assert windows[0] < windows[1] < windows[2]
    assert all(result.recommended.holds for result in results)
    # The integral range is proportional to the squared length.
    assert rves[1] / rves[0] == pytest.approx(2, rel=0.2)
    assert rves[2] / rves[1] == pytest.approx(2, rel=0.35)
    assert [result.stationary for result in results] == [True] * 3


def test_a_stricter_tolerance_needs_more_windows():
    structures = micrograph(4)
    loose, strict = (representative_windows(structures, tolerance=tolerance).recommended for tolerance in (0.1, 0.05))
    assert strict.window == loose.window
    assert strict.n_needed == pytest.approx(4 * loose.n_needed, abs=4)
    assert strict.rve[0] == pytest.approx(2 * loose.rve[0], abs=2)


def test_a_gradient_in_volume_fraction_is_not_stationary():
    result = representative_windows(micrograph(4, gradient=1.0))
    assert result.stationary is False
    along_y, along_x = result.phases[0].stationarity["volume_fraction"].drift
    # The volume fraction of a field above 1/2 rises from 0.16 to 0.5 as its mean rises from -1/2 to 1/2.
    assert along_y.change == pytest.approx(0.34, abs=0.07)
    assert abs(along_x.change) < 4 * along_x.standard_error
    assert any("differ more than the sampling noise" in remark for remark in result.remarks)


def test_anisotropy_appears_along_each_axis_in_units():
    result = representative_windows(micrograph((3, 9), n=256, voxel_size=(2.0, 0.5)))
    (phase,) = result.phases
    # Along both axes the autocovariance of the field falls to 1/e at the length; that of the cut field is lower.
    assert phase.correlation_length[0] / 2.0 == pytest.approx(3 * 0.78, rel=0.2)
    assert phase.correlation_length[1] / 0.5 == pytest.approx(9 * 0.78, rel=0.2)
    cutoff_y, cutoff_x = result.recommended.cutoff
    assert 2 < cutoff_x / cutoff_y <= 5
    # Interfaces per length of a test line are inversely proportional to the length.
    assert 2.0 * phase.specific_surface[0] / (0.5 * phase.specific_surface[1]) == pytest.approx(3, rel=0.15)
    # Windows of equal edges in micrometres have four times as many voxels along x.
    assert all(x == pytest.approx(4 * y, abs=2) for y, x in (size.shape for size in result.sizes[-3:]))
    assert result.recommended.rve[1] == pytest.approx(4 * result.recommended.rve[0], abs=4)


def test_all_of_three_phases_are_reported_and_the_rarest_decides():
    field = gaussian_field(np.random.default_rng(0).standard_normal((160, 160)), (4, 4))
    labels = np.digitize(field, [0.0, 1.5]).astype(np.uint8)
    result = representative_windows(Structures(labels[None], Grid((160, 160), phases=3, periodic=True)))
    assert [phase.phase for phase in result.phases] == [0, 1, 2]
    assert sum(phase.volume_fraction for phase in result.phases) == pytest.approx(1)
    assert result.least_certain == 2
    rare = result.phases[2]
    needed = rare.variance * rare.integral_range / (0.025 * rare.volume_fraction) ** 2
    assert result.recommended.n_needed == pytest.approx(needed / np.prod(result.recommended.window), abs=1)


def test_overlapping_windows_count_for_the_material_they_show():
    image = micrograph(2, n=128).data.compute()[0]
    cut = [image[y : y + 32, x : x + 32] for y in range(0, 97, 8) for x in range(0, 97, 8)]
    result = representative_windows(Structures(np.stack(cut), Grid((32, 32), periodic=False)))
    assert result.n_structures == 169
    # 16 windows without overlap; the estimate is somewhat too high, as windows of the rim overlap less.
    assert 15 <= result.n_independent <= 25
    whole = representative_windows(Structures(image[None], Grid((128, 128), periodic=False)))
    assert result.phases[0].standard_error == pytest.approx(whole.phases[0].standard_error, rel=0.25)
    assert any("169 structures overlap" in remark for remark in result.remarks)


def test_a_set_of_different_materials_is_not_stationary():
    images = [micrograph(2, n=64, seed=seed, level=0.5 * (seed % 2)).data.compute()[0] for seed in range(8)]
    result = representative_windows(Structures(np.stack(images), Grid((64, 64), periodic=False)))
    assert result.stationary is False


def test_lines_in_one_dimension_are_judged_too():
    noise = np.random.default_rng(0).standard_normal(4096)
    labels = (gaussian_field(noise, (4,)) > 0.5).astype(np.uint8)
    result = representative_windows(Structures(labels[None], Grid((4096,))))
    assert result.recommended.holds
    sizes = [size for size in result.sizes if size.n_measured >= 60]
    assert len(sizes) >= 4
    for size in sizes:
        assert size.phases[0].volume_fraction.sd == pytest.approx(size.expected[0], rel=0.3)


def test_volumes_and_continuous_fields():
    field = gaussian_field(np.random.default_rng(0).standard_normal((48, 48, 48)), (2, 2, 2))
    grid = Grid((48, 48, 48), periodic=True)
    volume = representative_windows(Structures((field > 0).astype(np.uint8)[None], grid))
    assert len(volume.phases[0].correlation_length) == 3
    assert volume.sizes[0].n_windows == 6**3
    continuous = representative_windows(Structures(field[None].astype(np.float32), Grid((48, 48, 48), phases=1)))
    assert continuous.phases[0].variance == pytest.approx(1, rel=0.2)
    assert continuous.phases[0].specific_surface == ()
    # The covariance exp(-(r / l)^2) is 1/e at l, and its integral is pi^(3/2) l^3.
    assert continuous.phases[0].correlation_length == pytest.approx((2, 2, 2), rel=0.1)
    assert continuous.phases[0].integral_range == pytest.approx(np.pi**1.5 * 8, rel=0.25)


def test_long_range_order_is_remarked():
    stripes = np.tile(np.repeat([0, 1], 8), (128, 8)).astype(np.uint8)
    result = representative_windows(Structures(stripes[None], Grid((128, 128), periodic=False)))
    assert any("correlations do not vanish" in remark for remark in result.remarks)
    assert not result.recommended.holds
    assert result.recommended.window == (128, 128)
    assert result.phases[0].correlation_length[0] is None


def test_structures_that_cannot_be_judged_are_refused():
    with pytest.raises(InputError, match="consist of a single one"):
        representative_windows(Structures(np.ones((1, 32, 32), np.uint8), Grid((32, 32))))
    with pytest.raises(InputError, match="at least 16 voxels"):
        representative_windows(Structures(np.ones((1, 8, 8), np.uint8), Grid((8, 8))))
    with pytest.raises(InputError, match="tolerance must lie between 0 and 1"):
        representative_windows(micrograph(2), tolerance=5)


def test_large_structures_give_the_same_by_blocks(monkeypatch):
    structures = micrograph(3, n=96)
    whole = representative_windows(structures)
    monkeypatch.setattr(representative, "BLOCK_VOXELS", 1000)
    monkeypatch.setattr(window_spread, "BLOCK_VOXELS", 1000)
    by_blocks = representative_windows(structures)
    assert by_blocks.recommended == whole.recommended
    assert by_blocks.phases[0].integral_range == pytest.approx(whole.phases[0].integral_range, rel=1e-4)
    assert by_blocks.sizes[-1].phases[0].statistics_error == pytest.approx(
        whole.sizes[-1].phases[0].statistics_error, rel=1e-4
    )
