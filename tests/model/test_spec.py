from __future__ import annotations

import json

import pytest

from matvae.model import ModelSpec, resolve_decoder


def test_a_spec_comes_back_from_json(make_spec):
    spec = make_spec((4, 6), phases=3, cutoff=(1, 2), periodic=False)
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    whole = make_spec((4, 6))
    assert ModelSpec.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole


def test_what_follows_from_sizes(make_spec):
    spec = make_spec((4, 6), phases=4, pairs=((1, 1), (3, 1)), periodic=False)
    assert spec.channels == 3
    assert spec.lag_shape == (7, 11)
    assert spec.states == (1, 3)
    assert not spec.only_autocorrelations
    assert make_spec(phases=3, pairs=((1, 1), (2, 2))).only_autocorrelations
    assert make_spec(phases=1).channels == 1


@pytest.mark.parametrize(
    ("shape", "phases", "decoder"),
    [
        ((256, 256), 2, "dense"),
        ((257, 256), 2, "convolutional"),
        ((256, 256), 3, "convolutional"),
        ((256, 256), 1, "dense"),
        ((64, 64, 64), 2, "convolutional"),
    ],
)
def test_auto_is_dense_up_to_65536_outputs(shape, phases, decoder):
    assert resolve_decoder("auto", shape, phases) == decoder
    assert resolve_decoder("mine", shape, phases) == "mine"
