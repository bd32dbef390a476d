from __future__ import annotations

import pytest
import torch

from matvae.errors import InputError
from matvae.stats.device import resolve_device


def test_auto_is_the_gpu_if_one_is_available(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("cuda")
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "", None])
def test_unavailable_devices_are_refused(device):
    with pytest.raises(InputError, match='device must be "auto", "cpu", "cuda"') as caught:
        resolve_device(device)
    assert repr(device) in str(caught.value)
