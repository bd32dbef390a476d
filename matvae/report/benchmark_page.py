"""The page of `matvae benchmark paper`: tables and pictures of the paper's experiment, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import benchmark_figures as figures
from .page import embed_figure, embed_picture, render_page
from .parts import BenchmarkParts, Example
from .plots import MAP

RESULTS = ("method", "structures", "right orientation", "right number of lines", "volume fraction difference")
FORMS = (
    ("n_samples", "{:d}"),
    ("orientation", "{:.1f} %"),
    ("number", "{:.1f} %"),
    ("volume_fraction_difference", "{:.4f} %"),
    ("decoded_error", "{:.3f}"),
    ("structure_error", "{:.3f}"),
)
ERRORS = ("statistics, decoded", "statistics, of structures")


def benchmark_page(result: Mapping[str, Any], parts: BenchmarkParts) -> str:
    """The page as one string of HTML.

    Parameters
    ----------
    result : dict
        What `matvae.jobs.benchmark_paper` gives.
    parts : BenchmarkParts
        Structures to show.

    Returns
    -------
    str

    Raises
    ------
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    return render_page(
        "benchmark.html.jinja",
        title=f"The lines experiment, {result['size']} × {result['size']} pixels",
        version=result["versions"]["matvae"],
        result=result,
        header=(*RESULTS, *ERRORS),
        rows=[(row["method"], *result_cells(row)) for row in result["rows"]],
        by_number=_by_number(result),
        confusion=_confusion(result),
        figures={name: embed_figure(figure) for name, figure in _figures(parts).items()},
        examples=_example_tables(parts),
        neighbours=_neighbour_tables(parts),
        settings=[(name, _plain(value)) for name, value in sorted(result["settings"].items())],
        facts=_facts(result),
        ours=dict(zip((name for name, _ in FORMS), result_cells(result["rows"][-1]), strict=True)),
        peaks={name: f"{100 * value:.0f} %" for name, value in result["mean_peak"].items()},
    )


def result_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Cells of one row of the main table, after the method; a dash where nothing is known."""

    def cell(name: str, form: str) -> str:
        # The paper gives whole percents.
        form = "{:.0f} %" if row.get("published") and "%" in form else form
        return "–" if row[name] is None else form.format(row[name])

    return tuple(cell(name, form) for name, form in FORMS)


def _figures(parts: BenchmarkParts) -> dict[str, Any]:
    return {
        "method": figures.plot_method(parts.queries),
        "history": figures.plot_history(parts.history),
        "walk": figures.plot_walk(parts),
        "latents": figures.plot_latents(parts),
        "means": figures.plot_means(parts),
        "fractions": figures.plot_fractions(parts),
    }


def _by_number(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            str(row["lines"]),
            str(row["n_samples"]),
            f"{row['orientation']:.1f} %",
            f"{row['number']:.1f} %",
            f"{row['volume_fraction_difference']:.4f} %",
            f"{row['structure_error']:.3f}",
        )
        for row in result["by_number"]
    ]


def _confusion(result: Mapping[str, Any]) -> dict[str, Any]:
    rows = result["by_number"]
    most = len(rows[0]["found"]) - 1
    return {
        "header": ("lines of the original", *map(str, range(most)), f"{most} or more"),
        "rows": [(str(row["lines"]), *map(str, row["found"])) for row in rows],
    }


def _example_tables(parts: BenchmarkParts) -> list[dict[str, Any]]:
    """Tables 1 to 4: a row for each example, of four pictures."""
    return [
        {"lines": lines, "rows": [_example_row(one) for one in parts.examples if one.lines == lines]}
        for lines in dict.fromkeys(example.lines for example in parts.examples)
    ]


def _example_row(example: Example) -> dict[str, Any]:
    high = float(example.statistics.max())
    right = "right" if sum(example.original_lines) == sum(example.reconstruction_lines) else "wrong"
    true, found = _directions(example.original_lines), _directions(example.reconstruction_lines)
    pictures = (
        (_structure(example.original), f"original: {true} lines", true),
        (_structure(example.reconstruction), f"reconstruction: {found} lines", f"{found}: number {right}"),
        (_statistics(example.statistics, high), "autocorrelation of the original", ""),
        (
            _statistics(example.reconstructed_statistics, high),
            "autocorrelation of the reconstruction",
            f"relative error {example.error:.3f}",
        ),
    )
    return {
        "choice": example.choice,
        "number": example.number,
        "pictures": [{"uri": uri, "alt": alt, "below": below} for uri, alt, below in pictures],
    }


def _neighbour_tables(parts: BenchmarkParts) -> list[dict[str, Any]]:
    """Tables 5 to 7: whose neighbours, by what, and a row for each query."""
    return [
        {"of": "original", "rows": _neighbour_rows(parts, "original", ["image"])},
        {"of": "original", "rows": _neighbour_rows(parts, "original", ["statistics"])},
        {"of": "reconstruction", "rows": _neighbour_rows(parts, "reconstruction", ["image", "statistics"])},
    ]


def _neighbour_rows(parts: BenchmarkParts, of: str, kinds: list[str]) -> list[dict[str, Any]]:
    called = {"image": "by images", "statistics": "by autocorrelations"}
    rows = []
    for place, query in enumerate(parts.queries):
        for by in kinds:
            found = parts.neighbours[of, by]
            rows.append(
                {
                    "query": _query_picture(query, of),
                    "alt": f"{of} of held-out structure {query.number}",
                    "number": query.number,
                    "by": called[by],
                    "found": [
                        {
                            "picture": _structure(structure),
                            "number": int(number),
                            "distance": _distance(distance),
                            "alt": f"training structure {number}, {called[by]}",
                        }
                        for structure, number, distance in zip(
                            found.structures[place], found.numbers[place], found.distances[place], strict=True
                        )
                    ],
                }
            )
    return rows


def _query_picture(query: Example, of: str) -> str:
    return _structure(query.original if of == "original" else query.reconstruction)


def _structure(labels: np.ndarray) -> str:
    return embed_picture(labels, figures.structure_colours(), low=0, high=1)


def _statistics(f: np.ndarray, high: float) -> str:
    # The root shows faint correlations beside the peak at lag zero.
    return embed_picture(np.sqrt(np.maximum(f, 0)), MAP, low=0, high=max(high, 1e-12) ** 0.5)


def _distance(mean_square: float) -> str:
    # Rounding in the transforms of equal statistics.
    return f"{mean_square:.2g}" if mean_square > 1e-15 else "0"


def _directions(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]} horizontal, {numbers[1]} vertical"


def _facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    seconds = result["seconds"]
    facts = [
        ("preset", result["preset"]),
        ("training structures", f"{result['n']}, seed {result['seed']}"),
        ("held-out structures", f"{result['n_test']}, seed {result['test_seed']}"),
        ("latent components", str(result["n_components"])),
        ("pretrained weights of the encoder", result["weights"] or "none"),
        ("weights of the model", f"{result['n_weights']:,}"),
        ("passes over the data begun", str(result["epochs"])),
        ("steps of training", f"{result['steps']:,}"),
        ("seconds of training", f"{seconds['training']:.0f}"),
        ("seconds of drawing data", "–" if seconds["data"] is None else f"{seconds['data']:.0f}"),
        ("seconds of measuring", f"{seconds['measuring']:.0f}"),
        ("length of the counter's element", f"{result['element']} pixels"),
    ]
    return [*facts, *((f"version of {name}", text) for name, text in result["versions"].items()), *_machine(result)]


def _machine(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in result["machine"].items()]


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
