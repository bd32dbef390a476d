from __future__ import annotations

import torch

from matvae.testing.models import SPECS, latents_for, structures_for


def test_specifications_cover_dimensions_phases_and_windows():
    assert {len(spec.shape) for spec in SPECS} == {1, 2, 3}
    assert {spec.phases for spec in SPECS} == {1, 2, 3}
    assert {spec.periodic for spec in SPECS} == {True, False}


def test_structures_and_latents_match_their_specification():
    for spec in SPECS:
        structures, latents = structures_for(spec), latents_for(spec)
        assert structures.shape == (12, *spec.shape)
        assert latents.shape == (5, spec.n_components)
        if spec.phases > 1:
            assert set(structures.unique().tolist()) == set(range(spec.phases))
        assert torch.equal(structures, structures_for(spec))
