"""ResNet encoder: its input, and pretrained weights that are loaded completely or refused.

A ResNet with two small stages replaces ResNet-152, whose 58 million weights take seconds to initialise.
"""

from __future__ import annotations

import json
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from matvae.errors import InputError, MissingExtraError, StoreError
from matvae.model import ENCODERS
from matvae.model.encoders.pretrained import ResNet152Encoder, grey

SIZES = {"depths": [1, 1], "hidden_sizes": [8, 16], "embedding_size": 8}


class Small(ResNet152Encoder):
    sizes = SIZES


@pytest.fixture
def encoder(make_spec):
    return Small(make_spec((40, 48), encoder="resnet152"))


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the weights of a classifier, in the format of transformers and the hub."""
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(5)
    ResNetForImageClassification(ResNetConfig(**SIZES)).save_pretrained(tmp_path / "weights")
    return tmp_path / "weights"


def images(n=3):
    labels = torch.randint(2, (n, 40, 48), generator=torch.Generator().manual_seed(0))
    return functional.one_hot(labels, 2).movedim(-1, 1).float()


def test_the_encoder_is_registered_and_reads_structures():
    assert ENCODERS.get("resnet152") is ResNet152Encoder
    assert ResNet152Encoder.reads == "structures"


def test_the_network_is_resnet_152():
    """Parameters of the published network without its classifier: 60,192,808 - 2,049,000."""
    from transformers import ResNetConfig, ResNetModel

    with torch.device("meta"):
        network = ResNetModel(ResNetConfig(**ResNet152Encoder.sizes))
    assert sum(p.numel() for p in network.parameters()) == 58_143_808


def test_every_weight_has_a_finite_gradient(encoder):
    mean, log_variance = encoder(images())
    assert mean.shape == log_variance.shape == (3, 3)
    (mean.sum() + log_variance.sum()).backward()
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters())
    assert not torch.equal(mean[0], mean[1])


def test_phases_become_grey_values_from_zero_to_one_and_a_field_is_unchanged():
    labels = torch.tensor([[[0, 1], [2, 0]]])
    fields = functional.one_hot(labels, 3).movedim(-1, 1).float()
    assert grey(fields, 3).tolist() == [[[[0.0, 0.5], [1.0, 0.0]]]]
    field = torch.rand(2, 1, 3, 3)
    assert grey(field, 1) is field


def test_images_are_normalised_as_for_imagenet(encoder):
    inputs = []
    encoder.backbone.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    encoder(images())
    expected = torch.stack([(images()[:, 1] - m) / s for m, s in [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]], 1)
    torch.testing.assert_close(inputs[0], expected)


def test_pretrained_weights_are_loaded_and_the_last_layer_is_kept(encoder, folder):
    before = encoder.head.weight.clone()
    encoder.load_pretrained(folder)
    stored = load_file(folder / "model.safetensors")
    for name, value in encoder.backbone.state_dict().items():
        assert torch.equal(value, stored[f"resnet.{name}"]), name
    assert torch.equal(encoder.head.weight, before)


def test_missing_weights_are_refused_and_nothing_changes(encoder, folder):
    stored = load_file(folder / "model.safetensors")
    missing = next(name for name in stored if name.endswith("convolution.weight"))
    save_file(
        {k: v for k, v in stored.items() if k != missing}, folder / "model.safetensors", metadata={"format": "pt"}
    )
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    with pytest.raises(StoreError, match="1 are missing"):
        encoder.load_pretrained(folder)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_another_network_is_refused(encoder, folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "depths": [2, 1]}))
    with pytest.raises(InputError, match=r"depths \[1, 1\] are expected.* have \[2, 1\]"):
        encoder.load_pretrained(folder)


@pytest.mark.parametrize("make", [lambda path: path, lambda path: path.mkdir() or path])
def test_a_folder_without_weights_is_refused(encoder, tmp_path, make):
    with pytest.raises(InputError, match=r"No weights were found at .*config\.json"):
        encoder.load_pretrained(make(tmp_path / "nothing"))


def test_a_name_that_is_not_cached_is_refused_offline(encoder, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=r"'nobody/no-such-network'.*use a network once"):
        encoder.load_pretrained("nobody/no-such-network")


@pytest.mark.parametrize(("shape", "message"), [((40,), "have 1 axes"), ((40, 32), "33 pixels.* 40 x 32")])
def test_structures_that_are_not_images_or_too_small_are_refused(make_spec, shape, message):
    with pytest.raises(InputError, match=message):
        Small(make_spec(shape))


def test_the_extra_is_named_if_transformers_is_missing(make_spec, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"matvae\[pretrained\]"):
        Small(make_spec((40, 48)))
