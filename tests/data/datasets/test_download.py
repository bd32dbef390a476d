from __future__ import annotations

import hashlib
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.data.datasets import make_dataset
from matvae.data.datasets.cards import Card, load_card
from matvae.data.datasets.download import download_dataset, fetch
from matvae.errors import InputError, MissingExtraError, StoreError

LABELS = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (6, 7, 8))


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    np.save(folder / "rock.npy", LABELS)
    with zipfile.ZipFile(folder / "rock.zip", "w") as archive:
        archive.write(folder / "rock.npy", "scan/rock.npy")
    return folder


@pytest.fixture
def server(served) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(served))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MATVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture
def card(served, server, cache) -> Card:
    return Card(
        "rock",
        "A rock",
        "download",
        "CC0",
        citation="Nobody (2020)",
        url=f"http://127.0.0.1:{server.server_port}/rock.zip",
        sha256=hashlib.sha256((served / "rock.zip").read_bytes()).hexdigest(),
        member="scan/rock.npy",
        reader={"spatial_dims": 3, "phase_values": [0, 255], "voxel_size": 2.5, "unit": "micrometer"},
    )


def files_below(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_a_downloaded_archive_is_unpacked_and_stored(tmp_path, card):
    download_dataset(card, tmp_path / "out")
    structures = open_structures(tmp_path / "out")
    assert (structures.data.compute() == (LABELS == 255)[None]).all()
    assert structures.grid.voxel_size == (2.5, 2.5, 2.5)
    assert (structures.grid.unit, structures.grid.periodic) == ("micrometer", False)
    assert structures.attributes["dataset"] == {"name": "rock", "url": card.url, "sha256": card.sha256}
    assert structures.attributes["licence"] == "CC0"
    assert structures.attributes["citation"] == "Nobody (2020)"


def test_a_file_that_is_not_an_archive_is_read_directly(tmp_path, card, served):
    digest = hashlib.sha256((served / "rock.npy").read_bytes()).hexdigest()
    plain = replace(card, url=card.url.replace(".zip", ".npy"), sha256=digest, member=None)
    download_dataset(plain, tmp_path / "out")
    assert (open_structures(tmp_path / "out").data.compute() == (LABELS == 255)[None]).all()


def test_a_cached_file_is_used_without_a_network(tmp_path, card, served, server):
    download_dataset(card, tmp_path / "first")
    server.shutdown()
    server.server_close()
    download_dataset(card, tmp_path / "second")
    first, second = (open_structures(tmp_path / out).data.compute() for out in ("first", "second"))
    assert (first == second).all()


def test_a_damaged_file_in_the_cache_is_downloaded_again(card, cache):
    file = fetch(card)
    good = file.read_bytes()
    file.write_bytes(good[:50])
    assert fetch(card).read_bytes() == good


def test_an_unexpected_file_is_refused_and_removed(tmp_path, card, cache):
    with pytest.raises(StoreError, match=r"not the one described by the card of 'rock' .*nothing was written"):
        download_dataset(replace(card, sha256="0" * 64), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not files_below(cache)


def test_a_missing_file_is_reported(tmp_path, card, cache):
    with pytest.raises(StoreError, match=r"'rock' could not be downloaded from .*404.*Check the network"):
        download_dataset(replace(card, url=card.url + "x"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not files_below(cache)


def test_an_unreachable_server_is_reported(tmp_path, card, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(StoreError, match=r"could not be downloaded .*Check the network connection"):
        download_dataset(card, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_member_of_an_archive_is_reported(tmp_path, card):
    with pytest.raises(StoreError, match=r"does not contain 'other.tif', .* it contains scan/rock.npy"):
        download_dataset(replace(card, member="other.tif"), tmp_path / "out")


def test_a_cache_that_cannot_be_written_is_reported(tmp_path, card, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MATVAE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(StoreError, match=r"could not be saved in .*set MATVAE_CACHE to a folder"):
        download_dataset(card, tmp_path / "out")


def test_an_invalid_output_is_refused_before_the_download(tmp_path, card, cache):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="exists already"):
        download_dataset(card, tmp_path / "out")
    with pytest.raises(InputError, match="not a matvae store, so it is not replaced"):
        download_dataset(card, tmp_path / "out", overwrite=True)
    with pytest.raises(InputError, match="does not exist"):
        download_dataset(card, tmp_path / "nowhere" / "out")
    assert not files_below(cache)


def test_the_extra_is_named_if_pooch_is_missing(tmp_path, card, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"needs pooch; install it with: pip install 'matvae\[download\]'"):
        download_dataset(card, tmp_path / "out")


def test_make_dataset_downloads_and_reports_one_structure(tmp_path, card, monkeypatch):
    monkeypatch.setattr("matvae.data.datasets.make.load_card", lambda name: card)
    calls: list[tuple[int, int]] = []
    make_dataset("rock", tmp_path / "out", progress=lambda *call: calls.append(call))
    assert calls == [(1, 1)]
    assert len(open_structures(tmp_path / "out")) == 1


def test_the_original_berea_archive_is_read_as_its_card_states(tmp_path, shared_data):
    card = load_card("berea")
    with zipfile.ZipFile(shared_data / "volumes" / "berea.zip") as archive:
        archive.extract(card.member, tmp_path)
    structures = open_structures(tmp_path / card.member, periodic=card.periodic, **card.reader)
    assert structures.data.shape == (1, 400, 400, 400)
    assert structures.grid.phases == card.phases
    # Phase 0 is the pore space; the published porosity is 19.7 %.
    assert 1 - structures.data.mean().compute() == pytest.approx(0.197, abs=0.001)
