"""Tables that are saved are read back as they were."""

from __future__ import annotations

from matvae.report.panel import csv_data

from .reading import rows_of


def test_a_table_is_read_back():
    data = csv_data("a.csv", ("name", "value"), [['with "quotes", and comma', 1], ["ß", 0.1], ["", float("nan")]])
    assert data.name == "a.csv"
    assert rows_of(data) == [["name", "value"], ['with "quotes", and comma', "1"], ["ß", "0.1"], ["", "nan"]]


def test_float32_numbers_come_back_exactly():
    import numpy as np

    value = np.float32(1) / np.float32(3)
    assert np.float32(rows_of(csv_data("a.csv", ("x",), [[float(value)]]))[1][0]) == value
