from __future__ import annotations

import numpy as np
import zarr

from matvae import Grid
from matvae.data import Structures, write

LABELS = np.random.default_rng(0).integers(0, 3, (2, 3, 4, 5)).astype(np.uint8)


def image(path):
    return zarr.open_group(path, mode="r").attrs["ome"]


def test_metadata_are_those_of_version_0_5(tmp_path):
    grid = Grid((3, 4, 5), phases=3, voxel_size=(2.0, 0.5, 0.25), unit="um", origin=(10, 20, 30))
    write(Structures(LABELS, grid), tmp_path / "rock.ome.zarr")
    assert image(tmp_path / "rock.ome.zarr") == {
        "version": "0.5",
        "multiscales": [
            {
                "name": "rock",
                "axes": [
                    {"name": "t", "type": "time"},
                    {"name": "z", "type": "space", "unit": "micrometer"},
                    {"name": "y", "type": "space", "unit": "micrometer"},
                    {"name": "x", "type": "space", "unit": "micrometer"},
                ],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [1.0, 2.0, 0.5, 0.25]},
                            # The centre of the first voxel.
                            {"type": "translation", "translation": [0.0, 11.0, 20.25, 30.125]},
                        ],
                    }
                ],
            }
        ],
    }
    array = zarr.open_group(tmp_path / "rock.ome.zarr", mode="r")["0"]
    assert array.metadata.dimension_names == ("t", "z", "y", "x")
    np.testing.assert_array_equal(array[...], LABELS)


def test_an_image_without_a_position_has_no_translation(tmp_path):
    write(LABELS[0, 0], tmp_path / "a.zarr", grid=Grid((4, 5), phases=3))
    (level,) = image(tmp_path / "a.zarr")["multiscales"][0]["datasets"]
    assert level["coordinateTransformations"] == [{"type": "scale", "scale": [1.0, 1.0]}]


def test_volumes_are_cut_into_chunks(tmp_path):
    volume = np.random.default_rng(0).integers(0, 2, (70, 130, 65)).astype(np.uint8)
    write(volume, tmp_path / "a.zarr", grid=Grid(volume.shape))
    array = zarr.open_group(tmp_path / "a.zarr", mode="r")["0"]
    assert array.chunks == (64, 64, 64)
    np.testing.assert_array_equal(array[...], volume)
