"""Principal components of rows that do not fit into memory together: passes over blocks, exact at the end.

Where features are few, a single pass sums up their moments (`Moments`). Otherwise, block Krylov iteration with
Rayleigh-Ritz steps and restarts (Saad, Numerical Methods for Large Eigenvalue Problems, 2nd ed., chapters 6 to 8) on
the scatter matrix of the rows, which is never formed: a pass multiplies it with a few vectors.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ..data.subsets import within
from ..warn import warn

# Vectors iterated in addition to the requested components. More of them need fewer passes.
GUARDS = 10
# Blocks of vectors kept until a restart, together with their products.
MAX_BLOCKS = 3
# Largest angle, in radians, between a component and the true one at the end; most are far closer.
TOLERANCE = 1e-5
# Components whose variances are closer than this, relatively, span a plane in which no arithmetic separates them.
LEAST_GAP = 1e-3
MAX_PASSES = 200
# Rows from which the iteration starts, as a multiple of the vectors iterated.
START_ROWS = 4
# Arrays of all vectors iterated that exist at once, at most, as measured: basis and images before a restart, and those
# that they are extended to.
ARRAYS = 14

Rows = Callable[[], Iterable[np.ndarray]]


@dataclass(frozen=True)
class Components:
    """Mean ``(feature,)``, components ``(component, feature)``, the variance explained by each and its fraction."""

    mean: np.ndarray
    components: np.ndarray
    variance: np.ndarray
    ratio: np.ndarray


def principal_components(rows: Rows, n_samples: int, n_components: int) -> Components:
    """Compute principal components in several passes over blocks of rows.

    Parameters
    ----------
    rows : callable
        Starts a pass: returns blocks ``(sample, feature)``, the same ones each time. The first pass computes the mean
        and a start, every further one improves the components.
    n_samples : int
        Total number of rows.
    n_components : int
        Number of components, at most the number of samples and of features.

    Returns
    -------
    Components
        In double precision; the sign of each component is such that its largest entry is positive.

    Warns
    -----
    RuntimeWarning
        If the components have not converged after 200 passes, with the largest angle of error.
    """
    mean, start = _mean_and_start(rows, n_samples, n_components)
    basis = np.linalg.qr(start.T)[0]
    images, total = _multiply(rows, mean, basis)
    n_vectors = basis.shape[1]
    # Equal rows leave rounding errors only.
    floor = 1e-24 * n_samples * float(mean @ mean)
    for _ in range(MAX_PASSES):
        variances, rotation = np.linalg.eigh(basis.T @ images)
        rotation = rotation[:, ::-1][:, :n_vectors]
        variances = variances[::-1][:n_vectors]
        vectors, products = basis @ rotation, images @ rotation
        residuals = products - vectors * variances
        error = _angle(residuals, variances, n_components, floor)
        if error <= TOLERANCE:
            break
        if basis.shape[1] >= MAX_BLOCKS * n_vectors:
            basis, images = vectors, products
        directions = _orthonormal(residuals, basis)
        basis = np.concatenate([basis, directions], axis=1)
        images = np.concatenate([images, _multiply(rows, mean, directions)[0]], axis=1)
    else:
        warn(
            f"The principal components have not converged after {MAX_PASSES} passes over the data; the error is up to "
            f"{error:.1e} radians. Request fewer components.",
            RuntimeWarning,
        )
    return _components(mean, vectors[:, :n_components].T, variances[:n_components], total, n_samples)


def iteration_bytes(n_samples: int, n_features: int, n_components: int) -> int:
    """Memory in bytes that `principal_components` takes beside a block of rows."""
    return 8 * ARRAYS * n_features * min(n_components + GUARDS, n_samples, n_features)


def direct_components(rows: Rows, n_samples: int, n_components: int) -> Components:
    """Compute principal components from the matrix of inner products: one pass over the rows, and no iteration.

    Of samples where these are fewer than features, which needs all rows in memory; otherwise of features. Trailing
    components with nearly equal variances, on which `principal_components` converges slowly, cost nothing extra.

    Parameters
    ----------
    rows, n_samples, n_components
        As in `principal_components`.

    Returns
    -------
    Components
    """
    blocks = iter(rows())
    first = next(blocks).astype(np.float64)
    if n_samples > first.shape[1]:
        return Moments.of(itertools.chain([first], blocks)).components(n_components)
    reference = first[0]
    deviations = np.concatenate([first, *blocks]) - reference
    mean = deviations.mean(0)
    deviations -= mean
    variances, weights = _largest(deviations @ deviations.T, n_components)
    # Directions without variance are completed to an orthonormal set.
    vectors = np.linalg.qr(_filled(weights.T @ deviations).T)[0].T
    total = float(np.einsum("ij,ij->", deviations, deviations))
    return _components(reference + mean, vectors, variances, total, n_samples)


@dataclass(frozen=True)
class Moments:
    """First and second moments of rows: all that principal components depend on, in memory for features alone.

    Parameters
    ----------
    n_samples : int
    mean : array ``(feature,)``
    scatter : array ``(feature, feature)``
        Sums over the rows of the products of deviations from the mean.
    """

    n_samples: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, blocks: Iterable[np.ndarray]) -> Moments:
        """Sum up blocks ``(sample, feature)`` in double precision, in one pass."""
        n_samples = 0
        for block in blocks:
            if not n_samples:
                # Differences from one row have the same covariance, and sums of their products lose fewer digits.
                reference = block[0].astype(np.float64)
                sums, products = np.zeros(len(reference)), np.zeros((len(reference), len(reference)))
            deviations = block - reference
            sums += deviations.sum(0)
            products += deviations.T @ deviations
            n_samples += len(block)
        mean = sums / n_samples
        products -= np.outer(n_samples * mean, mean)
        return cls(n_samples, reference + mean, products)

    def components(self, n_components: int, roots: np.ndarray | None = None) -> Components:
        """Principal components of the rows, or of these times `roots` ``(feature,)``."""
        scatter = self.scatter if roots is None else self.scatter * roots * roots[:, None]
        variances, vectors = _largest(scatter, n_components)
        mean = self.mean if roots is None else self.mean * roots
        return _components(mean, vectors.T, variances, float(np.trace(scatter)), self.n_samples)


def _largest(matrix: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of a symmetric matrix, falling, and their vectors as columns."""
    size = len(matrix)
    values, vectors = scipy.linalg.eigh(matrix, subset_by_index=(size - min(n, size), size - 1))
    return values[::-1], vectors[:, ::-1]


def _components(
    mean: np.ndarray, vectors: np.ndarray, variances: np.ndarray, total: float, n_samples: int
) -> Components:
    """Components with their largest entry positive; `variances` are sums of squares over the samples."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(1)[:, None], axis=1)
    explained = np.maximum(variances, 0.0)
    return Components(
        mean=mean,
        components=vectors * np.where(largest < 0, -1.0, 1.0),
        variance=explained / max(1, n_samples - 1),
        ratio=explained / total if total > 0 else np.zeros_like(explained),
    )


def _mean_and_start(rows: Rows, n_samples: int, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean of all rows, and some of them, evenly spaced, whose span is a good first guess."""
    total: np.ndarray | None = None
    seen, picked = 0, []
    n_features = 0
    for block in rows():
        if total is None:
            n_features = block.shape[1]
            total = np.zeros(n_features)
            n_vectors = min(n_components + GUARDS, n_samples, n_features)
            chosen = np.linspace(0, n_samples - 1, min(START_ROWS * n_vectors, n_samples)).round().astype(int)
        total += block.sum(axis=0, dtype=np.float64)
        picked.append(block[within(chosen, seen, seen + len(block))].astype(np.float64))
        seen += len(block)
    assert total is not None
    mean = total / n_samples
    sketch = np.concatenate(picked) - mean
    # The principal vectors of the sketch, as combinations of its rows: its own small Gram matrix gives them.
    _, weights = np.linalg.eigh(sketch @ sketch.T)
    start = weights[:, ::-1][:, :n_vectors].T @ sketch
    return mean, _filled(start)


def _filled(start: np.ndarray) -> np.ndarray:
    """The start, completed by random vectors if its rank is too low, as for few or equal samples."""
    norms = np.linalg.norm(start, axis=1)
    thin = norms <= 1e-10 * max(norms.max(initial=0.0), np.finfo(float).tiny)
    if thin.any():
        start = start.copy()
        start[thin] = np.random.default_rng(0).standard_normal((int(thin.sum()), start.shape[1]))
    return start / np.linalg.norm(start, axis=1, keepdims=True)


def _multiply(rows: Rows, mean: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Scatter matrix of the rows times vectors ``(feature, vector)``, and its trace."""
    products, total = np.zeros_like(vectors), 0.0
    for block in rows():
        centred = block - mean
        products += centred.T @ (centred @ vectors)
        total += float(np.einsum("ij,ij->", centred, centred))
    return products, total


def _orthonormal(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Orthonormal vectors that extend a basis. Projecting twice makes them orthogonal to rounding."""
    for _ in range(2):
        vectors = np.linalg.qr(vectors - basis @ (basis.T @ vectors))[0]
    return vectors[:, : max(1, len(basis) - basis.shape[1])]


def _angle(residuals: np.ndarray, variances: np.ndarray, n_components: int, floor: float) -> float:
    """Largest angle between a component and the true one: residual over gap (Saad, theorem 3.9)."""
    sizes = np.linalg.norm(residuals, axis=0)
    between = np.abs(np.diff(variances))
    gaps = np.minimum(np.append(between, np.inf), np.concatenate([[np.inf], between]))
    gaps = np.maximum(gaps, LEAST_GAP * np.abs(variances))
    # Directions without variance, up to rounding, are arbitrary.
    there = variances > max(1e-12 * variances[0], floor)
    angles = np.where(there, sizes / np.where(there, gaps, 1.0), 0.0)
    return float(angles[:n_components].max(initial=0.0))
