"""The job behind `matvae explore`: the model and data that it shows, and what it refuses."""

from __future__ import annotations

import sys

import pytest

from matvae.errors import InputError, MissingExtraError
from matvae.jobs import explore_model, exploring


def test_the_model_is_shown_with_its_data(trained, monkeypatch):
    served = []
    monkeypatch.setattr(exploring, "serve", lambda *arguments: served.append(arguments))
    explore_model(trained / "m.matvae", trained / "test.zarr", port=0)
    ((explorer, _, address, _),) = served
    assert address.host == "127.0.0.1"
    assert explorer.location == str(trained / "m.matvae")
    assert len(explorer.known) == 21
    assert "k" in explorer.known.named_values()


def test_data_of_another_size_are_refused(trained, tmp_path):
    import numpy as np

    from matvae import Grid
    from matvae.data import save_structures

    save_structures(tmp_path / "x.zarr", np.zeros((2, 9, 9), np.uint8), grid=Grid((9, 9)))
    with pytest.raises(InputError, match="was fitted on structures of 8 x 8"):
        explore_model(trained / "m.matvae", tmp_path / "x.zarr")


def test_a_taken_port_is_told_before_the_model_is_read(trained, monkeypatch):
    monkeypatch.setattr(exploring, "load", None)
    listener, address = exploring.listen("127.0.0.1", 0)
    with listener, pytest.raises(InputError, match="taken by another program"):
        explore_model(trained / "m.matvae", port=address.port)


def test_a_missing_extra_is_named(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[explore\]'"):
        explore_model(trained / "m.matvae")
