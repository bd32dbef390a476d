"""ModelCard: what whoever receives a model has to know of it, and does not see from its weights.

It holds what is known and None for what is not, so that a card never says more than was recorded or measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..data.windows import POSITION
from ..errors import InputError
from ..given import Given

# Length of the texts of a card, so that those of strangers stay readable.
MOST_CHARACTERS, MOST_ROWS = 2000, 100
DISJOINT = "training and measured windows lie in disjoint regions of the same images"
OVERLAPPING = "training and measured windows lie in overlapping regions of the same images: the errors are too small"
UNKNOWN_SPLIT = "not known: the data do not record from which regions of which images the windows were cut"
# Columns of errors in a card: median centred errors, at short lags and at all, of decoded statistics and of structures.
ERRORS = ("decoded_short", "decoded_all", "realized_short", "realized_all")


@dataclass(frozen=True)
class MeasuredErrors:
    """Errors of a model, measured by `matvae.jobs.evaluate_model`.

    Parameters
    ----------
    data : str
        Name of the structures that were measured.
    n_windows, n_realized : int
        Windows that were measured, and those among them whose latents were realized as structures.
    split : str
        How these and the training windows lie to each other, in words.
    short : str or None
        Largest of the short lags, in voxels; None if the lags are too few.
    rows : tuple of dict
        One per method: ``name``, ``realize`` (how structures came about, or None), and the median centred errors
        `ERRORS`, 1 for the training mean; None where there are none.
    summary : str
        The errors beside PCA and the floor, in a sentence or two.
    version : str
        Of matvae.
    """

    data: str
    n_windows: int
    n_realized: int
    split: str
    short: str | None
    rows: tuple[Mapping[str, Any], ...]
    summary: str
    version: str

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MeasuredErrors:
        """Check the values of a file, which may be anything.

        Raises
        ------
        InputError
            If they are not those of a card.
        """
        rows = values["rows"]
        if not isinstance(rows, list) or len(rows) > MOST_ROWS:
            raise InputError(f"the rows of a card must be a list of at most {MOST_ROWS}")
        texts = {name: _text(name, values[name]) or "" for name in ("data", "split", "summary", "version")}
        checked = tuple(
            {
                "name": _text("name", row["name"]),
                "realize": _text("realize", row["realize"]),
                **{error: _number(error, row[error]) for error in ERRORS},
            }
            for row in rows
        )
        return cls(
            n_windows=_count("n_windows", values["n_windows"]) or 0,
            n_realized=_count("n_realized", values["n_realized"]) or 0,
            short=_text("short", values["short"]),
            rows=checked,
            **texts,
        )


@dataclass(frozen=True)
class ModelCard:
    """Origin of the training windows, errors, and what a model is for; None where this is not known.

    Parameters
    ----------
    name : str, optional
        Name of the data set or of the files.
    licence, citation, source : str, optional
        Terms of use of the data, the publication to cite, and where the data come from.
    sources : tuple of str
        Names of the images from which the windows were cut.
    n_windows : int, optional
        Number of training windows.
    region : mapping of str to (int, int), optional
        Axis to the range of voxels of the images in which the windows lie.
    phase_names : tuple of str
        Name of phase 0, 1, ...; empty if the phases have none.
    uses, limits : str, optional
        What the model may be used for and what not, in the words of whoever made it.
    measured : MeasuredErrors, optional
        Errors on other structures.
    """

    name: str | None = None
    licence: str | None = None
    citation: str | None = None
    source: str | None = None
    sources: tuple[str, ...] = ()
    n_windows: int | None = None
    region: Mapping[str, tuple[int, int]] | None = None
    phase_names: tuple[str, ...] = ()
    uses: str | None = None
    limits: str | None = None
    measured: MeasuredErrors | None = None

    @classmethod
    def of_data(cls, structures: Given) -> ModelCard:
        """Describe training windows by what their store records."""
        attributes = structures.attributes
        record = attributes.get("dataset")
        record = record if isinstance(record, Mapping) else {}
        sources = _lines(attributes.get("sources"))
        return cls(
            name=_line(record.get("name")) or ", ".join(sources)[:MOST_CHARACTERS] or None,
            licence=_line(attributes.get("licence")),
            citation=_line(attributes.get("citation")),
            source=_line(record.get("url")) or _line(attributes.get("source")),
            sources=sources,
            n_windows=len(structures.array),
            region=_region(structures),
            phase_names=_lines(attributes.get("phase_names")),
        )

    def split_from(self, other: ModelCard) -> str:
        """How the windows of this card and those of another one lie to each other, in words."""
        if self.region is None or other.region is None or self.name is None:
            return UNKNOWN_SPLIT
        if (self.name, self.sources) != (other.name, other.sources) or set(self.region) != set(other.region):
            return UNKNOWN_SPLIT
        apart = any(
            start >= other.region[axis][1] or other.region[axis][0] >= stop
            for axis, (start, stop) in self.region.items()
        )
        return DISJOINT if apart else OVERLAPPING

    def to_dict(self) -> dict[str, Any]:
        """Return the values in a form that JSON can hold."""
        values = asdict(self)
        values["region"] = None if self.region is None else {axis: list(ends) for axis, ends in self.region.items()}
        values["sources"], values["phase_names"] = list(self.sources), list(self.phase_names)
        if self.measured is not None:
            values["measured"]["rows"] = [dict(row) for row in self.measured.rows]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelCard:
        """Check the values of a file, which may be anything.

        Raises
        ------
        InputError
            If a text is not one printable line, or a number is none.
        """
        region, measured = values.get("region"), values.get("measured")
        texts = ("name", "licence", "citation", "source", "uses", "limits")
        return cls(
            **{name: _text(name, values.get(name)) for name in texts},
            sources=_texts("sources", values.get("sources", [])),
            phase_names=_texts("phase_names", values.get("phase_names", [])),
            n_windows=_count("n_windows", values.get("n_windows")),
            region=None if region is None else {str(axis): _range(ends) for axis, ends in dict(region).items()},
            measured=None if measured is None else MeasuredErrors.from_dict(dict(measured)),
        )


def _region(structures: Given) -> dict[str, tuple[int, int]] | None:
    """Box that contains all windows, if every axis of their positions is known."""
    axes, shape = structures.known.get("axes"), structures.array.shape[1:]
    if not axes or len(axes) != len(shape) or any(f"{POSITION}{axis}" not in structures.properties for axis in axes):
        return None
    positions = {axis: structures.properties[f"{POSITION}{axis}"] for axis in axes}
    return {
        axis: (int(positions[axis].min()), int(positions[axis].max()) + int(n))
        for axis, n in zip(axes, shape, strict=True)
    }


def _line(value: Any) -> str | None:
    """A text of a store as one printable line; None if it is no text, or empty."""
    if not isinstance(value, str):
        return None
    printable = "".join(character if character.isprintable() else " " for character in value)
    return " ".join(printable.split())[:MOST_CHARACTERS] or None


def _lines(values: Any) -> tuple[str, ...]:
    """Texts of a store, if it holds such a list."""
    lines = [_line(value) for value in values] if isinstance(values, list | tuple) else []
    return tuple(line for line in lines if line)


def _text(name: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value.isprintable() and len(value) <= MOST_CHARACTERS):
        return value
    raise InputError(f"{name} on a card must be one printable line of at most {MOST_CHARACTERS} characters")


def _texts(name: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple):
        raise InputError(f"{name} on a card must be a list of texts")
    return tuple(_text(name, value) or "" for value in values)


def _count(name: str, value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise InputError(f"{name} on a card must be a number of windows")


def _number(name: str, value: Any) -> float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise InputError(f"{name} on a card must be a number")


def _range(ends: Any) -> tuple[int, int]:
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise InputError("the region on a card must have a start and a stop for every axis")
    start, stop = (_count("region", end) for end in ends)
    return start or 0, stop or 0
