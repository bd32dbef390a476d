"""Random splits, and refusal of properties and sizes that cannot be compared."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae import Grid, Structures
from matvae.errors import InputError
from matvae.jobs.compare.split import check_sizes, linked_properties, random_split


def numbered(n, **properties):
    """Return structures whose voxels all hold the index of the structure."""
    labels = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None], (n, 4))
    data = da.from_array(labels, chunks=(3, 4))
    return Structures(data, Grid((4,), phases=255), {"number": np.arange(n), **properties})


@pytest.mark.parametrize(("n", "held_out", "n_held"), [(10, 0.2, 2), (11, 0.3, 3), (40, 0.5, 20)])
def test_the_parts_are_disjoint_and_complete(n, held_out, n_held):
    training, test = random_split(numbered(n), held_out, seed=0)
    assert (len(training), len(test)) == (n - n_held, n_held)
    for part in (training, test):
        assert part.data.compute()[:, 0].tolist() == part.properties["number"].tolist()
        assert part.grid == Grid((4,), phases=255)
    both = [*training.properties["number"], *test.properties["number"]]
    assert sorted(both) == list(range(n))


def test_the_seed_determines_the_split():
    first, again, other = (random_split(numbered(40), 0.5, seed)[1].properties["number"].tolist() for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("held_out", [0.0, 1.0, -0.1, float("nan")])
def test_the_held_out_fraction_lies_between_0_and_1(held_out):
    with pytest.raises(InputError, match="between 0 and 1"):
        random_split(numbered(10), held_out, 0)


@pytest.mark.parametrize(("n", "held_out"), [(4, 0.2), (6, 0.1), (6, 0.9)])
def test_each_part_needs_a_few_structures(n, held_out):
    with pytest.raises(InputError, match="at least 3 and 2 are needed"):
        random_split(numbered(n), held_out, 0)


def test_all_properties_that_both_parts_have_are_linked(caplog):
    training, test = numbered(5, k=np.arange(5.0)), numbered(6, other=np.ones(6))
    assert linked_properties(training, test, None, "a.zarr", "b.zarr") == ["number"]
    assert "['k', 'other']" in caplog.text
    assert linked_properties(training, training, ["k", "number", "k"], "a.zarr", "b.zarr") == ["k", "number"]
    assert linked_properties(training, training, "k", "a.zarr", "b.zarr") == ["k"]


def test_positions_of_windows_are_no_properties_to_predict():
    training, test = (numbered(n, position_x=np.arange(float(n)), k=np.arange(float(n))) for n in (5, 6))
    assert linked_properties(training, test, None, "a.zarr", "b.zarr") == ["number", "k"]
    assert linked_properties(training, test, "position_x", "a.zarr", "b.zarr") == ["position_x"]


def test_unknown_properties_are_refused():
    training, test = numbered(5, modulus=np.arange(5.0)), numbered(6)
    with pytest.raises(InputError, match=r"a.zarr has no property 'modulos'; .* Did you mean 'modulus'"):
        linked_properties(training, test, "modulos", "a.zarr", "b.zarr")
    with pytest.raises(InputError, match=r"b.zarr has no property 'modulus'; it has number"):
        linked_properties(training, test, "modulus", "a.zarr", "b.zarr")
    bare = Structures(test.data, test.grid)
    with pytest.raises(InputError, match=r"has no properties, but the property 'k' was asked for"):
        linked_properties(bare, bare, "k", "a.zarr", "b.zarr")


@pytest.mark.parametrize(
    ("values", "message"),
    [([1.0, np.nan, 3.0, np.inf], "'k' is NaN or infinite for 2 of those in"), ([2.0] * 4, "'k' is 2 for all 4")],
)
def test_constant_or_missing_values_are_refused_in_either_part(values, message):
    good, bad = numbered(4, k=np.arange(4.0)), numbered(4, k=np.array(values))
    for parts in ((good, bad), (bad, good)):
        # Both parts of a random split come from the same path.
        with pytest.raises(InputError, match=message):
            linked_properties(*parts, "k", "a.zarr", "a.zarr")
        with pytest.raises(InputError, match=message):
            linked_properties(*parts, None, "a.zarr", "b.zarr")
        assert linked_properties(*parts, ["number"], "a.zarr", "b.zarr") == ["number"]


def test_too_many_components_are_refused():
    check_sizes([1, 5], 5, 2, 9)
    with pytest.raises(InputError, match="at most 4 components of 4 training structures with 9 statistics"):
        check_sizes([1, 5], 4, 2, 9)
    with pytest.raises(InputError, match="at most 3 components"):
        check_sizes([5], 40, 2, 3)
    with pytest.raises(InputError, match="there are 2 and 9"):
        check_sizes([1], 2, 9, 9)
