"""The experiment of the paper as one job: draw lines, train, measure and write a page; interrupted runs resume."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...data import open_structures
from ...data.sample_blocks import Progress
from ...estimator import load
from ...evaluate.baseline import PCABaseline, pca_like
from ...files import atomic_output
from ...forecast import announce, has_listener, listening
from ...report import benchmark_page, check_page_libraries
from ..fit import fit_model
from ..plan import duration
from .collect import collect_parts, n_searched
from .folder import BenchmarkFolder, open_folder, write_json
from .forecast import forecast_paper
from .measure import PCA_STRUCTURES, PUBLISHED, by_number, measure_lines, pca_row, result_row
from .metadata import run_metadata
from .settings import FULL_TEST, BenchmarkSettings

logger = logging.getLogger("matvae")
# Far from the seeds 0, 1, 2, ... that users give to training sets.
TEST_SEED = 1_000_000
PCA_SAMPLES = 2000
INCOMPLETE = "Training ended within its first pass over the data: the results are those of a half-trained model."

Record = Callable[[Mapping[str, Any]], None]


class BenchmarkInterrupted(KeyboardInterrupt):
    """A benchmark was interrupted; the message says how to resume it."""


def benchmark_paper(
    out: str | Path,
    *,
    preset: str = "matvae",
    size: int = 224,
    n: int = 100_000,
    n_test: int = FULL_TEST,
    n_components: int = 9,
    max_time: float = 3600.0,
    seed: int = 0,
    weights: str | Path | None = None,
    batch_size: int | None = None,
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    on_record: Record | None = None,
) -> dict[str, Any]:
    """Repeat the experiment of the paper on newly generated images of lines.

    "Toward learning latent-variable representations of microstructures by optimizing in spatial statistics space" (ICLR
    2024 tiny papers): images of one to four lines, nine latent components, the loss of equation 1 and the threshold of
    equation 3. Volume fractions differ by ``|n - n'| / n * 100`` (equation 2).

    Parameters
    ----------
    out : path
        New folder for ``train.zarr`` and ``test.zarr``, ``model.matvae``, ``result.json`` (the returned dictionary) and
        ``report.html``, one file that needs no network.
    preset : str
        ``"matvae"``, networks with matvae's loss, and where plugins add presets for comparison, each of these as a
        further row; or ``"paper"``, the published architecture: a ResNet-152 that reads images, the loss of equation 1
        alone, and a fixed threshold of 0.05.
    size : int
        Pixels along each side.
    n, n_test : int
        Numbers of structures to train on, and to hold out.
    n_components : int
        Size of the latent.
    max_time : float
        Seconds of training.
    seed : int
        Of the data, the weights and the order of training.
    weights : path or str, optional
        Pretrained weights of the ResNet-152: a folder, or a name on the Hugging Face hub. Without them it starts from
        random weights, and the result says so.
    batch_size : int, optional
        Structures per step; by default the preset's.
    device : str
        As in `StatsVAETransformer`.
    resume : bool
        Continue an interrupted run; if it has ended, measure its model and write the results again.
    overwrite : bool
        Start again in the folder of a run: its model and results are removed, its data are kept if they would be the
        same.
    progress : callable, optional
        Called with the steps done and their total, for each stage in turn.
    on_record : callable, optional
        Called with every training record.

    Returns
    -------
    dict
        ``rows``: the paper as published, PCA of the same size, this run, and those of plugins, each with ``method``,
        ``n_samples``, ``orientation``, ``number`` and ``number_each`` (percent right, see `LineErrors`),
        ``volume_fraction_difference`` (mean, percent), ``decoded_error`` and ``structure_error`` (mean relative errors
        of statistics); ``by_number``, the same for each number of lines (see `measure.by_number`); ``notes``, caveats;
        ``mean_peak``, the fractions of originals and of reconstructions that cover the pixel most often covered;
        settings, versions, machine, seconds, commands, and the paths ``page`` and ``result``.

    Raises
    ------
    InputError, StoreError
        If settings do not fit, memory is too small, weights are missing, or the folder must not be written; raised
        before any work.
    MissingExtraError
        If a library is missing: matplotlib and jinja2 (extra ``plot``), or transformers (extra ``pretrained``).
    BenchmarkInterrupted
        On Ctrl-C; completed stages are kept.
    """
    settings = BenchmarkSettings(
        preset=preset,
        size=size,
        n=n,
        n_test=n_test,
        n_components=n_components,
        max_time=max_time,
        seed=seed,
        weights=None if weights is None else str(weights),
        batch_size=batch_size,
        device=device,
    )
    check_page_libraries()
    if not (resume and BenchmarkFolder(Path(out)).model.exists()):
        settings.check_machine()
    folder = open_folder(out, settings.to_dict(), resume=resume, overwrite=overwrite)
    for note in settings.notes:
        logger.warning("%s", note)
    n_models = 1 + len(settings.companions)
    logger.info(
        "Training takes at most %s, plus the time to draw and to measure.", duration(n_models * settings.max_time)
    )
    if has_listener():
        with forecast_paper(folder, settings, PCA_SAMPLES) as forecast:
            announce(forecast)
    try:
        # The single stages say nothing of the whole.
        with listening(None):
            started = time.monotonic()
            drawn = _draw(folder, settings, progress)
            data_seconds = time.monotonic() - started if drawn else None
            for path, of_model in {folder.model: settings, **_companions(folder, settings)}.items():
                _train(folder.train, path, of_model, resume=resume, progress=progress, on_record=on_record)
            return _measure(folder, settings, data_seconds, progress)
    except KeyboardInterrupt as error:
        raise BenchmarkInterrupted(
            f"The benchmark was interrupted; completed stages are in {folder.path}. "
            "Resume it with the same command and --resume."
        ) from error


def _draw(folder: BenchmarkFolder, settings: BenchmarkSettings, progress: Progress | None) -> bool:
    """Draw the structures that do not exist yet; return whether any were drawn."""
    size, seed = settings.size, settings.seed
    drawn = [
        folder.make_data(folder.train, n=settings.n, size=size, seed=seed, progress=progress),
        folder.make_data(folder.test, n=settings.n_test, size=size, seed=seed + TEST_SEED, progress=progress),
    ]
    return any(drawn)


def _companions(folder: BenchmarkFolder, settings: BenchmarkSettings) -> dict[Path, BenchmarkSettings]:
    """Models that are measured in addition, with their settings."""
    return {folder.companion(name): of_model for name, of_model in settings.companions.items()}


def _train(
    train: Path,
    model: Path,
    settings: BenchmarkSettings,
    *,
    resume: bool,
    progress: Progress | None,
    on_record: Record | None,
) -> None:
    if model.exists():
        logger.info("The model exists already: %s.", model)
        return
    logger.info("Training %s for %g seconds.", settings.method, settings.max_time)
    fit_model(
        train,
        model,
        seed=settings.seed,
        resume=resume,
        progress=progress,
        on_record=on_record,
        **settings.parameters,
    )


def _measure(
    folder: BenchmarkFolder, settings: BenchmarkSettings, data_seconds: float | None, progress: Progress | None
) -> dict[str, Any]:
    started = time.monotonic()
    estimator = load(folder.model)
    training, test, element = open_structures(folder.train), open_structures(folder.test), settings.element
    logger.info("Fitting PCA on %d structures.", min(PCA_SAMPLES, len(training)))
    baseline = PCABaseline(pca_like(estimator, estimator.n_components).fit(training[:PCA_SAMPLES].data))
    logger.info("Measuring %d held-out structures.", len(test))
    measured = measure_lines(estimator, test, baseline, element=element, progress=progress)
    logger.info("Reconstructing %d of them from their PC scores.", min(PCA_STRUCTURES, len(test)))
    rows = [
        PUBLISHED,
        pca_row(baseline, measured.measurement, test, element=element),
        result_row(measured, settings.method),
    ]
    for path, of_model in _companions(folder, settings).items():
        logger.info("Measuring %s.", of_model.method)
        rows.append(result_row(measure_lines(load(path), test, element=element, progress=progress), of_model.method))
    logger.info("Searching %d training structures for neighbours.", n_searched(training))
    parts = collect_parts(estimator, training, test, measured, progress=progress)
    result = {
        **settings.to_dict(),
        "test_seed": settings.seed + TEST_SEED,
        "rows": rows,
        "by_number": by_number(measured),
        "mean_peak": {name: float(image.max()) for name, image in measured.means.items()},
        "notes": [*settings.notes, *([INCOMPLETE] if _is_incomplete(estimator) else [])],
        "element": element,
        "searched": n_searched(training),
        "pca": {"n_training": min(PCA_SAMPLES, len(training)), "n_structures": min(PCA_STRUCTURES, len(test))},
        **run_metadata(estimator, settings, folder.path),
        "seconds": {
            "data": data_seconds,
            "training": estimator.history_[-1]["seconds"],
            "measuring": time.monotonic() - started,
        },
        "folder": str(folder.path),
        "page": str(folder.page),
        "result": str(folder.result),
    }
    with atomic_output(folder.page) as temporary:
        temporary.write_text(benchmark_page(result, parts), encoding="utf-8")
    write_json(folder.result, result)
    return result


def _is_incomplete(estimator: Any) -> bool:
    """Return whether networks have not seen all structures yet; a search learns from few."""
    return estimator.n_iter_ <= 1 and not estimator.module_.encoder.searches
