"""Encoder of the published method: ResNet-152 on images, which can start from weights trained on photographs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ...errors import InputError, MissingExtraError, StoreError
from ..spec import ModelSpec
from .base import STRUCTURES, Encoder

# Mean and standard deviation of the channels of ImageNet, by which inputs of such weights are normalised.
IMAGENET_MEAN, IMAGENET_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# More than one pixel is left in the last layer, so that batch normalisation works even for a batch of one.
LEAST_PIXELS = 33


class ResNet152Encoder(Encoder):
    """ResNet-152 (He et al., "Deep residual learning for image recognition", 2016) and one linear layer.

    It starts untrained unless `load_pretrained` is called; a saved model contains its weights. It requires transformers
    (extra ``pretrained``).

    Raises
    ------
    InputError
        If structures are not images, or too small.
    MissingExtraError
        If transformers is not installed.
    """

    reads = STRUCTURES
    takes_weights = True
    # Of transformers' ResNetConfig; what is not named is the same in every ResNet of the published paper.
    sizes: ClassVar[dict[str, Any]] = {
        "depths": [3, 8, 36, 3],
        "hidden_sizes": [256, 512, 1024, 2048],
        "embedding_size": 64,
    }
    mean: Tensor
    spread: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        if len(spec.shape) != 2:
            raise InputError(
                f"A ResNet reads images, but structures have {len(spec.shape)} axes. Choose the encoder "
                '"statistics" or "image".'
            )
        if min(spec.shape) < LEAST_PIXELS:
            raise InputError(
                f"A ResNet halves images five times and needs {LEAST_PIXELS} pixels along each side, but they have "
                f'{spec.shape[0]} x {spec.shape[1]}. Choose the encoder "statistics" or "image".'
            )
        library = _transformers()
        self.backbone = library.ResNetModel(library.ResNetConfig(**self.sizes))
        self.head = nn.Linear(self.sizes["hidden_sizes"][-1], 2 * spec.n_components)
        self.phases = spec.phases
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(IMAGENET_SPREAD).view(1, 3, 1, 1), persistent=False)

    def forward(self, fields: Tensor) -> tuple[Tensor, Tensor]:
        """Encode ``(sample, phase, y, x)`` to mean and log-variance, each ``(sample, component)``."""
        pictures = (grey(fields, self.phases) - self.mean) / self.spread
        features = self.backbone(pictures).pooler_output.flatten(1)
        mean, log_variance = self.head(features).chunk(2, dim=-1)
        return mean, log_variance

    def load_pretrained(self, source: str | os.PathLike[str]) -> None:
        """Load the weights of all layers but the last linear one, which stays untrained.

        Parameters
        ----------
        source : path or str
            Folder with ``config.json`` and ``model.safetensors``, as transformers writes it, or the name of such a
            model on the Hugging Face hub, for example ``"microsoft/resnet-152"``, which is downloaded once.

        Raises
        ------
        InputError
            If there is no such folder or name, or if the weights belong to another network.
        StoreError
            If weights are missing.
        """
        library = _transformers()
        local = Path(source).is_dir()
        try:
            config = library.AutoConfig.from_pretrained(source, local_files_only=local)
            _check_same(config, self.backbone.config, source)
            loaded, loading_info = library.ResNetModel.from_pretrained(
                source, config=config, local_files_only=local, output_loading_info=True, dtype=torch.float32
            )
        except (OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"No weights were found at {str(source)!r}, neither in a folder nor by that name on the Hugging Face "
                f"hub ({str(error).splitlines()[0]}). Give a folder with config.json and model.safetensors, or use a "
                "network once."
            ) from error
        # num_batches_tracked is only a counter, which old files omit.
        missing = sorted(key for key in loading_info["missing_keys"] if not key.endswith("num_batches_tracked"))
        if missing:
            raise StoreError(
                f"The weights at {str(source)!r} are incomplete: {len(missing)} are missing, the first is "
                f"{missing[0]}. Get them again."
            )
        self.backbone.load_state_dict(loaded.state_dict())


def grey(fields: Tensor, phases: int) -> Tensor:
    """Convert state fields ``(sample, phase, y, x)`` to grey values ``(sample, 1, y, x)``.

    Values are evenly spaced from 0 in phase 0 to 1 in the last phase. A continuous field is returned unchanged.
    """
    if phases == 1:
        return fields
    levels = torch.arange(1, phases, dtype=fields.dtype, device=fields.device) / (phases - 1)
    return (fields[:, 1:] * levels.view(1, -1, 1, 1)).sum(1, keepdim=True)


def _check_same(config: Any, expected: Any, source: str | os.PathLike[str]) -> None:
    for name in ("model_type", "depths", "hidden_sizes", "embedding_size", "layer_type"):
        received, required = getattr(config, name, None), getattr(expected, name)
        if received != required:
            raise InputError(
                f"Weights of a network with {name} {required} are expected, but those at {str(source)!r} have "
                f'{received}. Give those of ResNet-152, such as "microsoft/resnet-152".'
            )


def _transformers() -> Any:
    # The import takes seconds, and most models do not need it.
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError(
            "The encoder resnet152 needs transformers; install it with: pip install 'matvae[pretrained]'"
        ) from error
    return transformers
