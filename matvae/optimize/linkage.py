"""Fitted structure-property linkages as properties: scikit-learn regressors on latents or statistics, stored in files.

A linkage file is written by skops, which stores no executable code.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, MissingExtraError, StoreError
from ..estimator import FittedModel
from ..files import atomic_output
from ..grid import Grid
from ..shortage import raise_shortage
from ..stats.map_samples import as_tensor
from .property import Decoded, Measured

SCHEMA = 1
LATENTS, STATISTICS = "latents", "statistics"
# Step of finite differences in a latent: large compared with rounding, small compared with the unit prior.
STEP = 1e-2
# skops asks its users whether they trust these types of scikit-learn, which hold numbers and no code.
TRUSTED_TYPES = ("sklearn.tree._tree.Tree", "sklearn.gaussian_process.kernels.")


@dataclass(frozen=True)
class Linkage:
    """Property that a regressor predicts from the latent or the 2-point statistics of a structure.

    Parameters
    ----------
    regressor : scikit-learn regressor
        Fitted.
    model : StatsVAETransformer
        Model on whose latents or statistics the regressor was fitted.
    on : ``"latents"`` or ``"statistics"``
    name, unit : str
    fingerprint : str
        SHA-256 of the file.
    responds : bool
        Whether small changes of its input change the prediction, which is not so for trees.
    """

    regressor: Any = field(repr=False)
    model: Any = field(repr=False)
    on: str
    name: str
    unit: str = ""
    fingerprint: str = ""
    responds: bool = False

    @property
    def differentiable(self) -> bool:
        """Whether the prediction from a soft structure has a gradient."""
        return self.responds and self.on == LATENTS

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Predict the property from the labels ``(sample, *space)`` of structures."""
        predictions = self._predict(self._features(structures, grid))
        return Measured.of(predictions, "The regressor does not predict a finite number.")

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Predictions ``(sample,)`` from soft fractions; their gradient is by finite differences in the latent."""
        module = self.model.module_
        fields = fractions.to(module.field_mean)
        on_statistics = module.reads_statistics
        z = module.encode(module.statistics(fields) if on_statistics else None, None if on_statistics else fields)[0]
        return _FiniteDifferences.apply(z, self._predict).to(fractions)

    def from_latent(self, decoded: Decoded, grid: Grid) -> Tensor | None:
        """Predictions ``(sample,)`` from what a decoder of statistics gives; their gradient is by finite differences.

        None for a regressor that does not respond to small changes.
        """
        if not self.responds:
            return None
        return _FiniteDifferences.apply(decoded.z, self._predict if self.on == LATENTS else self._predict_decoded)

    def predictive_std(self, structures: np.ndarray, grid: Grid) -> np.ndarray | None:
        """Standard deviation ``(sample,)`` of the prediction, or None if the regressor does not give one."""
        features = self._features(structures, grid)
        steps = getattr(self.regressor, "steps", None)
        last = self.regressor if steps is None else steps[-1][1]
        if "return_std" in inspect.signature(last.predict).parameters:
            return np.asarray(self.regressor.predict(features, return_std=True)[1], np.float64)
        trees = getattr(last, "estimators_", None)
        if trees is None:
            return None
        transformed = features if steps is None else self.regressor[:-1].transform(features)
        return np.std([tree.predict(transformed) for tree in np.ravel(trees)], axis=0)

    def _features(self, structures: np.ndarray, grid: Grid) -> np.ndarray:
        samples = FittedModel.of(self.model).restore(structures)
        if self.on == LATENTS:
            return np.asarray(self.model.transform(samples))
        return np.asarray(self.model.statistics(samples)).reshape(len(structures), -1)

    def _predict_decoded(self, latents: np.ndarray) -> np.ndarray:
        """Prediction of a regressor on statistics, from those that latents decode to."""
        statistics = np.asarray(self.model.inverse_statistics(latents.astype(np.float32)))
        return self._predict(statistics.reshape(len(latents), -1))

    def _predict(self, features: np.ndarray) -> np.ndarray:
        return np.asarray(self.regressor.predict(features), dtype=np.float64).reshape(len(features))


def save_linkage(
    path: str | Path,
    regressor: Any,
    model: Any,
    *,
    name: str,
    unit: str = "",
    on: str = LATENTS,
    overwrite: bool = False,
) -> None:
    """Save a regressor that was fitted on a model's latents or statistics.

    Parameters
    ----------
    path : path
        New file, ``NAME.skops``.
    regressor : scikit-learn regressor
        Fitted on ``model.transform(X)``, or on ``model.statistics(X)`` flattened to one row per structure, to predict
        one property.
    model : StatsVAETransformer
    name, unit : str
        Name and unit of the property.
    on : ``"latents"`` or ``"statistics"``
    overwrite : bool
        Whether to replace an existing file.

    Raises
    ------
    InputError
        If the regressor was fitted on something else, or the file exists.
    MissingExtraError
        If skops is not installed.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise InputError(f"{path} exists already. Choose another name, or pass overwrite=True.")
    if not name.isidentifier():
        raise InputError(f"The name of a property must be a word of letters, digits and _, but {name!r} was given.")
    _check_regressor(regressor, model, on)
    metadata = {"schema": SCHEMA, "name": name, "unit": unit, "on": on, "model": model_hash(model)}
    with atomic_output(target) as temporary:
        _skops().dump({**metadata, "regressor": regressor}, temporary)


def load_linkage(path: str | Path, model: Any) -> Linkage:
    """Load a linkage that `save_linkage` wrote for this model.

    Raises
    ------
    InputError
        If the file does not exist, belongs to another model, or contains types other than scikit-learn's own, which
        might run code.
    StoreError
        If the file is damaged.
    MissingExtraError
        If skops is not installed.
    """
    io, source = _skops(), Path(path)
    if not source.is_file():
        raise InputError(f"There is no linkage {path}. Write one with matvae.optimize.save_linkage.")
    with _damage_named(path):
        untrusted = [str(name) for name in io.get_untrusted_types(file=source)]
    if unknown := sorted(name for name in untrusted if not name.startswith(TRUSTED_TYPES)):
        raise InputError(
            f"The linkage {path} contains types that could run code: {', '.join(unknown)}. Use a regressor that "
            "consists of scikit-learn's own types."
        )
    with _damage_named(path):
        contents = io.load(source, trusted=untrusted)
        regressor, on, name, unit = contents["regressor"], contents["on"], contents["name"], contents["unit"]
        schema, fitted_on = contents["schema"], contents["model"]
    if schema != SCHEMA:
        raise StoreError(f"The linkage {path} has schema {schema}, but schema {SCHEMA} is expected. Write it again.")
    if fitted_on != model_hash(model):
        raise InputError(
            f"The linkage {path} was fitted on the {on} of another model (SHA-256 {fitted_on[:12]}..., this model has "
            f"{model_hash(model)[:12]}...), so its predictions would be meaningless. Fit it on those of this model."
        )
    _check_regressor(regressor, model, on)
    linkage = Linkage(regressor, model, on, name, unit, fingerprint=hashlib.sha256(source.read_bytes()).hexdigest())
    return replace(linkage, responds=_responds(linkage))


@contextmanager
def _damage_named(path: str | Path) -> Iterator[None]:
    """Raise a `StoreError` for whatever skops raises when a file is not what it should be."""
    try:
        yield
    except Exception as error:
        raise_shortage(error)
        raise StoreError(
            f"The linkage {path} is damaged ({type(error).__name__}: {error}). Write it again with save_linkage."
        ) from error


def model_hash(model: Any) -> str:
    """SHA-256 of a fitted model's weights, which identifies the model wherever it is stored."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.module_.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().double().numpy()).tobytes())
    return digest.hexdigest()


def _check_regressor(regressor: Any, model: Any, on: str) -> None:
    if on not in (LATENTS, STATISTICS) or not hasattr(regressor, "predict"):
        raise InputError(
            f"A regressor on {LATENTS!r} or {STATISTICS!r} is expected, but {type(regressor).__name__} on {on!r} was "
            "given."
        )
    spec = model.module_.spec
    n_expected = spec.n_components if on == LATENTS else int(np.prod(spec.lag_shape)) * len(spec.pairs)
    n_features = getattr(regressor, "n_features_in_", None)
    if n_features != n_expected:
        raise InputError(
            f"A regressor fitted on the {n_expected} features of this model's {on} is expected, but this one was "
            f"fitted on {n_features}. Fit it on this model's {on}."
        )


def _responds(linkage: Linkage) -> bool:
    """Whether steps of finite differences change most predictions."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((32, linkage.regressor.n_features_in_))
    shifted = z + STEP * rng.choice([-1, 1], z.shape)
    return bool((linkage._predict(z) != linkage._predict(shifted)).mean() > 0.9)


class _FiniteDifferences(torch.autograd.Function):
    """Prediction from latents, differentiated by central finite differences."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, predict: Callable[[np.ndarray], np.ndarray]) -> Tensor:
        latents = z.detach().cpu().double().numpy()
        n_components = latents.shape[1]
        steps = STEP * np.eye(n_components)
        shifted = np.concatenate([latents[:, None] + steps, latents[:, None] - steps], axis=1)
        predictions = predict(shifted.reshape(-1, n_components)).reshape(len(latents), -1)
        plus, minus = np.split(predictions, 2, axis=1)
        ctx.save_for_backward(torch.from_numpy((plus - minus) / (2 * STEP)).to(z))
        return as_tensor(predict(latents)).to(z)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (derivatives,) = ctx.saved_tensors
        return gradients[0].unsqueeze(1) * derivatives, None


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise MissingExtraError(
            "Linkage files require skops, which is not installed. Install the extra: pip install 'matvae[optimize]'."
        ) from error
    return skops.io
