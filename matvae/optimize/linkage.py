"""Fitted structure-property linkages as properties: any scikit-learn regressor on latents or statistics, by file."""

from __future__ import annotations

import hashlib
import inspect
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, MissingExtraError, StoreError
from ..files import move_into_place
from ..grid import Grid
from .property import Measured

SCHEMA = 1
LATENTS, STATISTICS = "latents", "statistics"
# Step of finite differences, in units of a latent: large beside rounding, small beside what a latent means.
STEP = 1e-2
# skops leaves to its users whether they trust these of scikit-learn; they hold numbers and no code.
TRUSTED = ("sklearn.tree._tree.Tree", "sklearn.gaussian_process.kernels.")


@dataclass(frozen=True)
class Linkage:
    """A property that a regressor predicts of a structure's latent, or of its 2-point statistics.

    Parameters
    ----------
    regressor : scikit-learn regressor
        Fitted.
    model : StatsVAETransformer
        Whose latents or statistics it was fitted on.
    on : ``"latents"`` or ``"statistics"``
    name, unit : str
    fingerprint : str
        Of the file it came from.
    differentiable : bool
        Whether small steps of a latent change the prediction; those of trees do not.
    """

    regressor: Any = field(repr=False)
    model: Any = field(repr=False)
    on: str
    name: str
    unit: str = ""
    fingerprint: str = ""
    differentiable: bool = False

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Predictions for structures of labels ``(sample, *space)``."""
        return Measured.of(self._predict(self._features(structures, grid)), "The regressor gives no finite number.")

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Predictions ``(sample,)`` for soft fractions, with the gradient of finite differences in the latent."""
        module = self.model.module_
        fields = fractions.to(module.field_mean)
        reads = module.reads_statistics
        z = module.encode(module.statistics(fields) if reads else None, None if reads else fields)[0]
        return _Predicted.apply(z, self._predict).to(fractions)

    def predictive_spread(self, structures: np.ndarray, grid: Grid) -> np.ndarray | None:
        """Standard deviation ``(sample,)`` of the prediction, where the regressor has one."""
        features = self._features(structures, grid)
        steps = getattr(self.regressor, "steps", None)
        last = self.regressor if steps is None else steps[-1][1]
        if "return_std" in inspect.signature(last.predict).parameters:
            return np.asarray(self.regressor.predict(features, return_std=True)[1], np.float64)
        trees = getattr(last, "estimators_", None)
        if trees is None:
            return None
        inner = features if steps is None else self.regressor[:-1].transform(features)
        return np.std([tree.predict(inner) for tree in np.ravel(trees)], axis=0)

    def _features(self, structures: np.ndarray, grid: Grid) -> np.ndarray:
        samples = self.model._inference().understood.array(structures, grid.phases)
        if self.on == LATENTS:
            return np.asarray(self.model.transform(samples))
        return np.asarray(self.model.statistics(samples)).reshape(len(structures), -1)

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
    """Write a regressor that was fitted on a model's latents, or on its statistics.

    Parameters
    ----------
    path : path
        New ``NAME.skops``.
    regressor : scikit-learn regressor
        Fitted on ``model.transform(X)``, or on ``model.statistics(X)`` with one row a structure, and one property.
    model : StatsVAETransformer
    name, unit : str
        Of the property.
    on : ``"latents"`` or ``"statistics"``
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    InputError
        If the regressor takes something else, or the file exists.
    MissingExtraError
        If skops is not installed.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise InputError(f"{path} exists already. Choose another name, or pass overwrite=True.")
    if not name.isidentifier():
        raise InputError(f"A property's name is a word of letters, digits and _, but {name!r} was given.")
    _check(regressor, model, on)
    facts = {"schema": SCHEMA, "name": name, "unit": unit, "on": on, "model": model_hash(model)}
    temporary = target.with_name(f".{target.name}.partial")
    try:
        _skops().dump({**facts, "regressor": regressor}, temporary)
        move_into_place(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def load_linkage(path: str | Path, model: Any) -> Linkage:
    """Read what `save_linkage` wrote, for the model it belongs to.

    Raises
    ------
    InputError
        If there is no such file, if it was fitted on another model, or if it holds something else than scikit-learn's
        own types, which might run code.
    StoreError
        If it is damaged.
    MissingExtraError
        If skops is not installed.
    """
    io, source = _skops(), Path(path)
    if not source.is_file():
        raise InputError(f"There is no linkage {path}. Write one with matvae.optimize.save_linkage.")
    try:
        doubtful = [str(one) for one in io.get_untrusted_types(file=source)]
        unknown = sorted(one for one in doubtful if not one.startswith(TRUSTED))
        if unknown:
            raise InputError(
                f"The linkage {path} holds types that could run code: {', '.join(unknown)}. Use a regressor "
                "of scikit-learn alone."
            )
        facts = io.load(source, trusted=doubtful)
        regressor, on, name, unit = facts["regressor"], facts["on"], facts["name"], facts["unit"]
        schema, fitted_on = facts["schema"], facts["model"]
    except (AttributeError, KeyError, OSError, TypeError, zipfile.BadZipFile) as error:
        raise StoreError(f"The linkage {path} is damaged ({error}). Write it anew with save_linkage.") from error
    if schema != SCHEMA:
        raise StoreError(f"The linkage {path} has schema {schema}, but schema {SCHEMA} is expected. Write it anew.")
    if fitted_on != model_hash(model):
        raise InputError(
            f"The linkage {path} was fitted on the {on} of another model (SHA-256 {fitted_on[:12]}..., this model has "
            f"{model_hash(model)[:12]}...), so its predictions would mean nothing. Fit it on this model's."
        )
    _check(regressor, model, on)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    linkage = Linkage(regressor, model, on, name, unit, digest)
    return Linkage(regressor, model, on, name, unit, digest, on == LATENTS and _responds(linkage))


def model_hash(model: Any) -> str:
    """SHA-256 of a fitted model's weights: it tells models apart, wherever they were saved."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.module_.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().double().numpy()).tobytes())
    return digest.hexdigest()


def _check(regressor: Any, model: Any, on: str) -> None:
    if on not in (LATENTS, STATISTICS) or not hasattr(regressor, "predict"):
        raise InputError(
            f"A regressor on {LATENTS!r} or {STATISTICS!r} is expected, but {type(regressor).__name__} on {on!r} was "
            "given."
        )
    spec = model.module_.spec
    expected = spec.n_components if on == LATENTS else int(np.prod(spec.lag_shape)) * len(spec.pairs)
    found = getattr(regressor, "n_features_in_", None)
    if found != expected:
        raise InputError(
            f"A regressor fitted on the {expected} numbers of this model's {on} is expected, but {found} numbers went "
            "into this one. Fit it on them."
        )


def _responds(linkage: Linkage) -> bool:
    """Whether steps of finite differences change most predictions."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((32, linkage.regressor.n_features_in_))
    moved = z + STEP * rng.choice([-1, 1], z.shape)
    return bool((linkage._predict(z) != linkage._predict(moved)).mean() > 0.9)


class _Predicted(torch.autograd.Function):
    """A prediction of latents, differentiated by central finite differences."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, predict: Callable[[np.ndarray], np.ndarray]) -> Tensor:
        latents = z.detach().cpu().double().numpy()
        steps = STEP * np.eye(latents.shape[1])
        around = np.concatenate([latents[:, None] + steps, latents[:, None] - steps], axis=1)
        ahead, behind = np.split(predict(around.reshape(-1, latents.shape[1])).reshape(len(latents), -1), 2, axis=1)
        ctx.save_for_backward(torch.from_numpy((ahead - behind) / (2 * STEP)).to(z))
        return torch.from_numpy(predict(latents)).to(z)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slopes,) = ctx.saved_tensors
        return gradients[0].unsqueeze(1) * slopes, None


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise MissingExtraError(
            "Linkages are files of skops, which is not installed. Install the extra: pip install 'matvae[optimize]'."
        ) from error
    return skops.io
