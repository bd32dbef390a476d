"""Training by two ranks is that by one process, whatever the loss needs of the whole batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from itertools import chain

import pytest
import torch
from torch import nn

from matvae.errors import InputError
from matvae.model.ranks import BatchPart, Ranks, as_ranks, current_ranks

# Trains one model of each kind; `RANK` and `WORLD_SIZE` say in which process.
PROGRAM = """
import os, sys
import dask.array as da, numpy as np, torch
from matvae import StatsVAETransformer, two_point_stats
from matvae.model import ranks
from matvae.model.ranks import Ranks, as_ranks
from scipy import ndimage

torch.set_num_threads(1)
# Some gradients are added by themselves, others together.
ranks.LARGE = 100
rank, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
if count > 1:
    torch.distributed.init_process_group("gloo")
noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((41, 12, 10)), (0, 1.5, 1.5), mode="wrap")
labels = (noise > 0.05).astype(np.uint8)
# A dilute sample, whose weight depends on the mean over the batch.
labels[3] = 0
labels[3, 5, 5] = 1
lazy = da.from_array(labels, chunks=(7, 12, 10))
three = np.digitize(noise, [-0.1, 0.1]).astype(np.uint8)
bars = np.zeros((24, 66, 66), np.uint8)
for bar, (y, x) in zip(bars, np.random.default_rng(1).integers(0, 40, (24, 2))):
    bar[y : y + 3, x : x + 20] = 1
common = dict(n_components=2, width=16, max_epochs=3, random_state=0, batch_size=7, decoder="dense")
runs = {
    "store": (lazy, {}),
    "memory, mixed and aligned": (labels, dict(mixing=0.7, aligned_fraction=1.0)),
    "time": (labels, dict(max_time=1000.0)),
    "voxels": (lazy, dict(encoder="image", loss="voxels")),
    "three phases": (three, dict(decoder="convolutional", periodic=False, cutoff=4, loss="absolute")),
    "fields": (noise, dict(random_state=None)),
    "statistics": (two_point_stats(labels), dict(input="statistics", sample_shape=(12, 10))),
    "coarse": (bars, dict(decoder="separable", aligned_fraction=0.0, learning_rate=1e-4)),
}
results = {}
with as_ranks(Ranks(rank, count, rank)):
    for name, (X, parameters) in runs.items():
        np.random.seed(0 if rank == 0 else 1)
        model = StatsVAETransformer(**{**common, **parameters}).fit(X)
        results[name] = (model.history_, model.module_.state_dict(), model.latent_spread_)
torch.save(results, sys.argv[1])
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What one process and each of two ranks learned, for each run of the program."""
    folder = tmp_path_factory.mktemp("ranks")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    processes = []
    for name, rank, count in (("one", 0, 1), ("first", 0, 2), ("second", 1, 2)):
        ranks = {"RANK": str(rank), "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        command = [sys.executable, "-c", PROGRAM, str(folder / name)]
        processes.append(subprocess.Popen(command, env={**os.environ, **ranks, "OMP_NUM_THREADS": "1"}))
    assert [process.wait(200) for process in processes] == [0, 0, 0]
    return {name: torch.load(folder / name, weights_only=False) for name in ("one", "first", "second")}


RUNS = ["store", "memory, mixed and aligned", "voxels", "three phases", "fields", "statistics", "coarse"]


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_two_ranks_learn_what_one_process_learns(results, run):
    history, weights, spread = results["one"][run]
    same_history, same_weights, same_spread = results["first"][run]
    for record, same in zip(history, same_history, strict=True):
        expected = {key: value for key, value in record.items() if key != "seconds"}
        assert {key: same[key] for key in expected} == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert same_spread == pytest.approx(spread, rel=1e-5)
    # The level set subtracts the mean: the gradient of this bias is zero but for rounding errors, which Adam magnifies.
    without = {"decoder.head.bias"}
    torch.testing.assert_close(
        {name: value for name, value in same_weights.items() if name not in without},
        {name: value for name, value in weights.items() if name not in without},
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.slow
@pytest.mark.parametrize("run", [*RUNS, "time"])
def test_ranks_never_drift_apart(results, run):
    (history, weights, _), (same_history, same_weights, _) = (results[rank][run] for rank in ("first", "second"))
    without_seconds = [[{k: v for k, v in r.items() if k != "seconds"} for r in h] for h in (history, same_history)]
    assert without_seconds[0] == without_seconds[1]
    assert weights.keys() == same_weights.keys()
    assert all(torch.equal(weight, same_weights[name]) for name, weight in weights.items())


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shares_make_up_the_whole(count):
    for n in (0, 1, 7, 30):
        shares = [list(range(n)[Ranks(number, count).share(n)]) for number in range(count)]
        assert list(chain(*shares)) == list(range(n))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_the_rows_of_a_part_follow_those_of_earlier_ranks():
    parts = [BatchPart(Ranks(number, 3), (3, 2, 4)) for number in range(3)]
    assert [range(9)[part.rows] for part in parts] == [range(3), range(3, 5), range(5, 9)]
    values = torch.arange(9.0)
    assert sum(float(part.share_of_mean(values[part.rows])) for part in parts) == pytest.approx(4.0)


def test_a_single_process_has_the_whole_batch():
    ranks = Ranks()
    part, values = ranks.part(4), torch.arange(4.0)
    assert (part.n_samples, part.rows) == (4, slice(0, 4))
    assert torch.equal(part.whole(values), values)
    assert float(part.mean(values)) == float(part.share_of_mean(values)) == 1.5
    assert (ranks.first(0.1), ranks.of_all("x"), ranks.made_by_first(lambda: "y")) == (0.1, ["x"], "y")
    ranks.add([values])
    assert values.tolist() == [0, 1, 2, 3]


def test_ranks_hold_within_their_context_only():
    assert current_ranks() == Ranks()
    with as_ranks(Ranks(1, 2)):
        assert current_ranks() == Ranks(1, 2)
    assert current_ranks() == Ranks()


def test_batch_normalisation_is_refused_for_several_ranks():
    Ranks().start_alike(nn.Sequential(nn.BatchNorm2d(3)))
    with pytest.raises(InputError, match="batch normalisation"):
        Ranks(0, 2).start_alike(nn.Sequential(nn.BatchNorm2d(3)))


def test_every_rank_has_a_gpu_of_its_own_or_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Ranks(1, 2, 1).device("auto") == Ranks(1, 2, 1).device("cpu") == torch.device("cpu")
    with pytest.raises(InputError, match=r"there are 0 for at least 2"):
        Ranks(1, 2, 1).device("cuda")
    with pytest.raises(InputError, match="CUDA_VISIBLE_DEVICES"):
        Ranks(0, 2).device("cuda:1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda number: None)
    # The second rank of the second machine.
    assert Ranks(3, 4, 1).device("auto") == torch.device("cuda:1")
    with pytest.raises(InputError, match="there are 2 for at least 3"):
        Ranks(2, 3, 2).device("auto")
