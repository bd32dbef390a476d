"""Resemblance of single structures: does a generator copy its training structures, and does it repeat itself?

Structures that show the same material agree in many voxels by chance, the more so the higher the volume fraction of one
phase. Every figure is therefore set beside the same figure of true structures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import validate
from ..data.sample_blocks import sample_blocks, samples_per_block
from ..errors import InputError
from ..shown import Shown
from ..stats.form import check_values, find_form
from ..stats.map_samples import as_tensor
from .material_measures import lazy_labels

# Structures of at most so many voxels are transformed in single precision, which is twice as fast: numbers of voxels
# are then off by less than 0.1, as measured, before they are rounded.
SINGLE_PRECISION_VOXELS = 1 << 16


@dataclass(frozen=True, repr=False)
class Resemblance(Shown):
    """Shares of equal voxels at the best shift (see `agreement`).

    Parameters
    ----------
    copying : array ``(generated,)``
        Of each generated structure with the training structure that it resembles most.
    nearest : array of int ``(generated,)``
        Index of that training structure.
    copying_true : array ``(true,)``
        The same of each true structure: what a structure of this material shares with the training set if it is new.
    among_generated, among_true : array ``(pair,)``
        Of all pairs of generated structures, and of all pairs of true ones.
    """

    copying: np.ndarray
    nearest: np.ndarray
    copying_true: np.ndarray
    among_generated: np.ndarray
    among_true: np.ndarray

    @classmethod
    def of(
        cls,
        with_training: np.ndarray,
        true_with_training: np.ndarray,
        among_generated: np.ndarray,
        among_true: np.ndarray,
    ) -> Resemblance:
        """Summarise agreements.

        Parameters
        ----------
        with_training, true_with_training : array ``(structure, training)``
            Of generated and of true structures with the training structures.
        among_generated, among_true : array ``(pair,)``
        """
        return cls(
            copying=with_training.max(axis=1),
            nearest=with_training.argmax(axis=1),
            copying_true=true_with_training.max(axis=1),
            among_generated=among_generated,
            among_true=among_true,
        )

    @property
    def diversity(self) -> float | None:
        """Mean share of *different* voxels among generated over that among true structures; None if these are equal.

        0 means that all generated structures are the same up to a shift, 1 that they differ as true ones do. More is
        no merit: uncorrelated voxels differ more than structures of any material.
        """
        different = 1 - float(self.among_true.mean())
        return (1 - float(self.among_generated.mean())) / different if different > 0 else None

    @property
    def n_copies(self) -> int:
        """Number of generated structures more like a training structure than any true one is."""
        return int((self.copying > self.copying_true.max()).sum())

    def to_dict(self) -> dict[str, float | int | None]:
        """Return means and largest values, in a form that JSON can hold."""
        shares = {
            "copying": self.copying,
            "copying_true": self.copying_true,
            "among_generated": self.among_generated,
            "among_true": self.among_true,
        }
        means = {f"{name}_mean": float(values.mean()) for name, values in shares.items()}
        largest = {f"{name}_max": float(values.max()) for name, values in shares.items()}
        return {**means, **largest, "n_copies": self.n_copies, "diversity": self.diversity}


def resemblance(generated: Any, true: Any, training: Any, *, phases: int, invert: bool = True) -> Resemblance:
    """Compare generated structures with the training structures and with each other.

    Parameters
    ----------
    generated, true, training : Structures or array ``(sample, *space)``
        Labels of equal shape. `true` are test structures, which share no voxel with `training` nor with each other:
        overlapping windows are copies of each other in part. Two or more structures in `generated` and in `true`.
    phases, invert
        As in `agreement`.

    Returns
    -------
    Resemblance

    Raises
    ------
    InputError
        As in `agreement`, or for a single structure.
    """
    n_generated, n_true = len(lazy_labels(generated)), len(lazy_labels(true))
    if min(n_generated, n_true) < 2:
        raise InputError(
            f"Two or more generated and two or more true structures are needed for pairs, but {n_generated} and "
            f"{n_true} were given."
        )
    options: dict[str, Any] = {"phases": phases, "invert": invert}
    return Resemblance.of(
        agreement(generated, training, **options),
        agreement(true, training, **options),
        agreement_of_pairs(generated, **options),
        agreement_of_pairs(true, **options),
    )


def agreement(X: Any, Y: Any, *, phases: int, invert: bool = True) -> np.ndarray:
    """Share of voxels in which two structures are equal at the best of all shifts, for every pair of two sets.

    Parameters
    ----------
    X, Y : Structures or array ``(sample, *space)``
        Labels of equal shape; read block by block, `Y` once per block of `X`.
    phases : int
        Number of phases, of at least 2.
    invert : bool
        Whether point inversions ``x -> -x`` are tried as well: autocorrelations do not tell them apart, so that a
        structure made from statistics may be the inverted copy of another.

    Returns
    -------
    array of float64 ``(sample of X, sample of Y)``

    Raises
    ------
    InputError
        If shapes differ, or an array does not hold labels of these phases.

    Notes
    -----
    All structures are taken as periodic, windows as well: what a shift moves out on one side returns on the opposite
    side, so that every shift compares all voxels, and none a few lucky ones. Where two windows overlap in a share o of
    their voxels, the agreement is about o plus what the rest agrees in by chance. Equal voxels are counted exactly: the
    cross-correlations of the indicators of all phases, summed, are integers, to which the sums by Fourier transform are
    rounded.
    """
    import torch

    first, second = lazy_labels(X), lazy_labels(Y)
    if first.shape[1:] != second.shape[1:]:
        raise InputError(
            f"Structures of equal shape are expected, but {first.shape[1:]} and {second.shape[1:]} were given."
        )
    phases = validate.integer("phases", phases, 2)
    space = tuple(int(n) for n in first.shape[1:])
    axes = tuple(range(1, 1 + len(space)))
    n_voxels = int(np.prod(space))
    shares = np.zeros((len(first), len(second)))
    for row, spectra in _spectra(first, phases):
        for column, others in _spectra(second, phases):
            for i, spectrum in enumerate(spectra):
                products = [(spectrum.conj() * others).sum(1)]
                if invert:
                    products.append((spectrum * others).sum(1))
                counts = [torch.fft.irfftn(p, s=space, dim=axes).flatten(1).amax(1) for p in products]
                largest = torch.stack(counts).amax(0).round().double()
                shares[row + i, column : column + len(others)] = largest.numpy() / n_voxels
    return shares


def agreement_of_pairs(X: Any, *, phases: int, invert: bool = True) -> np.ndarray:
    """Agreement ``(pair,)`` of all pairs of different structures of one set, each pair once; see `agreement`."""
    shares = agreement(X, X, phases=phases, invert=invert)
    return shares[np.triu_indices(len(shares), 1)]


def _spectra(data: Any, phases: int) -> Iterator[tuple[int, Any]]:
    """Spectra ``(sample, phase, *frequency)`` of the indicators of all phases, block by block."""
    import torch

    form = find_form(data.shape, data.dtype.kind in "iub", phases=phases, state_axis=None)
    n_voxels = int(np.prod(data.shape[1:]))
    precision = torch.float32 if n_voxels <= SINGLE_PRECISION_VOXELS else torch.float64
    # A spectrum of real numbers takes about the memory of these.
    for start, block in sample_blocks(data, samples_per_block(precision.itemsize * phases * n_voxels)):
        labels = as_tensor(block)
        check_values(labels, form)
        fields = form.fields(labels, range(phases)).to(precision)
        yield start, torch.fft.rfftn(fields, dim=tuple(range(2, fields.ndim)))
