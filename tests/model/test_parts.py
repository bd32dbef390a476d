from __future__ import annotations

import pytest

from matvae.errors import PluginError
from matvae.model import DECODERS, ENCODERS


def test_built_in_parts_are_registered_by_name(make_spec):
    assert ENCODERS.names()[:4] == ["statistics", "image", "projection", "resnet152"]
    assert DECODERS.names()[:4] == ["dense", "convolutional", "separable", "statistics"]
    assert ENCODERS.get("statistics").reads == "statistics"
    assert ENCODERS.get("image").reads == "structures"


def test_the_closest_name_is_suggested_for_a_mistyped_part(make_module):
    with pytest.raises(PluginError, match=r"no encoder called 'statistic'.*Did you mean 'statistics'"):
        make_module(encoder="statistic")
    with pytest.raises(PluginError, match=r"no decoder called 'denze'.*Did you mean 'dense'"):
        make_module(decoder="denze")


def test_a_part_that_is_not_derived_from_its_contract_is_refused(monkeypatch, make_module):
    monkeypatch.setitem(DECODERS.targets, "bare", "torch.nn:Linear")
    with pytest.raises(PluginError, match=r"not a subclass of matvae\.model\.decoders\.base\.Decoder"):
        make_module(decoder="bare")
