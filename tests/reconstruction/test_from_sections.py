from __future__ import annotations

import zipfile

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction import Wanted, reconstruct_volume
from matvae.stats import lineal_path, radial_average, relative_error, two_point_stats

from ..structures import blobs
from .structures import fractions

N = 20
CENTRE = N // 2


def section_statistics(volumes: np.ndarray, axis: int, **options) -> np.ndarray:
    """Mean statistics ``(sample, *lag, correlation)`` of all slices normal to an axis."""
    slices = np.moveaxis(volumes, axis + 1, 1)
    return np.stack([two_point_stats(sample, **options).mean(0) for sample in slices])


def laminate(seed: int = 0) -> np.ndarray:
    """Slightly wavy layers normal to x, ``(1, z, y, x)``."""
    rng = np.random.default_rng(seed)
    x, wave = np.arange(N), rng.standard_normal((N, N))
    smooth = np.fft.ifft2(
        np.fft.fft2(wave) * (np.abs(np.fft.fftfreq(N)) < 0.1) * (np.abs(np.fft.fftfreq(N)) < 0.1)[:, None]
    )
    phase = 2 * np.pi * 3 * x / N + 3 * smooth.real[:, :, None]
    return (np.cos(phase) > 0.3).astype(np.uint8)[None]


@pytest.mark.parametrize("periodic", [True, False])
def test_statistics_of_sections_equal_those_of_the_volume_at_lags_in_the_plane(periodic):
    volume = blobs(1, (7, 8, 9))
    whole = two_point_stats(volume, periodic=periodic)
    middle = tuple(n // 2 for n in whole.shape[1:4])
    for axis in range(3):
        plane = whole.take(middle[axis], axis + 1)
        np.testing.assert_allclose(section_statistics(volume, axis, periodic=periodic), plane, atol=1e-6)


@pytest.mark.parametrize("make", [lambda: blobs(1, (N, N, N)), laminate])
def test_a_reconstructed_volume_has_the_statistics_of_three_sections(make):
    volume = make()
    sections = {name: section_statistics(volume, axis) for axis, name in enumerate(("zy", "zx", "yx")[::-1])}
    reconstruction = reconstruct_volume(sections, grid=Grid((N, N, N)), max_iter=80, random_state=0)
    assert reconstruction.structures.shape == (1, N, N, N)
    assert np.array_equal(fractions(reconstruction.structures, 2), fractions(volume, 2))
    assert reconstruction.error[0] < 0.01
    for axis, name in enumerate(("yx", "zx", "zy")):
        statistics = section_statistics(reconstruction.structures, axis)
        assert relative_error(sections[name], statistics)[0] < 0.015
    # Lags outside the planes are largely reproduced as well, compared with a shuffled volume.
    shuffled_volume = np.random.default_rng(0).permutation(volume.ravel()).reshape(volume.shape)
    whole = two_point_stats(volume)
    error, shuffled_error = (
        relative_error(whole, two_point_stats(structures))[0]
        for structures in (reconstruction.structures, shuffled_volume)
    )
    assert error < 0.5 * shuffled_error


def test_layers_normal_to_x_are_reconstructed_normal_to_x():
    volume = laminate()
    # Two sections with a cutoff that contain all axes, one of them with its axes in reverse order.
    yx = section_statistics(volume, 0, cutoff=8)
    xz = section_statistics(volume, 1, cutoff=8).transpose(0, 2, 1, 3)
    sections = {"yx": yx, ("x", "z"): xz}
    reconstruction = reconstruct_volume(sections, grid=Grid((N, N, N)), max_iter=80, random_state=0)
    assert reconstruction.error[0] < 0.02
    changes = [np.count_nonzero(np.diff(reconstruction.structures[0], axis=axis)) for axis in range(3)]
    expected = [np.count_nonzero(np.diff(volume[0], axis=axis)) for axis in range(3)]
    np.testing.assert_allclose(changes, expected, rtol=0.2)
    assert changes[2] > 2 * max(changes[:2])


@pytest.mark.parametrize("periodic", [True, False])
def test_one_section_is_enough_for_an_isotropic_material(periodic):
    images = blobs(6, (64, 64), width=1.5)
    section = two_point_stats(images, cutoff=9).mean(0, keepdims=True)
    grid = Grid((N, N, N), periodic=periodic)
    reconstruction = reconstruct_volume(section, grid=grid, max_iter=80, random_state=0)
    statistics = two_point_stats(reconstruction.structures, periodic=periodic, cutoff=9)
    assert reconstruction.error[0] < 0.02
    assert statistics[0, 9, 9, 9, 0] == pytest.approx(section[0, 9, 9, 0], abs=1 / N**3)
    expected = radial_average(section, max_radius=9)
    for axis in range(3):
        plane = radial_average(statistics.take(9, axis + 1), max_radius=9)
        np.testing.assert_allclose(plane, expected, atol=0.02)


def test_three_phases_with_several_samples_and_realizations():
    volumes = blobs(2, (12, 12, 12), 3)
    f = two_point_stats(volumes, phases=3)
    sections = {"zy": f[:, :, :, 6], "zx": f[:, :, 6]}
    grid = Grid((12, 12, 12), phases=3)
    reconstruction = reconstruct_volume(sections, grid=grid, n_realizations=2, max_iter=40, random_state=3)
    assert reconstruction.structures.shape == (2, 2, 12, 12, 12)
    for k in range(2):
        assert np.array_equal(fractions(reconstruction.structures[:, k], 3), fractions(volumes, 3))
    assert reconstruction.error.max() < 0.05
    assert (reconstruction.agreement().share < 0.95).all()
    repeated = reconstruct_volume(sections, grid=grid, n_realizations=2, max_iter=40, random_state=3)
    assert np.array_equal(repeated.structures, reconstruction.structures)


def test_constraints_and_additional_statistics_are_met_in_volumes():
    volume = blobs(1, (12, 12, 12))
    f = two_point_stats(volume)
    fixed = np.full((12, 12, 12), 255, np.uint8)
    fixed[0] = volume[0, 0]
    reconstruction = reconstruct_volume(
        {"zy": f[:, :, :, 6], "zx": f[:, :, 6], "yx": f[:, 6]},
        grid=Grid((12, 12, 12)),
        also=[Wanted("lineal_path", lineal_path(volume))],
        fixed=fixed,
        max_iter=40,
        random_state=0,
    )
    assert np.array_equal(reconstruction.structures[0, 0], volume[0, 0])
    assert set(reconstruction.errors) == {"two_point", "lineal_path"}
    assert reconstruction.errors["lineal_path"][0] < 0.05
    assert np.array_equal(fractions(reconstruction.structures, 2), fractions(volume, 2))


def test_pores_of_sandstone_are_reconstructed_from_plane_windows(shared_data, tmp_path):
    with zipfile.ZipFile(shared_data / "volumes" / "berea.zip") as archive:
        archive.extract("berea.tif", tmp_path)
    rock = open_structures(tmp_path / "berea.tif", spatial_dims=3, phase_values=(255, 0))
    pores = rock.data[0, :200, :200, :200].compute()
    rng = np.random.default_rng(0)
    cutoff = 10
    sections = {}
    for axis, name in enumerate(("yx", "zx", "zy")):
        windows = [pores.take(i, axis)[y : y + 96, x : x + 96] for i, y, x in rng.integers(0, 100, (40, 3))]
        f = two_point_stats(np.stack(windows), periodic=False, cutoff=cutoff, phases=2)
        sections[name] = f.mean(0, keepdims=True)
    true = two_point_stats(pores[None], periodic=False, cutoff=cutoff, phases=2)
    for periodic in (True, False):
        grid = Grid((32, 32, 32), periodic=periodic)
        reconstruction = reconstruct_volume(sections, grid=grid, max_iter=80, random_state=0)
        statistics = two_point_stats(reconstruction.structures, periodic=periodic, cutoff=cutoff, phases=2)
        assert reconstruction.error[0] < 0.03
        # The error includes that of sampling the windows; it is larger for blocks of the rock of this size, see below.
        assert relative_error(true, statistics)[0] < 0.25
    blocks = np.stack([pores[z : z + 32, y : y + 32, x : x + 32] for z, y, x in rng.integers(0, 168, (8, 3))])
    cut = two_point_stats(blocks, periodic=False, cutoff=cutoff, phases=2)
    assert relative_error(true, cut).mean() > 0.3


def plane(n: int = 7, m: int = 7, v: float = 0.4) -> np.ndarray:
    f = np.full((1, n, m, 1), v**2)
    f[0, n // 2, m // 2] = v
    return f


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"yx": plane()}, "No section contains the axes z"),
        ({"yy": plane(), "zx": plane()}, "two axes of the grid, such as 'yx', but 'yy' was given"),
        ({"ab": plane()}, "two axes of the grid"),
        ({"yx": plane(), "zx": plane(v=0.6)}, "theirs differ at zero lag by up to 0.2"),
        ({"yx": plane(), "zx": plane().repeat(2, 0)}, r"\[1, 2\] were given"),
        ({"yx": plane(8), "zx": plane()}, "up to 5 to each side, or all 12, but 8 were given"),
        ({"yx": plane(), "zx": plane(13)}, "along z, sections have an odd number of lags"),
        ({"yx": plane()[..., 0], "zx": plane()}, "'yx' with two lag axes and 1 correlations"),
        (plane() * np.nan, "Statistics of the section must be finite"),
        ({}, "No section contains the axes x, y, z"),
    ],
)
def test_inconsistent_sections_are_refused(sections, words):
    with pytest.raises(InputError, match=words):
        reconstruct_volume(sections, grid=Grid((12, 12, 12)))


def test_unsuitable_grids_are_refused():
    with pytest.raises(InputError, match="A grid with three axes is expected"):
        reconstruct_volume(plane(), grid=Grid((12, 12)))
    with pytest.raises(InputError, match="A single section requires cubic voxels"):
        reconstruct_volume(plane(), grid=Grid((12, 12, 12), voxel_size=(2, 1, 1)))
