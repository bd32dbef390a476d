"""Output of the command `evaluate`."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluate")


@pytest.fixture
def lined(matvae, folder):
    """Folder with train.zarr, test.zarr and a model of lines, created once."""
    if not (folder / "m.matvae").exists():
        for seed, (name, n) in enumerate({"train.zarr": 24, "test.zarr": 12}.items()):
            assert matvae("dataset", "make", "lines", folder / name, "--n", n, "--size", 16, "--seed", seed).code == 0
        quick = ("--n-components", 2, "--max-epochs", 2, "--width", 16, "--decoder", "dense")
        ran = matvae("fit", folder / "train.zarr", "-o", folder / "m.matvae", *quick)
        assert ran.code == 0, ran.err
    return folder


def test_methods_are_shown_as_a_table(matvae, lined, tmp_path):
    train = ("--train", lined / "train.zarr")
    ran = matvae("evaluate", lined / "m.matvae", lined / "test.zarr", *train, "--figure", tmp_path / "a.png")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].split()[:3] == ["method", "statistics", "error"]
    assert [line.split("  ")[0] for line in lines[1:4]] == ["training mean", "PCA (2)", "matvae (2)"]
    assert lines[3].endswith("%")
    assert (tmp_path / "a.png").exists()
    assert lines[0].split()[6:12] == ["lags", "<=", "2", "lags", "<=", "4"]
    rows = json.loads(matvae("evaluate", lined / "m.matvae", lined / "test.zarr", "--n-realized", 0, "--json").out)[
        "rows"
    ]
    assert f"{rows[0]['relative_error']:.4f}" in lines[3]


def test_a_set_of_realizations_is_shown_with_its_verdict(matvae, lined):
    command = ("evaluate", lined / "m.matvae", lined / "test.zarr", "--train", lined / "train.zarr", "--no-lines")
    printed = matvae(*command, "--n-realized", 6).out.splitlines()
    generated = json.loads(matvae(*command, "--n-realized", 6, "--json").out)["generated"]
    for head in ("phase    fraction", "measure", "copying: ", "diversity: "):
        assert sum(line.startswith(head) for line in printed) == 1
    assert printed[-1] == f"verdict: {generated['verdict']}"
    assert printed[-2].startswith("6 realizations by decoder and the 6 structures they stand for")
    assert printed[-2].endswith("floor: 6 training structures")
    present = [row for row in generated["rows"] if row["verdict"] != "absent from both"]
    assert sum(line.endswith(("inside 1 z", "as near", "OUTSIDE")) for line in printed) == len(present)


def test_a_model_of_statistics_is_shown_decoded_and_realized(matvae, lined):
    quick = ("--n-components", 2, "--decoder", "statistics")
    assert matvae("fit", lined / "train.zarr", "-o", lined / "s.matvae", *quick).code == 0
    command = ("evaluate", lined / "s.matvae", lined / "test.zarr", "--train", lined / "train.zarr", "--no-lines")
    ran = matvae(*command, "--n-realized", 3)
    assert ran.code == 0, ran.err
    printed = ran.out.splitlines()
    assert printed[0].startswith("decoded, 12 structures")
    names = ["training mean", "PCA (2), plain metric", "PCA (2), lag metric", "matvae (2), lag metric"]
    assert [line.split("  ")[0] for line in printed[1:5]] == names
    assert printed[6].startswith("realized, 3 structures")
    assert [line.split("  ")[0] for line in printed[7:12]] == [
        "PCA (2), plain metric, retrieval",
        "PCA (2), lag metric, retrieval",
        "matvae (2), lag metric, retrieval",
        "matvae (2), lag metric, examples",
        "another true window",
    ]
    assert "decoder statistics, metric lags" in printed
    assert printed[-1].startswith("summary: Beside the better of two PCAs with 2 components, matvae decodes statistics")


def test_lines_are_shown_by_their_number(matvae, lined):
    command = ("evaluate", lined / "m.matvae", lined / "test.zarr", "--n-realized", 0)
    printed = matvae(*command).out.splitlines()
    result = json.loads(matvae(*command, "--json").out)["lines"]
    numbers = list(result["by_number"])
    assert printed[3].split() == ["lines", *numbers, "all"]
    assert printed[4].split() == ["structures", *(str(group["n"]) for group in result["by_number"].values()), "12"]
    assert printed[5].startswith("right number")
    assert printed[5].endswith(f"{result['number']:.1f} %")
    assert printed[6].endswith(f"{result['number_each']:.1f} %")
    assert printed[7].endswith(f"{result['orientation']:.1f} %")
    ran = matvae(*command, "--no-lines")
    assert len(ran.out.splitlines()) == 2
    assert "Lines are not counted: they were not asked for." in ran.err


def test_neighbours_are_shown_with_their_distances(matvae, lined):
    command = ("evaluate", lined / "m.matvae", lined / "test.zarr", "--no-lines", "--nearest", 2, "--n-realized", 0)
    ran = matvae(*command, "--candidates", lined / "train.zarr")
    records = json.loads(matvae(*command, "--candidates", lined / "train.zarr", "--json").out)["nearest"]
    printed = ran.out.splitlines()
    assert len(records) == 12
    assert len(records[0]["by_image"]) == 2
    assert printed[3].split()[:3] == ["structure", "nearest", "by"]
    first = records[0]
    numbers = [[str(neighbour["sample"]) for neighbour in first[kind]] for kind in ("by_image", "by_statistics")]
    nearest = [f"{first[kind][0]['mse']:.3g}" for kind in ("by_image", "by_statistics")]
    own = f"{first['reconstruction']['statistics_mse']:.3g}"
    assert printed[4].split() == ["0", *numbers[0], nearest[0], *numbers[1], nearest[1], own]
    assert printed[14].startswith("... and 2 more")
    closer = sum(record["reconstruction"]["statistics_mse"] < record["by_statistics"][0]["mse"] for record in records)
    assert printed[15].endswith(f": {closer} of 12 reconstructions")


def test_usage_errors_exit_with_2_and_invalid_data_with_3(matvae, lined, store):
    command = ("evaluate", lined / "m.matvae", lined / "test.zarr")
    assert matvae(*command, "--nearest", 1).code == 3
    assert matvae(*command, "--candidates", store).code == 3
    assert matvae(*command, "--nearest", -1).code == 2
    assert matvae(*command, "--nearest", 1, "--candidates", store).code == 3
