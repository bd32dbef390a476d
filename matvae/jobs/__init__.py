"""The Python interface of every command: one function per job, which returns a dictionary ready for JSON.

Modules are imported on first use, so that the command line starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .benchmark.materials import benchmark_materials
    from .benchmark.paper import BenchmarkInterrupted, benchmark_paper
    from .card import edit_card
    from .compare.compare import compare_methods
    from .dataset import list_datasets, make_dataset
    from .evaluate import evaluate_model
    from .exploring import explore_model
    from .export import export_structures
    from .files.kept import JobInterrupted
    from .fit import FitInterrupted, fit_model
    from .fit_ranks import fit_on_ranks
    from .hub import pull_model, push_model
    from .importing import import_structures
    from .info import describe
    from .inverse import inverse_latents
    from .optimize import optimize_structures
    from .plan import plan_job
    from .reconstruct import reconstruct_statistics
    from .report.report import report_model
    from .representative import find_representative_windows
    from .statistics import compute_statistics
    from .transform import transform_structures
    from .verifying import verify

_HOME = {
    "BenchmarkInterrupted": "benchmark.paper",
    "FitInterrupted": "fit",
    "JobInterrupted": "files.kept",
    "benchmark_materials": "benchmark.materials",
    "benchmark_paper": "benchmark.paper",
    "compare_methods": "compare.compare",
    "compute_statistics": "statistics",
    "describe": "info",
    "edit_card": "card",
    "evaluate_model": "evaluate",
    "explore_model": "exploring",
    "export_structures": "export",
    "find_representative_windows": "representative",
    "fit_model": "fit",
    "fit_on_ranks": "fit_ranks",
    "import_structures": "importing",
    "inverse_latents": "inverse",
    "list_datasets": "dataset",
    "make_dataset": "dataset",
    "optimize_structures": "optimize",
    "plan_job": "plan",
    "pull_model": "hub",
    "push_model": "hub",
    "reconstruct_statistics": "reconstruct",
    "report_model": "report.report",
    "transform_structures": "transform",
    "verify": "verifying",
}

__all__ = [
    "BenchmarkInterrupted",
    "FitInterrupted",
    "JobInterrupted",
    "benchmark_materials",
    "benchmark_paper",
    "compare_methods",
    "compute_statistics",
    "describe",
    "edit_card",
    "evaluate_model",
    "explore_model",
    "export_structures",
    "find_representative_windows",
    "fit_model",
    "fit_on_ranks",
    "import_structures",
    "inverse_latents",
    "list_datasets",
    "make_dataset",
    "optimize_structures",
    "plan_job",
    "pull_model",
    "push_model",
    "reconstruct_statistics",
    "report_model",
    "transform_structures",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'matvae.jobs' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
