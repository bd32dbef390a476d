from __future__ import annotations

import pytest
import torch

from matvae.model.decoders.dense import DenseDecoder


@pytest.mark.parametrize(("shape", "phases"), [((13,), 2), ((5, 8), 4), ((3, 4, 5), 2), ((6, 6), 1)])
def test_every_voxel_has_its_own_output(make_spec, shape, phases):
    spec = make_spec(shape, phases=phases)
    decoder = DenseDecoder(spec)
    out = decoder(torch.zeros(2, 3))
    assert out.shape == (2, spec.channels, *shape)
    assert decoder.layers[-1].out_features == out[0].numel()
