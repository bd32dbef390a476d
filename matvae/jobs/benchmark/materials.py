"""The benchmark of real materials: PCA and matvae on windows of micrographs and volumes; finished parts are kept."""

from __future__ import annotations

import json
import logging
import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ... import validate
from ..._version import __version__
from ...data.sample_blocks import Progress
from ...errors import InputError, StoreError
from ...estimator.textures import DECODER, EXAMPLES, RETRIEVAL
from ...files import atomic_output, read_json
from ...forecast import announce, has_listener, listening
from ...report import MaterialPictures, check_page_libraries, materials_page
from ..files.kept import forget, is_begun
from ..files.outputs import check_output
from .folder import SETTINGS, is_new, write_json
from .forecast import forecast_materials
from .materials_decoded import IMAGE_VAE, MATVAE, PLAIN_PCA
from .materials_run import REALIZED_AT, Effort, run_material
from .materials_summary import summarise, to_csv
from .materials_windows import Material, choose_materials, read_picture
from .paper import BenchmarkInterrupted

logger = logging.getLogger("matvae")
SCHEMA = 1
SEEDS = (0, 1, 2)
FULL = Effort()
QUICK = Effort((REALIZED_AT,), most_training=300, most_held_out=40, n_realized=4, image_seconds=0.0)


def benchmark_materials(
    data: str | Path,
    out: str | Path = "materials-benchmark",
    *,
    materials: Sequence[str] | None = None,
    n_components: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
    quick: bool = False,
    image_vae: float | None = None,
    n_realized: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compare PCA and matvae on windows of real materials, and write a page with their structures.

    For each material and seed, windows for training, validation and test are cut from regions that share no voxel; the
    seed determines which side of the picture is held out and which windows are drawn. All methods are fitted on the
    same training windows and measured on the same test windows. Nothing is chosen by the validation windows: they are
    the other true region that shows how much the material itself differs from place to place.

    Parameters
    ----------
    data : path
        Folder with ``micrographs`` and ``volumes``, see `materials_windows.MATERIALS`.
    out : path
        Folder for ``runs`` (one result per material and seed), ``result.json`` (the returned dictionary),
        ``decoded.csv``, ``realized.csv`` and ``report.html``. If it holds a benchmark of the same settings, finished
        runs are not computed again.
    materials : sequence of str, optional
        Names of materials; by default all whose files lie in `data`.
    n_components : sequence of int, optional
        Numbers of components; by default 1, 2, 3, 5 and 9, or 5 if `quick`.
    seeds : sequence of int, optional
        By default 0, 1 and 2, or 0 if `quick`.
    quick : bool
        Use few windows, for a first look.
    image_vae : float, optional
        Seconds of training of an image-space VAE, at 5 components; 0 leaves it out. By default 120, or 0 if `quick`.
    n_realized : int, optional
        Test windows whose latents are realized as structures, at 5 components; 0 leaves this out. By default 16, or 4
        if `quick`.
    resume : bool
        Also keep the parts of an unfinished run, one per number of components, from which the next call continues.
    progress : callable, optional
        Called with the number of runs done and their total.

    Returns
    -------
    dict
        ``decoded``: for each material, method and number of components, means over the seeds and, as ``NAME_spread``,
        standard deviations, of ``centred_all``, ``centred_8`` and ``centred_16`` (median centred errors of decoded
        statistics at all lags and at lags up to 8 and 16 voxels, see `centred_lag_error`), ``ratio_all``, ... (these
        relative to PCA), ``surface_error`` (median relative error of the decoded specific surface),
        ``volume_fraction_bias`` and ``volume_fraction_largest`` (mean and largest difference of decoded volume
        fractions) and ``fit_seconds``. The row ``another true window`` has the errors of a validation window in place
        of what is decoded.
        ``realized``: for each way of realizing structures, ``centred_all``, ... and ``loss_all``, ... (median centred
        errors of their statistics, also relative to that of the decoded statistics), ``surface_error``, ``seconds`` per
        structure, ``n_alike`` (number of the six `materials_realized.MEASURED` in which the set is inside 1 z of the
        test windows or as near as another true region, see `MeasureComparison.verdict`), ``outside`` (the others),
        ``copying`` and ``copying_true`` (mean agreement with the most similar training window, also of true windows),
        ``n_copies`` and ``diversity`` (see `Resemblance`).
        ``runs``, the same for each seed, with numbers of windows; ``warnings``; settings, versions, seconds, and the
        paths ``page``, ``result``, ``decoded_csv`` and ``realized_csv``.

    Raises
    ------
    InputError, StoreError
        If an argument is invalid, files are missing or not as expected, or the folder holds something else.
    MissingExtraError
        If matplotlib or jinja2 (extra ``plot``) is not installed.
    BenchmarkInterrupted
        On Ctrl-C; finished runs are kept.
    """
    check_page_libraries()
    effort = _effort(quick, n_components, image_vae, n_realized)
    chosen = choose_materials(data, None if materials is None else tuple(materials))
    numbers = _seeds((SEEDS[:1] if quick else SEEDS) if seeds is None else seeds)
    folder = _open_folder(out, data, effort)
    if has_listener():
        announce(forecast_materials(chosen, data, effort, numbers))
    started = time.monotonic()
    runs = []
    try:
        for material in chosen:
            picture = None
            for seed in numbers:
                path = _run_path(folder, material.name, seed)
                if not path.exists():
                    picture = read_picture(material, data) if picture is None else picture
                    logger.info("Measuring %s, seed %d.", material.name, seed)
                    # Its trainings say nothing of the whole.
                    with listening(None):
                        run_material(material, picture, seed, effort, path, resume=resume or is_begun(path))
                runs.append(_read(path))
                forget(path)
                if progress is not None:
                    progress(len(runs), len(chosen) * len(numbers))
    except KeyboardInterrupt as error:
        raise BenchmarkInterrupted(
            f"The benchmark was interrupted; {len(runs)} finished runs are in {folder}. The same command continues."
        ) from error
    options = {"--materials": materials, "--n-components": n_components, "--seeds": seeds}
    result = {
        "benchmark": "materials",
        **asdict(effort),
        "realized_at": effort.realized_at,
        "materials": [material.name for material in chosen],
        "seeds": numbers,
        "quick": quick,
        "decoded": summarise(runs, "decoded"),
        "realized": summarise(runs, "realized"),
        "runs": runs,
        "warnings": _warnings(runs),
        "version": __version__,
        "command": _command(data, folder, options, quick, image_vae, n_realized),
        "seconds": time.monotonic() - started,
        "page": str(folder / "report.html"),
        "result": str(folder / "result.json"),
        "decoded_csv": str(folder / "decoded.csv"),
        "realized_csv": str(folder / "realized.csv"),
    }
    pictures = {material.name: _pictures(_run_path(folder, material.name, numbers[0]), material) for material in chosen}
    for name in ("decoded", "realized"):
        _write(folder / f"{name}.csv", to_csv(result[name]))
    _write(folder / "report.html", materials_page(result, pictures))
    write_json(folder / "result.json", result)
    return result


def _effort(quick: bool, n_components: Sequence[int] | None, image_vae: float | None, n_realized: int | None) -> Effort:
    default = QUICK if quick else FULL
    sizes = default.n_components if n_components is None else n_components
    if not sizes:
        raise InputError("n_components must be one or more integers of at least 1, but none were given.")
    n = default.n_realized if n_realized is None else validate.integer("n_realized", n_realized, 0)
    if n == 1:
        raise InputError("n_realized must be 0, or at least 2 to compare sets, but 1 was given.")
    return Effort(
        tuple(sorted({validate.integer("n_components", size, 1) for size in sizes})),
        default.most_training,
        default.most_held_out,
        n,
        default.image_seconds if image_vae is None else validate.real("image_vae", image_vae, 0),
    )


def _seeds(seeds: Sequence[int]) -> list[int]:
    if not seeds:
        raise InputError("seeds must be one or more integers of at least 0, but none were given.")
    return list(dict.fromkeys(validate.integer("seeds", seed, 0) for seed in seeds))


def _open_folder(out: str | Path, data: str | Path, effort: Effort) -> Path:
    """Create the folder, or check that it holds a benchmark of materials with the same settings."""
    folder = check_output(out, [data], overwrite=True, replaceable=_is_benchmark)
    settings = {"schema": SCHEMA, "benchmark": "materials", **json.loads(json.dumps(asdict(effort)))}
    if (folder / SETTINGS).is_file():
        stored = _read(folder / SETTINGS)
        for name, value in settings.items():
            if stored.get(name) != value:
                raise InputError(
                    f"{out} holds a benchmark of materials with {name}={stored.get(name)!r}, but {value!r} was given. "
                    "Repeat it with the same settings, or choose another folder."
                )
    folder.mkdir(exist_ok=True)
    write_json(folder / SETTINGS, settings)
    (folder / "runs").mkdir(exist_ok=True)
    return folder


def _is_benchmark(path: Path) -> bool:
    if (path / SETTINGS).is_file():
        return bool(_read(path / SETTINGS).get("benchmark") == "materials")
    return is_new(path)


def _warnings(runs: Sequence[dict[str, Any]]) -> list[str]:
    """Warnings of each material, the first of those that differ in numbers only."""
    first: dict[tuple[str, str], str] = {}
    for run in runs:
        for message in run["warnings"]:
            first.setdefault((run["material"], re.sub(r"\d+", "N", message)), message)
    return [f"{material}: {message}" for (material, _), message in first.items()]


def _pictures(path: Path, material: Material) -> MaterialPictures:
    with np.load(path.with_suffix(".npz")) as stored:
        return MaterialPictures(
            phases=material.phases,
            true=stored["true"],
            pca=stored.get(f"{PLAIN_PCA}/{RETRIEVAL}"),
            image_vae=stored.get(f"{IMAGE_VAE}/{DECODER}"),
            retrieval=stored.get(f"{MATVAE}/{RETRIEVAL}"),
            examples=stored.get(f"{MATVAE}/{EXAMPLES}"),
            larger_true=stored["larger_true"],
            larger=stored.get("larger"),
        )


def _command(
    data: str | Path,
    folder: Path,
    lists: dict[str, Sequence[Any] | None],
    quick: bool,
    image_vae: float | None,
    n_realized: int | None,
) -> str:
    """Command line that repeats the run."""
    options = {"--data": str(data), "-o": str(folder)}
    options |= {name: ",".join(map(str, values)) for name, values in lists.items() if values is not None}
    options |= {"--image-vae": f"{image_vae:g}"} if image_vae is not None else {}
    options |= {"--n-realized": str(n_realized)} if n_realized is not None else {}
    words = [word for pair in options.items() for word in pair]
    return shlex.join(["matvae", "benchmark", "materials", *words, *(["--quick"] if quick else [])])


def _run_path(folder: Path, material: str, seed: int) -> Path:
    return folder / "runs" / f"{material}-{seed}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(read_json(path))
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{path} is damaged ({error}). Remove it to compute it again.") from error


def _write(path: Path, text: str) -> None:
    with atomic_output(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
