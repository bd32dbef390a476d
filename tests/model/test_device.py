from __future__ import annotations

import pytest
import torch

from matvae.model.device import autocast, flushed_denormals, place


@pytest.mark.parametrize(
    ("device", "precision", "dtype"),
    [("cpu", "auto", torch.float32), ("cpu", "float32", torch.float32), ("cpu", "bfloat16", torch.bfloat16)],
)
def test_networks_compute_in_the_requested_precision(device, precision, dtype):
    layer = torch.nn.Linear(2, 2)
    with autocast(torch.device(device), precision):
        assert layer(torch.ones(1, 2)).dtype == dtype
    assert layer(torch.ones(1, 2)).dtype == torch.float32


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_auto_means_bfloat16_on_a_gpu_and_float32_disables_autocast():
    context = autocast(torch.device("cuda"), "auto")
    assert isinstance(context, torch.autocast)
    assert (context.device, context.fast_dtype) == ("cuda", torch.bfloat16)
    assert not isinstance(autocast(torch.device("cuda"), "float32"), torch.autocast)


def test_placing_on_a_cpu_keeps_the_memory_layout():
    module = place(torch.nn.Conv2d(4, 4, 3), torch.device("cpu"))
    assert module.weight.is_contiguous()


def flushed():
    return (torch.tensor([1e-310], dtype=torch.float64) * 0.5).item() == 0.0


@pytest.mark.parametrize("before", [False, True])
def test_denormals_are_flushed_only_inside_the_context(before):
    if not torch.set_flush_denormal(before):
        assert not flushed(), "this processor does not flush denormals"
        return
    try:
        with flushed_denormals():
            assert flushed()
        assert flushed() == before
        with pytest.raises(ZeroDivisionError), flushed_denormals():
            1 / 0  # noqa: B018
        assert flushed() == before
    finally:
        torch.set_flush_denormal(False)
