from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import torch

from matvae import stats
from matvae.stats import two_point_stats
from matvae.stats.map_samples import BlockFunction, as_tensor, is_dask, map_samples, whole_samples


def means(samples: int, block_lengths: list[int] | None = None, parallel: bool = True) -> BlockFunction:
    """Return the mean and weighted mean of every sample."""

    def run(block: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        if block_lengths is not None:
            block_lengths.append(len(block))
        weights = torch.ones(()) if mask is None else mask
        plain = block.flatten(1).mean(1)
        return torch.stack([plain, (block * weights).flatten(1).mean(1)], dim=1)

    return BlockFunction(run, lambda blocks: None, (2,), np.dtype(np.float32), samples, parallel)


@pytest.fixture(name="X")
def structures() -> np.ndarray:
    return np.random.default_rng(0).random((7, 4, 5), dtype=np.float32)


@pytest.mark.parametrize("samples", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("masked", [None, "shared", "per sample"])
def test_blocks_of_any_size_give_the_same_result(X, samples, masked):
    rng = np.random.default_rng(1)
    mask = {None: None, "shared": rng.random((4, 5)), "per sample": rng.random((7, 4, 5))}[masked]
    weights = None if mask is None else torch.from_numpy(mask).float()
    expected = np.stack([X.mean((1, 2)), (X * (1 if mask is None else mask)).mean((1, 2))], axis=1)
    per_sample = masked == "per sample"
    block_lengths: list[int] = []
    numpy = map_samples(X, means(samples, block_lengths), weights, mask_per_sample=per_sample)
    assert max(block_lengths) == min(samples, 7)
    tensor = map_samples(torch.from_numpy(X), means(samples), weights, mask_per_sample=per_sample)
    lazy_mask = da.from_array(mask.astype(np.float32), chunks=(2, 4, 5)) if per_sample else weights
    lazy = map_samples(da.from_array(X, chunks=(3, 2, 5)), means(samples), lazy_mask, mask_per_sample=per_sample)
    assert isinstance(numpy, np.ndarray)
    assert isinstance(tensor, torch.Tensor)
    assert is_dask(lazy)
    for result in (numpy, tensor, lazy.compute()):
        np.testing.assert_allclose(result, expected, rtol=1e-5)


@pytest.mark.parametrize("state_axis", [1, 2, 3])
def test_lazy_masks_are_paired_with_their_samples_for_any_state_axis(state_axis):
    rng = np.random.default_rng(0)
    states, mask = rng.random((6, 4, 4, 4), dtype=np.float32), rng.random((6, 4, 4), dtype=np.float32)

    def run(block: torch.Tensor, block_mask: torch.Tensor | None) -> torch.Tensor:
        assert block_mask is not None
        return (block.movedim(state_axis, -1) * block_mask.unsqueeze(-1)).sum((1, 2))

    function = BlockFunction(run, lambda blocks: None, (4,), np.dtype(np.float32), 2)
    eager = map_samples(states, function, torch.from_numpy(mask), mask_per_sample=True)
    lazy = map_samples(
        da.from_array(states, chunks=(4, 2, 2, 2)),
        function,
        da.from_array(mask, chunks=(1, 4, 1)),
        mask_per_sample=True,
        state_axis=state_axis,
    )
    np.testing.assert_allclose(lazy.compute(), eager, rtol=1e-6)


@pytest.mark.parametrize("parallel", [True, False])
def test_parallel_and_sequential_blocks_give_the_same_result(X, parallel):
    block_lengths: list[int] = []
    result = map_samples(X, means(3, block_lengths, parallel))
    np.testing.assert_allclose(result[:, 0], X.mean((1, 2)), rtol=1e-5)
    assert sorted(block_lengths) == [1, 3, 3]
    assert parallel or block_lengths == [3, 3, 1]


def test_all_samples_are_processed_at_once_for_a_gradient(X):
    block_lengths: list[int] = []
    tensor = torch.from_numpy(X).requires_grad_()
    map_samples(tensor, means(2, block_lengths)).sum().backward()
    assert block_lengths == [7]
    assert tensor.grad is not None
    block_lengths.clear()
    with torch.no_grad():
        assert not map_samples(tensor, means(2, block_lengths)).requires_grad
    assert sorted(block_lengths) == [1, 2, 2, 2]


def test_all_samples_are_processed_at_once_for_the_gradient_of_a_mask(X):
    block_lengths: list[int] = []
    mask = torch.ones(4, 5, requires_grad=True)
    map_samples(torch.from_numpy(X), means(2, block_lengths), mask)[:, 1].sum().backward()
    assert block_lengths == [7]
    np.testing.assert_allclose(mask.grad, X.sum(0) / 20, rtol=1e-5)


def test_all_blocks_are_checked_before_any_runs(X):
    block_lengths: list[int] = []

    def check(blocks):
        assert [len(block) for block in blocks] == [3, 3, 1]
        raise ValueError("refused")

    function = BlockFunction(means(3, block_lengths).run, check, (2,), np.dtype(np.float32), 3)
    with pytest.raises(ValueError, match="refused"):
        map_samples(X, function)
    assert block_lengths == []


def test_chunks_of_whole_samples_are_kept():
    X = da.zeros((9, 4, 5), chunks=((2, 3, 4), 4, 5))
    assert whole_samples(X) is X


def test_the_warning_about_merged_chunks_names_the_line_of_the_caller():
    X = da.zeros((4, 6, 6), chunks=(4, 3, 3))
    with pytest.warns(UserWarning, match="split the samples") as caught:
        two_point_stats(X)
    assert [warning.filename for warning in caught] == [__file__]


def test_merged_chunks_grow_only_if_a_single_sample_requires_it():
    with pytest.warns(
        UserWarning, match=r"Chunks of \(100, 16, 16\) split the samples.* chunks of \(6, 64, 64\), 0.188 MiB each"
    ):
        whole = whole_samples(da.zeros((100, 64, 64), chunks=(100, 16, 16)))
    assert whole.numblocks[1:] == (1, 1)
    assert np.prod(whole.chunksize) <= 100 * 16 * 16
    with pytest.warns(UserWarning, match="split the samples"):
        whole = whole_samples(da.zeros((3, 64, 64), chunks=(1, 8, 8)))
    assert whole.chunksize == (1, 64, 64)


@pytest.mark.parametrize(
    "dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "g", ">u2", ">f4"]
)
def test_arrays_of_every_type_become_tensors_with_the_same_values(dtype):
    array = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    tensor = as_tensor(array)
    assert tensor.tolist() == array.astype(float).tolist()
    assert tensor.dtype in {
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.float32,
        torch.float64,
    }


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint16, torch.uint32, torch.uint64, torch.float16])
def test_tensors_of_every_type_are_converted_to_types_that_torch_supports(dtype):
    tensor = as_tensor(torch.tensor([0, 1]).to(dtype))
    assert tensor.tolist() == [0, 1]
    assert torch.aminmax(tensor).max == 1


def test_memory_is_shared_only_if_it_is_writable():
    array = np.ones((2, 3), np.float32)
    assert as_tensor(array).data_ptr() == array.ctypes.data
    array.flags.writeable = False
    as_tensor(array)[:] = 0
    assert array.all()
    assert as_tensor(array[::-1, ::-1]).tolist() == array[::-1, ::-1].tolist()
    field = np.ones(4, dtype=[("label", "u1"), ("value", "f4")])["value"]
    assert as_tensor(field).tolist() == [1, 1, 1, 1]


@pytest.fixture
def torch_warnings_as_errors() -> Iterator[None]:
    """Make torch warn about read-only memory every time, not only once per process, and turn warnings into errors."""
    torch.set_warn_always(True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="All values are 0 or 1")
        yield
    torch.set_warn_always(False)


def read_only(array: np.ndarray, folder: Path) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def memory_mapped(array: np.ndarray, folder: Path) -> np.ndarray:
    np.save(folder / "array.npy", array)
    return np.load(folder / "array.npy", mmap_mode="r")


@pytest.mark.parametrize("protect", [read_only, memory_mapped])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize(
    "function",
    [
        *(stats.get_statistic(name) for name in stats.STATISTICS.builtin),
        stats.volume_fractions,
        lambda X: stats.radial_average(X[..., None]),
        lambda X: stats.statistics_distance(X, X[:1]),
        lambda X: stats.relative_error(X, X[:1]),
        lambda X: two_point_stats(np.ones(X.shape, np.uint8), mask=X),
        lambda X: two_point_stats(np.ones(X.shape, np.uint8), mask=X[0]),
        lambda X: two_point_stats(da.from_array(X, chunks=(1, 6, 5))).compute(scheduler="synchronous"),
    ],
    ids=lambda function: getattr(function, "name", None),
)
@pytest.mark.usefixtures("torch_warnings_as_errors")
def test_read_only_arrays_are_accepted_everywhere(function: Callable, dtype: type, protect: Callable, tmp_path: Path):
    X = np.random.default_rng(0).integers(0, 2, (3, 6, 5)).astype(dtype)
    original = X.copy()
    np.testing.assert_array_equal(function(protect(X, tmp_path)), function(original))
    np.testing.assert_array_equal(X, original)
