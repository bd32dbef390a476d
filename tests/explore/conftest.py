"""Models of textures and layouts, explorers of them, and their page in a browser."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from matvae import Grid, StatsVAETransformer
from matvae.data import Structures
from matvae.explore.explorer import Explorer
from matvae.explore.server import application, listen

from .browser import SECONDS, realized


def textures(n: int, seed: int, *, stretch: float = 1.0) -> np.ndarray:
    """Windows ``(sample, 16, 16)`` with volume fractions of phase 1 from 0.2 to 0.6."""
    rng = np.random.default_rng(seed)
    fields = [gaussian_filter(rng.standard_normal((16, 16)), (1.5, 1.5 * stretch), mode="wrap") for _ in range(n)]
    fractions = rng.uniform(0.2, 0.6, n)
    return np.stack([f > np.quantile(f, 1 - v) for f, v in zip(fields, fractions, strict=True)]).astype(np.uint8)


@pytest.fixture(scope="session")
def texture_model():
    X = Structures(textures(80, 0), Grid((16, 16), voxel_size=0.5, unit="micrometer", periodic=False))
    return StatsVAETransformer(n_components=3, decoder="statistics", periodic=False, cutoff=8, random_state=0).fit(X)


@pytest.fixture(scope="session")
def layout_model():
    X = Structures(textures(60, 1), Grid((16, 16), periodic=True))
    return StatsVAETransformer(n_components=2, decoder="dense", width=16, max_epochs=2, random_state=0).fit(X)


@pytest.fixture(scope="session")
def explorer(texture_model):
    return Explorer(texture_model, name="rock.matvae")


@pytest.fixture(scope="session")
def layout_explorer(layout_model):
    return Explorer(layout_model, name="bars.matvae")


@pytest.fixture(scope="session")
def volume_explorer():
    rng = np.random.default_rng(3)
    fields = np.stack([gaussian_filter(rng.standard_normal((8, 9, 9)), 1, mode="wrap") for _ in range(60)])
    X = Structures((fields > 0.05).astype(np.uint8), Grid((8, 9, 9), periodic=True))
    model = StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(X)
    return Explorer(model, name="foam.matvae")


@pytest.fixture(scope="session")
def three_phase_explorer():
    rng = np.random.default_rng(4)
    fields = np.stack([gaussian_filter(rng.standard_normal((12, 12)), 1, mode="wrap") for _ in range(40)])
    X = Structures(np.digitize(fields, (-0.1, 0.15)).astype(np.uint8), Grid((12, 12), phases=3, periodic=True))
    model = StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(X)
    return Explorer(model, name="composite.matvae")


@pytest.fixture(scope="session")
def three_phase_volume_explorer():
    rng = np.random.default_rng(5)
    fields = np.stack([gaussian_filter(rng.standard_normal((7, 8, 8)), 1, mode="wrap") for _ in range(40)])
    names = {"phase_names": ["pore", "<i>binder</i>", "carbon"]}
    labels = np.digitize(fields, (-0.1, 0.15)).astype(np.uint8)
    X = Structures(labels, Grid((7, 8, 8), phases=3, periodic=True), attributes=names)
    model = StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(X)
    return Explorer(model, name="electrode.matvae")


@pytest.fixture
def serving():
    """Serve an explorer in a thread; returns the address of its page, and a way to stop the server."""
    uvicorn = pytest.importorskip("uvicorn", reason="The explorer needs the extra explore.")

    running = []

    def start(explorer, port=0):
        listener, address = listen("127.0.0.1", port)
        config = uvicorn.Config(application(explorer, address), log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()

        def stop():
            server.force_exit = server.should_exit = True
            thread.join(20)
            listener.close()

        running.append(stop)
        return address.url, stop

    yield start
    for stop in running:
        stop()


@pytest.fixture
def open_page(chromium, serving, explorer):
    """Open the page; whatever it prints to the console is an error at the end."""
    messages, contexts = [], []

    def opened(subject=None, *, path="", expect_realization=True, width=1300, scheme="light", url=None):
        if url is None:
            url, _ = serving(subject or explorer)
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(url + path)
        page.wait_for_selector("body[data-kind]", timeout=60 * SECONDS)
        if expect_realization:
            realized(page)
        return page

    opened.messages = messages
    yield opened
    for context in contexts:
        context.close()
    assert messages == []
