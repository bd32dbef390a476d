"""The command `explore`: it prints where the page is, and refuses what does not fit before it starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request

import numpy as np
import pytest

from matvae import Grid
from matvae.cli import explore
from matvae.data import save_structures
from matvae.explore.server import listen

pytest.importorskip("uvicorn", reason="The explorer needs the extra explore.")


@pytest.fixture
def model(matvae, store, tmp_path):
    quick = ("--n-components", 2, "--max-epochs", 1, "--width", 16, "--decoder", "dense")
    assert matvae("fit", store, "-o", tmp_path / "m.matvae", *quick).code == 0
    return tmp_path / "m.matvae"


def test_the_page_is_served_until_ctrl_c(model, store):
    command = [sys.executable, "-m", "matvae", "explore", model, store, "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        with urllib.request.urlopen(url + "api/model", timeout=60) as answer:
            described = json.load(answer)
        server.send_signal(signal.SIGINT)
        _, err = server.communicate(timeout=60)
    assert described["name"] == "m.matvae"
    assert len(described["latents"]) == 6
    assert server.returncode == 130
    assert "The explorer has ended." in err


def test_a_taken_port_is_an_error_with_the_option_to_use(matvae, model):
    listener, address = listen("127.0.0.1", 0)
    with listener:
        ran = matvae("explore", model, "--port", address.port, "--no-browser")
    assert ran.code == 3
    assert "--port 0" in ran.err


def test_data_that_do_not_fit_are_refused(matvae, model, tmp_path):
    save_structures(tmp_path / "other.zarr", np.zeros((3, 9, 9), np.uint8), grid=Grid((9, 9)))
    ran = matvae("explore", model, tmp_path / "other.zarr", "--no-browser")
    assert ran.code == 3
    assert "was fitted on structures of 8 x 8 voxels" in ran.err
    assert matvae("explore", tmp_path / "no.matvae").code == 2


def test_a_machine_without_a_browser_is_told_to_open_the_address(matvae, model, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")

    def interrupted(explorer, listener, address, on_ready):
        on_ready(address)
        raise KeyboardInterrupt

    monkeypatch.setattr("matvae.jobs.exploring.serve", interrupted)
    ran = matvae("explore", model, "--port", 0)
    assert ran.out.startswith("http://127.0.0.1:")
    assert "No browser was found on this machine: open this address in one yourself." in ran.err


def test_only_graphical_browsers_are_opened(monkeypatch):
    opened = []
    monkeypatch.setattr(explore.webbrowser, "open", lambda url: opened.append(url) or True)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not explore.open_browser("http://127.0.0.1:1/")
    assert opened == []
    monkeypatch.setitem(os.environ, "DISPLAY", ":0")
    assert explore.open_browser("http://127.0.0.1:1/")
    assert opened == ["http://127.0.0.1:1/"]
