"""Axes: which axis of an array is that of the samples, and which are space.

The words of the file come first, options of the user overrule them, and what then remains a guess is said or refused
with the option that settles it. Axes are letters: ``s`` sample, ``t`` time, ``c`` channel (also colour or local state),
``z y x`` space, and ``q`` for an axis that a file does not explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..warn import warn
from .channels import ADVICE, one_channel
from .lazy_array import LazyArray
from .readers import Source

SPACE = "zyx"
_LETTERS = "stczyx"
# A last axis of 3 or 4 is taken for that of colours, or one of few states for a one-hot encoding, only if the other
# axes are at least this long.
_LEAST_IMAGE = 8
_MOST_STATES = 16
# Values that are read to recognize a one-hot encoding.
_PROBED_VALUES = 2**20


class AxesError(InputError):
    """Axes that cannot be those of samples and space.

    Parameters
    ----------
    problem : str
        What is wrong with the array, and how to mend it.
    meanings : sequence of str
        Letters that say what the axes are, if they are samples and space after all.
    otherwise : str
        How to say so.
    """

    def __init__(self, problem: str, meanings: Sequence[str] = (), otherwise: str = "") -> None:
        super().__init__(f"{problem} {otherwise}".strip())
        self.problem, self.meanings = problem, tuple(meanings)


@dataclass(frozen=True)
class Arranged:
    """An array whose axes are known.

    Parameters
    ----------
    array : LazyArray
        ``(sample, *space)``.
    axes : tuple of str
        Letters of the spatial axes, in array order.
    voxel_size, origin : tuple of float or None
        One number per spatial axis.
    taken : str
        What each axis of the array in the file was taken for, and why: ``"zyx, as the file states"``.
    meanings : tuple of str
        If what was taken is a guess, letters for each meaning that the axes may have, the guess first.
    channels : str
        Why one channel was taken of several; empty if there are no others.
    """

    array: LazyArray
    axes: tuple[str, ...]
    voxel_size: tuple[float, ...] | None
    origin: tuple[float, ...] | None
    taken: str
    meanings: tuple[str, ...] = ()
    channels: str = ""


def arrange(source: Source, axes: str | None = None, spatial_dims: int | None = None) -> Arranged:
    """Decide what each axis of an array is, and bring them into the order ``(sample, *space)``.

    Parameters
    ----------
    source : Source
        What a reader returned.
    axes : str, optional
        One letter per axis, such as ``"zyx"`` or ``"syx"``; overrules the file. Axes of length one may be left out.
    spatial_dims : int, optional
        Number of spatial axes; overrules the file.

    Returns
    -------
    Arranged
        Times are samples. Of equal channels one is taken. Axes of length one other than space are dropped, and so is a
        single layer z unless it is asked for.

    Raises
    ------
    AxesError
        If an axis is that of channels or colours that differ, or of local states, or looks like it.
    InputError
        If the letters do not fit the array.
    """
    array = source.array
    stated = _stated(source)
    meanings: tuple[str, ...] = ()
    if axes is not None:
        letters, reason = _given(array, axes, spatial_dims), "as given"
    elif stated is None:
        letters = _by_number(array, spatial_dims)
        reason = "by the number of axes" if spatial_dims is None else f"for {spatial_dims} spatial axes"
        if spatial_dims != len(SPACE):
            _refuse_colours_and_states(array, letters)
    else:
        letters = _recount(array, stated, spatial_dims)
        reason = source.reason if letters == stated else f"for {spatial_dims} spatial axes"
    if 0 in array.shape:
        raise _wrong_axes(array, spatial_dims)
    array, channels = _without_channels(array, letters, source.channels)
    _refuse_channels(array, letters)
    if not set(_long(array, letters)) & set("stz") and "q" in _long(array, letters) and spatial_dims is None:
        meanings = _warn_of_guess(array, letters)
        reason = "a guess"
    elif axes is None and spatial_dims is None and source.other_axes:
        meanings = (letters, *source.other_axes)
        warn(
            f"{array.source} does not say what its axes are: they are taken to be {', '.join(letters)}. Say which they "
            f"are: {_option(meanings)}."
        )
    keeps_layer = axes is not None or spatial_dims is not None
    kept = [i for i, letter in enumerate(letters) if _is_kept(letter, array.shape[i], letters, keeps_layer)]
    space = sorted((i for i in kept if letters[i] in SPACE), key=lambda i: SPACE.index(letters[i]))
    samples = [i for i in kept if i not in space]
    if len(samples) > 1 or (spatial_dims is not None and len(space) != spatial_dims):
        raise _wrong_axes(array, spatial_dims)
    return Arranged(
        _reorder(array, samples, space),
        tuple(letters[i] for i in space),
        _of_axes(source, source.voxel_size, stated, letters, space, "voxel size"),
        _of_axes(source, source.origin, stated, letters, space, "origin"),
        f"{''.join(letters[i] for i in kept).replace('q', 's')}, {reason}",
        meanings,
        channels,
    )


def _without_channels(array: LazyArray, letters: str, channels: str) -> tuple[LazyArray, str]:
    """Take one of several equal channels, and say so."""
    if "c" in _long(array, letters):
        found = one_channel(array, next(i for i, letter in enumerate(letters) if letter == "c" and array.shape[i] > 1))
        if found is not None:
            return found
    return array, channels


def _stated(source: Source) -> str | None:
    """Return the letters of the axes in the words of the file, if it has any."""
    if source.axes is not None or source.spatial_dims is None:
        return source.axes
    return _by_number(source.array, source.spatial_dims)


def _given(array: LazyArray, axes: str, spatial_dims: int | None) -> str:
    """Check letters that a user gave, and supply those of axes of length one that were left out."""
    letters = axes.lower() if isinstance(axes, str) else ""
    n_space = sum(letter in SPACE for letter in letters)
    if not n_space or len(set(letters)) != len(letters) or not set(letters) <= set(_LETTERS):
        raise InputError(
            "axes must name each axis by a different letter, s (sample), t (time), c (channel), z, y or x, with at "
            f"least one of z, y and x, such as 'zyx' or 'syx', but {axes!r} was given."
        )
    if spatial_dims not in (None, n_space):
        raise InputError(
            f"axes={axes!r} names {n_space} spatial axes, but the window, region or spatial_dims is given for "
            f"{spatial_dims}. Give one entry per letter z, y and x."
        )
    if len(letters) == array.ndim:
        return letters
    if len(letters) == sum(length > 1 for length in array.shape):
        rest = iter(letters)
        return "".join("q" if length == 1 else next(rest) for length in array.shape)
    raise InputError(
        f"axes={axes!r} names {len(letters)} axes, but {array.source} has the shape {array.shape}. Give one letter per "
        "axis; those of length one may be left out."
    )


def _by_number(array: LazyArray, spatial_dims: int | None) -> str:
    """Assign letters by the number of axes alone, as in arrays without names."""
    # A last axis of length one is that of the only channel.
    has_channel = array.ndim > (spatial_dims or 2) and array.shape[-1] == 1
    ndim = array.ndim - has_channel
    if spatial_dims is None:
        letters = {1: "x", 2: "yx", 3: "qyx", 4: "szyx"}.get(ndim)
    else:
        space = SPACE[-spatial_dims:]
        letters = {spatial_dims: space, spatial_dims + 1: f"s{space}"}.get(ndim)
    if letters is None or 0 in array.shape:
        raise _wrong_axes(array, spatial_dims)
    return letters + "c" * has_channel


def _recount(array: LazyArray, stated: str, spatial_dims: int | None) -> str:
    """Give an array as many spatial axes as the user says: slices become samples, or the other way round."""
    letters = list(stated)
    space = [i for i, letter in enumerate(letters) if letter in SPACE]
    surplus = 0 if spatial_dims is None else len(space) - spatial_dims
    for i in space[: max(0, surplus)]:
        letters[i] = "s"
    if surplus < 0:
        # Only axes before those of space: colours are last.
        before = [i for i in range(space[0] if space else array.ndim) if array.shape[i] > 1]
        missing = [letter for letter in reversed(SPACE) if letter not in stated]
        for i, letter in zip(before[surplus:][::-1], missing, strict=False):
            letters[i] = letter
    return "".join(letters)


def _refuse_channels(array: LazyArray, letters: str) -> None:
    for i, letter in enumerate(letters):
        if letter == "c" and array.shape[i] > 1:
            free = [letter for letter in ("z", "s") if letter not in letters]
            meanings = [_named(letters[:i] + letter + letters[i + 1 :]) for letter in free]
            raise AxesError(
                f"{array.source} should have one value per voxel, but has {array.shape[i]} channels or colours that "
                f"differ (axes {letters} of lengths {array.shape}). {ADVICE}",
                meanings,
                f"If these are not channels, say what they are: {_option(meanings)}." if meanings else "",
            )


def _named(letters: str) -> str:
    """Give axes that a file does not explain the letters that are left, so that a user can type them."""
    left = iter([letter for letter in "stz" if letter not in letters])
    return "".join(next(left, letter) if letter == "q" else letter for letter in letters)


def _refuse_colours_and_states(array: LazyArray, letters: str) -> None:
    """Refuse arrays without words for their axes if one of these looks like that of colours or of local states."""
    ndim = len(letters) - letters.count("c")
    if ndim < 3 or ndim != array.ndim:
        return
    meanings = ["szyx"] if ndim == 4 else ["syx", "zyx"]
    if array.shape[-1] in (3, 4) and min(array.shape[-3:-1]) >= _LEAST_IMAGE:
        raise AxesError(
            f"{array.source} should have one value per voxel, but its last axis looks like that of colours (RGB or "
            f"RGBA): its shape is {array.shape}. {ADVICE}",
            meanings,
            f"If it is an axis of space, say so: {_option(meanings)}.",
        )
    for axis in (ndim - 1, ndim - 3):
        others = [length for i, length in enumerate(array.shape) if i >= ndim - 3 and i != axis]
        length = array.shape[axis]
        if 2 <= length <= _MOST_STATES and min(others) >= max(_LEAST_IMAGE, length + 1) and _is_one_hot(array, axis):
            raise AxesError(
                f"{array.source} should hold one label per voxel, but its axis {axis} looks like that of {length} "
                "local states (one-hot): of the values along it, one is 1 and the others are 0. Its shape is "
                f"{array.shape}. Save the labels instead, array.argmax(axis={axis}).",
                meanings,
                f"If it is an axis of space or of samples, say so: {_option(meanings)}.",
            )


def _is_one_hot(array: LazyArray, axis: int) -> bool:
    """Return whether one value along an axis is 1, not always the same, and the others are 0, in part of an array."""
    others = array.ndim - 1
    most = int((_PROBED_VALUES / array.shape[axis]) ** (1 / others))
    box = tuple(slice(None) if i == axis else slice(0, most) for i in range(array.ndim))
    values = np.moveaxis(array[box], axis, -1)
    if not ((values == 0) | (values == 1)).all() or not (values.sum(axis=-1, dtype=np.int64) == 1).all():
        return False
    return len(np.unique(values.argmax(axis=-1))) > 1


def _warn_of_guess(array: LazyArray, letters: str) -> tuple[str, str]:
    """Warn that images may be slices, and return the letters for both."""
    length = array.shape[letters.index("q")]
    images, volume = letters.replace("q", "s"), letters.replace("q", "z")
    warn(
        f"{array.source} does not say what its first axis is: it is read as a stack of {length} images, not as a "
        f"volume of {length} slices. Say which it is: {_option([images, volume])}."
    )
    return images, volume


def _option(meanings: Sequence[str]) -> str:
    """Name the option that settles what the axes are, in Python and on the command line."""
    return (
        f"{' or '.join(f'axes={letters!r}' for letters in meanings)} (command line: matvae import FILE OUT.zarr --axes "
        f"{' or '.join(meanings)})"
    )


def _wrong_axes(array: LazyArray, spatial_dims: int | None) -> InputError:
    expected = "1 to 4 axes" if spatial_dims is None else f"{spatial_dims} or {spatial_dims + 1} axes"
    return InputError(
        f"{array.source} should have {expected} (space, or samples and space), none of them empty, but its shape is "
        f"{array.shape}. Choose another array with name='...', or say what its axes are with axes='...', a letter per "
        "axis (command line: matvae import FILE OUT.zarr --name or --axes)."
    )


def _long(array: LazyArray, letters: str) -> str:
    return "".join(letter for letter, length in zip(letters, array.shape, strict=True) if length > 1)


def _is_kept(letter: str, length: int, letters: str, keeps_layer: bool) -> bool:
    if letter not in SPACE:
        return length > 1
    return length > 1 or keeps_layer or letter != "z" or "y" not in letters


def _reorder(array: LazyArray, samples: Sequence[int], space: Sequence[int]) -> LazyArray:
    """Return ``(sample, *space)`` of the given axes; the others have length one."""
    order = [*samples, *space]
    for axis in reversed(range(array.ndim)):
        if axis not in (*samples, *space):
            array = array.squeeze(axis)
            order = [i - (i > axis) for i in order]
    array = array.transpose(order)
    return array if samples else array.expand()


def _of_axes(
    source: Source, values: tuple[float, ...] | None, stated: str | None, letters: str, space: Sequence[int], what: str
) -> tuple[float, ...] | None:
    """Return the value of each spatial axis, such as its voxel size, or None if that of one is unknown."""
    if values is None:
        return None
    own = [letter for letter in stated or "" if letter in SPACE]
    # Files may state the distance between slices without calling them that.
    known = dict(zip(own if len(own) == len(values) else SPACE[-len(values) :], values, strict=True))
    found = [known.get(stated[i] if stated and stated[i] in SPACE else letters[i]) for i in space]
    unknown = " and ".join(letters[i] for i, value in zip(space, found, strict=True) if value is None)
    if unknown:
        warn(
            f"{source.array.source} states a {what} along {' and '.join(known)}, but not along {unknown}, so that none "
            "is kept."
            + (
                " Give voxel_size=(...), one length per axis (command line: matvae import FILE OUT.zarr --voxel-size)."
                if what == "voxel size"
                else ""
            )
        )
        return None
    return tuple(value for value in found if value is not None)
