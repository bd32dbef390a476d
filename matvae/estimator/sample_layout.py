"""SampleLayout: how an array holds samples, decided once in `fit`, and how blocks of it become tensors and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.masks import without_outside
from ..errors import InputError
from ..given import Given, given, refuse_masked_array, spatial_lengths, warn_of_axes
from ..grid import Grid
from ..label_values import count_phases
from ..model import STATISTICS
from ..stats import lag_shape, resolve_correlations
from ..stats.form import LABELS, STATES, Form, check_phases, check_values, find_form
from ..stats.map_samples import as_tensor, is_dask
from ..warn import warn


@dataclass(frozen=True)
class SampleLayout:
    """Layout of samples: the shape of the user's array, and its meaning as structures or statistics.

    Parameters
    ----------
    given : tuple of int
        Shape of one sample in the user's array.
    shape : tuple of int
        Shape of one sample with its axes restored, if it was flattened.
    form : Form or None
        How voxels hold local states; None for statistics.
    dtype : numpy.dtype
        Type of the array.
    phase_values : tuple or None
        The value that each phase had in the file it comes from, if the structures record it.
    """

    given: tuple[int, ...]
    shape: tuple[int, ...]
    form: Form | None
    dtype: np.dtype
    phase_values: tuple[Any, ...] | None = None

    @classmethod
    def of(cls, estimator: Any, array: Any, structures: Given) -> tuple[SampleLayout, Grid]:
        """Decide how samples are held, from an array and an estimator's parameters on samples and statistics.

        Parameters
        ----------
        estimator : StatsVAETransformer or TwoPointPCA
        array : numpy.ndarray or dask.array.Array ``(sample, ...)``
        structures : Given
            What is known of them: `Structures` bring their number of phases, voxel size and boundaries.

        Returns
        -------
        (SampleLayout, Grid)

        Raises
        ------
        InputError
            If axes, types and parameters contradict each other.
        """
        if estimator.input == STATISTICS:
            return layout_of_statistics(
                array,
                phases=estimator.phases,
                sample_shape=estimator.sample_shape,
                correlations=estimator.correlations,
                periodic=estimator.periodic,
                cutoff=estimator.cutoff,
            )
        if estimator.sample_shape is None and structures.spatial_dims is None:
            _warn_of_guessed_axes(array.shape, estimator.state_axis)
        automatic = isinstance(estimator.phases, str)
        layout = layout_of_structures(
            array,
            phases=structures.known.get("phases", estimator.phases) if automatic else estimator.phases,
            sample_shape=estimator.sample_shape,
            state_axis=estimator.state_axis,
        )
        assert layout.form is not None
        grid = _grid_of(structures.known, layout.form, estimator.periodic)
        values = structures.phase_values
        return replace(layout, phase_values=None if values is None else tuple(values)), grid

    def tensor(self, block: np.ndarray) -> Tensor:
        """Check a block; return structures ``(sample, *space)``, states ``(sample, state, *space)`` or statistics."""
        tensor = as_tensor(block.reshape(len(block), *self.shape))
        if self.form is None:
            if not bool(torch.isfinite(tensor).all()):
                raise InputError("The statistics contain NaN or infinity; every lag needs a finite value.")
            return tensor
        check_values(tensor, self.form)
        if self.form.state_axis is not None:
            return tensor.movedim(self.form.state_axis, 1)
        return tensor

    def count_constant(self, block: np.ndarray) -> int:
        """Count the samples in which all voxels, or all lags, are equal."""
        voxels = block.reshape(len(block), *self.shape)
        if self.form is not None and self.form.state_axis is None:
            voxels = voxels[..., None]
        elif self.form is not None and self.form.state_axis is not None:
            voxels = np.moveaxis(voxels, self.form.state_axis, -1)
        flat = voxels.reshape(len(block), -1, voxels.shape[-1])
        return int((flat == flat[:, :1]).all((1, 2)).sum())

    def accept(self, array: Any) -> Any:
        """Return an array whose samples are held like those passed to `fit`.

        Raises
        ------
        InputError
            For another shape, permuted axes included, or another kind of values.
        """
        if tuple(array.shape) == self.given:
            raise InputError(
                f"Samples of shape {self.given} are expected, with an axis of samples before them, but an array of "
                f"shape {self.given} was given. For one sample pass X[None]."
            )
        if tuple(array.shape[1:]) != self.given:
            raise InputError(
                f"Samples of shape {self.given} are expected, as they were passed to fit, but the samples have the "
                f"shape {tuple(array.shape[1:])}. Pass them with the same axes in the same order."
            )
        labels = self.form is not None and self.form.kind == LABELS
        discretised = self.form is not None and self.form.kind == STATES
        if array.dtype.kind not in "biuf" or (not discretised and labels != (array.dtype.kind in "biu")):
            expected = "integer phase labels" if labels else "real numbers"
            raise InputError(
                f"The model was fitted on {expected}, but the array has the type {array.dtype}. Convert it with astype."
            )
        return array

    def check_phase_values(self, values: Any) -> None:
        """Refuse structures whose phases are other values of a file than those passed to `fit`.

        Raises
        ------
        InputError
            If both are known and differ. Phases at the end of the list may be absent.
        """
        if same_phases(values, self.phase_values):
            return
        assert self.phase_values is not None
        raise InputError(
            f"The phases of the structures do not mean the same as those of the model: phases 0, 1, ... are the values "
            f"{list(values)} in the file of the structures, but {list(self.phase_values)} in that of the training set. "
            f"Open or import the file again with phase_values={list(self.phase_values)} (command line: matvae import "
            "FILE OUT.zarr --phase-values-of MODEL)."
        )

    def structure_shape(self, grid: Grid) -> tuple[int, ...]:
        """Shape of one structure as `restore` returns it."""
        return grid.shape if self.form is None else self.given

    def structure_dtype(self, grid: Grid) -> np.dtype:
        """Type of structures as `restore` returns them."""
        if self.form is not None:
            return self.dtype
        return np.dtype(np.uint8 if grid.phases > 1 else np.float32)

    def restore(self, labels: np.ndarray, phases: int) -> np.ndarray:
        """Convert labels or a field ``(sample, *space)`` to the shape, form and type of the samples.

        Labels remain as they are if the samples were statistics.
        """
        if self.form is None:
            return labels
        values = labels
        if self.form.state_axis is not None:
            states = [labels] if phases == 1 else [labels == state for state in range(phases)]
            values = np.stack(states, axis=self.form.state_axis)
        return values.reshape(len(values), *self.given).astype(self.dtype, copy=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "given": list(self.given),
            "shape": list(self.shape),
            "form": None if self.form is None else asdict(self.form),
            "dtype": str(self.dtype),
            "phase_values": None if self.phase_values is None else list(self.phase_values),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SampleLayout:
        """Build a layout from the values of `to_dict`."""
        form, phase_values = values["form"], values.get("phase_values")
        return cls(
            given=tuple(values["given"]),
            shape=tuple(values["shape"]),
            form=None if form is None else Form(**{**form, "space": tuple(form["space"])}),
            dtype=np.dtype(values["dtype"]),
            phase_values=None if phase_values is None else tuple(phase_values),
        )


def same_phases(values: Sequence[Any] | None, fitted: Sequence[Any] | None) -> bool:
    """Whether phases that were these values in a file are those of a fit, as far as both are known.

    The last phases of the fit may be absent.
    """
    return values is None or fitted is None or list(values) == list(fitted)[: len(values)]


def as_given(X: Any) -> Given:
    """Return what a user passed as a numpy or dask array, and what is known of it.

    `Structures`, files, DataArrays and dask arrays are read as they are, torch tensors, lists and data frames as numpy.
    A sparse matrix stays what it is, for scikit-learn to refuse in its own words. Voxels outside a mask become 0,
    whatever they hold.

    Raises
    ------
    InputError
        For a list of arrays of different shapes, or a file that cannot be read.
    """
    refuse_masked_array(X)
    structures = given(X)
    if structures.mask is not None:
        return replace(structures, array=without_outside(structures.array, structures.mask))
    array = structures.array
    if isinstance(array, np.ndarray) or is_dask(array) or hasattr(array, "tocsr"):
        return structures
    if isinstance(array, Tensor):
        return replace(structures, array=array.detach().cpu().numpy())
    try:
        return replace(structures, array=np.asarray(array))
    except ValueError as error:
        shapes = sorted({np.shape(sample) for sample in array}) if isinstance(array, list | tuple) else []
        raise InputError(
            f"An array (sample, *space) of structures of one shape is expected, but a {type(array).__name__} of "
            f"different shapes was given{': ' if shapes else ''}{', '.join(map(str, shapes[:5]))}. Cut windows of one "
            "size from each image with matvae.data.windows(X[None], size)."
        ) from error


def layout_of_structures(
    X: Any, *, phases: int | str, sample_shape: Sequence[int] | None, state_axis: int | None
) -> SampleLayout:
    """Decide how an array of structures holds its voxels.

    Raises
    ------
    InputError
        If axes, types and parameters contradict each other.
    """
    given = tuple(int(n) for n in X.shape[1:])
    shape = given
    if sample_shape is not None:
        shape = _restored_shape(given, tuple(int(n) for n in sample_shape), state_axis)
    integer = X.dtype.kind in "biu"
    if not integer and X.dtype.kind != "f":
        raise InputError(f"Integer labels or real numbers are expected, but the array has the type {X.dtype}.")
    form = find_form(
        (len(X), *shape),
        integer,
        phases=check_phases(phases),
        state_axis=state_axis,
        count=lambda: count_phases(X),
    )
    return SampleLayout(given, shape, form, np.dtype(X.dtype))


def _restored_shape(given: tuple[int, ...], space: tuple[int, ...], state_axis: int | None) -> tuple[int, ...]:
    """Shape of one sample with the axes that `sample_shape` names, from a flattened or a complete one."""
    n_voxels = math.prod(space)
    if state_axis is None:
        if given == space or given == (n_voxels,):
            return space
    elif n_voxels and math.prod(given) % n_voxels == 0:
        # Without the sample axis, the states lie one axis earlier.
        position = state_axis % (len(space) + 2) - 1
        complete = (*space[:position], math.prod(given) // n_voxels, *space[position:])
        if given == complete or len(given) == 1:
            return complete
    raise InputError(
        f"sample_shape={space} means samples of that shape, or flattened to {n_voxels} voxels, but samples of shape "
        f"{given} were given. Pass the shape of one structure, without the sample axis."
    )


def layout_of_statistics(
    X: Any,
    *,
    phases: int | str,
    sample_shape: Sequence[int] | None,
    correlations: Sequence[Sequence[int]] | None,
    periodic: bool,
    cutoff: int | Sequence[int] | None,
) -> tuple[SampleLayout, Grid]:
    """Decide how an array of 2-point statistics is laid out, and to which structures they belong.

    Raises
    ------
    InputError
        If lags or correlations do not match the parameters.
    """
    given = tuple(int(n) for n in X.shape[1:])
    if X.dtype.kind != "f":
        raise InputError(f"2-point statistics are real numbers, but the array has the type {X.dtype}.")
    if sample_shape is None:
        if not periodic or cutoff is not None or len(given) < 2:
            raise InputError(
                "The shape of the structures does not follow from these statistics: pass sample_shape=(...), the "
                "number of voxels of one structure along each axis."
            )
        sample_shape = given[:-1]
    space = tuple(int(n) for n in sample_shape)
    lags = lag_shape(space, periodic, cutoff)
    n_lags = math.prod(lags)
    flat = len(given) == 1 and given[0] % n_lags == 0
    if not flat and given[:-1] != lags:
        raise InputError(
            f"Statistics of structures of shape {space} ({'periodic' if periodic else 'non-periodic'}, "
            f"cutoff={cutoff}) have the shape (sample, {', '.join(map(str, lags))}, correlation), but samples of shape "
            f"{given} were given. Crop them to a cutoff, or pass the settings with which they were computed."
        )
    n_correlations = given[0] // n_lags if flat else given[-1]
    n_phases = _n_phases(n_correlations, phases, correlations)
    pairs = resolve_correlations(correlations, n_phases)
    if len(pairs) != n_correlations:
        raise InputError(
            f"{len(pairs)} correlations {list(pairs)} are expected for {n_phases} phases, but the statistics hold "
            f"{n_correlations}. Name them: correlations=[(h, h'), ...]."
        )
    grid = Grid(space, phases=n_phases, periodic=periodic)
    return SampleLayout(given, (*lags, n_correlations), None, np.dtype(X.dtype)), grid


def _n_phases(n_correlations: int, phases: int | str, correlations: Sequence[Sequence[int]] | None) -> int:
    n_phases = check_phases(phases)
    if n_phases is not None:
        return n_phases
    if correlations is not None:
        return max(2, 1 + max(int(state) for pair in correlations for state in pair))
    n_phases = (1 + math.isqrt(1 + 8 * n_correlations)) // 2
    if n_phases * (n_phases - 1) // 2 != n_correlations:
        raise InputError(
            f"{n_correlations} correlations cannot be the default set, which has H(H-1)/2 for H phases. Name them with "
            "correlations=[...] and pass phases=H."
        )
    return n_phases


def _grid_of(known: Mapping[str, Any], form: Form, periodic: bool) -> Grid:
    """Grid of the structures, with the axes, voxel size, unit and origin that are known."""
    if len(known.get("axes", ())) != len(form.space):
        return Grid(form.space, phases=form.phases, periodic=periodic)
    if periodic and not known.get("periodic", True):
        warn(
            "These structures are not periodic (grid.periodic is False), but are treated as periodic. Pass "
            "periodic=False, and a cutoff of about half the window."
        )
    return Grid(form.space, **{**known, "phases": form.phases, "periodic": periodic})


def _warn_of_guessed_axes(shape: Sequence[int], state_axis: int | None) -> None:
    """Warn of samples whose number of spatial axes follows from the array alone, and may be another one."""
    space = spatial_lengths(shape, state_axis)
    if len(space) == 1:
        warn(
            f"An array of shape {tuple(shape)} is taken as {shape[0]} structures of {space[0]} voxels in one "
            f"dimension; if they are, pass sample_shape=({space[0]},). If each row is a flattened image, pass "
            "sample_shape=(y, x). A single image has to be cut into windows: matvae.data.windows(X[None], size)."
        )
    warn_of_axes(
        shape,
        state_axis,
        two_dimensional=f"sample_shape={tuple(space)}",
        one_structure="matvae.data.windows({}, size)",
    )
