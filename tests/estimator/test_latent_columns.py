"""Columns of latents go by the number in their name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from matvae import TwoPointPCA
from matvae.errors import InputError
from matvae.estimator.latent_columns import component_order


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["z0", "z1", "z2"], [0, 1, 2]),
        (["z1", "z2", "z3"], [0, 1, 2]),
        (["z2", "z0", "z1"], [1, 2, 0]),
        (["twopointpca1", "twopointpca0"], [1, 0]),
        ([' "z1"', "z0 "], [1, 0]),
        ([f"z{i}" for i in (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)], list(range(9, -1, -1))),
        (["latent 1", "latent 0"], [1, 0]),
        (["z0"], [0]),
    ],
)
def test_columns_are_put_in_order(names, order):
    assert component_order(names) == order


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["z0", "z1", "sample"], r"z0, z1, \.\.\., but there is also 'sample'. Remove"),
        (["porosity", "z0", "z1", "y1"], "there are also 'porosity', 'y1'"),
        (["a", "b"], "z0, z1, ..., but there are also 'a', 'b'"),
        (["z0", "z2", "z3"], "the column z1 is missing"),
        (["z2", "z3"], "the column z1 is missing"),
        (["z0", "z0", "z1"], "z0 occurs more than once"),
    ],
)
def test_columns_that_are_no_components_are_named(names, message):
    with pytest.raises(InputError, match=message):
        component_order(names)


def test_data_frames_of_latents_go_by_name(X):
    model = TwoPointPCA(3).fit(X)
    Z = model.transform(X)
    frame = pd.DataFrame(Z, columns=model.get_feature_names_out())
    shuffled = frame[["pc_2", "pc_0", "pc_1"]]
    expected = model.inverse_statistics(Z)
    np.testing.assert_array_equal(model.inverse_statistics(frame), expected)
    np.testing.assert_array_equal(model.inverse_statistics(shuffled), expected)
    np.testing.assert_array_equal(model.inverse_statistics(pd.DataFrame(Z)), expected)
    with pytest.raises(InputError, match="there is also 'sample'"):
        model.inverse_statistics(frame.assign(sample=0))
    with pytest.raises(InputError, match=r"numpy.load\(path\) or pandas.read_csv\(path\)"):
        model.inverse_statistics("z.csv")
