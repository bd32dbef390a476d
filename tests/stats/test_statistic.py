from __future__ import annotations

import numpy as np
import pytest

from matvae.errors import InputError, PluginError
from matvae.stats import STATISTICS, Statistic, get_statistic, lineal_path

from .samples import labels_of


@pytest.mark.parametrize("name", STATISTICS.builtin)
def test_built_in_statistics_are_found_by_name(name):
    statistic = get_statistic(name)
    assert statistic.name == name
    assert {"state_axis", "phases", "periodic"} <= set(statistic.options)


def test_calling_a_statistic_calls_its_function():
    labels = labels_of((6, 5))
    path = get_statistic("lineal_path")(labels, cutoff=2)
    np.testing.assert_array_equal(path, lineal_path(labels, cutoff=2))


def test_unknown_options_are_refused():
    statistic = get_statistic("lineal_path")
    statistic.check_options(["cutoff", "axis"])
    with pytest.raises(InputError, match=r"takes the options .*axis.*'axes' was given\. Did you mean 'axis'\?"):
        statistic.check_options(["axes"])


def test_unknown_names_and_anything_but_statistics_are_refused(monkeypatch):
    with pytest.raises(PluginError, match="Did you mean 'lineal_path'"):
        get_statistic("lineal_paths")
    monkeypatch.setitem(STATISTICS.targets, "mine", "matvae.stats.lineal_path:lineal_path")
    with pytest.raises(PluginError, match=r"registered as 'mine', is of type function"):
        get_statistic("mine")


def test_statistics_of_plugins_are_found_by_name(monkeypatch):
    monkeypatch.setitem(STATISTICS.targets, "path", "matvae.stats.builtin:LINEAL_PATH")
    assert isinstance(get_statistic("path"), Statistic)
