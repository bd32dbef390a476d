from __future__ import annotations

import json

from matvae.model import ModelSpec


def test_a_spec_is_restored_from_json(make_spec):
    spec = make_spec((4, 6), phases=3, cutoff=(1, 2), periodic=False)
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    whole = make_spec((4, 6))
    assert ModelSpec.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole


def test_derived_properties_follow_from_the_fields(make_spec):
    spec = make_spec((4, 6), phases=4, pairs=((1, 1), (3, 1)), periodic=False)
    assert spec.channels == 3
    assert spec.lag_shape == (7, 11)
    assert spec.states == (1, 3)
    assert not spec.only_autocorrelations
    assert make_spec(phases=3, pairs=((1, 1), (2, 2))).only_autocorrelations
    assert make_spec(phases=1).channels == 1


def test_decoder_options_are_read_from_the_fields_of_a_version_0_1_spec(make_spec):
    spec = make_spec()
    old_fields = {name: value for name, value in spec.to_dict().items() if name != "decoder_options"}
    assert ModelSpec.from_dict({**old_fields, "boxes": None}) == spec
    assert ModelSpec.from_dict({**old_fields, "boxes": 3}).decoder_options == {"boxes": 3}
