"""Job that shows a model on a local page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..estimator import load
from ..explore import Address, Explorer, serve
from ..explore.server import check_libraries, listen
from .models import check_form, open_fitting
from .report.metadata import materials_of


def explore_model(
    model: str | Path,
    data: str | Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8642,
    on_ready: Callable[[Address], None] = lambda address: None,
) -> None:
    """Show a model on a local page, until the process is interrupted.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saves it.
    data : path, optional
        Structures shown on the map of latents, instead of the training windows that a model of textures carries.
    host : str
        Address to listen on. On loopback, the default, only this machine reaches the page; on any other, visitors need
        the token in the address that `on_ready` receives.
    port : int
        Port to listen on; 0 chooses a free one.
    on_ready : callable
        Called with the `Address` of the page as soon as it answers.

    Raises
    ------
    InputError, StoreError
        If the model or the data cannot be read, or do not fit each other, or the port is taken.
    MissingExtraError
        If starlette or uvicorn is not installed.
    """
    check_libraries()
    listener, address = listen(host, port)
    with listener:
        estimator = load(model)
        check_form(estimator, model)
        structures = None if data is None else open_fitting(data, estimator, model)
        materials = () if structures is None else materials_of(structures) or ()
        explorer = Explorer(estimator, structures, Path(model).name, materials, location=str(model))
        serve(explorer, listener, address, on_ready)
