"""The local server of the page: a few addresses that return JSON, in Starlette and uvicorn."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import re
import secrets
import socket
import tempfile
import threading
import webbrowser
import zipfile
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ..data.structures import Structures, as_dask
from ..data.write import write
from ..data.writers import WRITERS
from ..errors import InputError, MatvaeError, MissingExtraError
from .dropped import read_dropped
from .explorer import Explorer, Shown

logger = logging.getLogger("matvae")

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Larger files are cut before they are dropped.
MOST_BYTES = 256 << 20
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
# Endings by which formats of the export are asked for, where a file name needs more than the name of the format.
ENDINGS = {"ome-tiff": ".ome.tif", "tiff": ".tif", "ome-zarr": ".ome.zarr", "abaqus": ".inp", "damask": ".vti"}
# The page needs nothing from elsewhere, and nothing else may embed it.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def application(explorer: Explorer, token: str | None = None, hosts: tuple[str, ...] = LOOPBACK) -> Any:
    """Create the Starlette application.

    Parameters
    ----------
    explorer : Explorer
    token : str, optional
        Required in every address, or in the cookie that the first one sets.
    hosts : tuple of str
        Names under which the server may be addressed: a page elsewhere cannot reach it by a name of its own.

    Raises
    ------
    MissingExtraError
        If Starlette is not installed.
    """
    _check_installed()
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    # Realizations take seconds and both cores: one at a time. Previews are not held up by them.
    working = threading.Lock()

    def answered(respond: Callable[..., Any], *, slow: bool) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            if not slow:
                return respond(*arguments)
            with working:
                return respond(*arguments)

        async def endpoint(request: Request) -> Response:
            if (refusal := _refusal(request, token, hosts)) is not None:
                return JSONResponse({"error": refusal}, 403, headers=HEADERS)
            try:
                body = await _body(request)
                result = await run_in_threadpool(run, request, body)
            except MatvaeError as error:
                return JSONResponse({"error": str(error)}, 400, headers=HEADERS)
            response = result if isinstance(result, Response) else JSONResponse(result, headers=HEADERS)
            if token is not None and request.query_params.get("token"):
                response.set_cookie("token", token, httponly=True, samesite="strict")
            return response

        return endpoint

    def page(request: Request, body: bytes) -> Response:
        name = request.url.path.lstrip("/") or "index.html"
        content = files("matvae.explore").joinpath("page", name).read_bytes()
        return Response(content, media_type=TYPES[Path(name).suffix], headers=HEADERS)

    def model(request: Request, body: bytes) -> dict[str, Any]:
        return {**explorer.description(), "formats": list(WRITERS.targets)}

    def preview(request: Request, body: bytes) -> dict[str, Any]:
        return _encoded(explorer.preview(_json(body, "latent")["latent"]))

    def realize(request: Request, body: bytes) -> dict[str, Any]:
        return _encoded(_realized(explorer, _json(body, "latent")))

    def design(request: Request, body: bytes) -> dict[str, Any]:
        asked = _json(body, "targets")
        latent, achieved = explorer.design(asked["targets"], int(asked.get("seed", 0)))
        return {"latent": latent, "achieved": achieved}

    def encode(request: Request, body: bytes) -> dict[str, Any]:
        name = str(request.query_params.get("name", ""))
        with tempfile.TemporaryDirectory(prefix="matvae-explore-") as folder:
            path = Path(folder, _safe(name))
            path.write_bytes(body)
            try:
                dropped = read_dropped(path, explorer)
            except MatvaeError as refused:
                # Whoever dropped the file knows it by its own name.
                raise InputError(str(refused).replace(str(path), name).replace(path.name, name)) from refused
        latent, error, usual = explorer.encode(dropped.labels)
        return {
            "latent": latent,
            "structures": _base64(dropped.labels),
            "shape": list(dropped.labels.shape),
            "notes": dropped.notes,
            "error": error,
            "usual_error": None if np.isnan(usual) else usual,
        }

    def export(request: Request, body: bytes) -> Response:
        asked = _json(body, "latent", "format")
        name = str(asked["format"])
        if name not in WRITERS.targets:
            raise InputError(f"The format must be one of {', '.join(WRITERS.targets)}, but {name!r} was given.")
        shown = _realized(explorer, asked)
        content, file_name = _exported(shown, explorer, name)
        disposition = {"Content-Disposition": f'attachment; filename="{file_name}"'}
        return Response(content, media_type="application/octet-stream", headers=HEADERS | disposition)

    shown = [Route(path, answered(page, slow=False)) for path in ("/", "/page.js", "/surface.js", "/page.css")]
    jobs = {"preview": (preview, False), "realize": (realize, True), "design": (design, True)}
    jobs |= {"encode": (encode, True), "export": (export, True)}
    return Starlette(
        routes=[
            *shown,
            Route("/api/model", answered(model, slow=False)),
            *(
                Route(f"/api/{name}", answered(respond, slow=slow), methods=["POST"])
                for name, (respond, slow) in jobs.items()
            ),
        ]
    )


def serve(
    explorer: Explorer,
    *,
    host: str = "127.0.0.1",
    port: int = 8050,
    browse: bool = True,
    on_start: Callable[[str], None] | None = None,
) -> None:
    """Serve the page until interrupted.

    Parameters
    ----------
    explorer : Explorer
    host : str
        Address to listen at. Any other than that of this machine alone requires the token that the address holds.
    port : int
        0 for any that is free.
    browse : bool
        Whether to open the page in the browser.
    on_start : callable, optional
        Called with the address of the page.

    Raises
    ------
    InputError
        If the port is taken or the address is not one of this machine.
    MissingExtraError
        If Starlette or uvicorn is not installed.
    """
    _check_installed()
    import uvicorn

    listening = _listen(host, port)
    is_local = host in LOOPBACK
    token = None if is_local else secrets.token_urlsafe(16)
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{listening.getsockname()[1]}/" + ("" if token is None else f"?token={token}")
    # Behind a token any name of the machine will do.
    app = application(explorer, token, LOOPBACK if is_local else ())
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False))
    if on_start is not None:
        on_start(address)
    if browse and not webbrowser.open(address):
        logger.info("No browser was found: open %s", address)
    with listening:
        server.run([listening])


def _check_installed() -> None:
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "The explorer needs Starlette and uvicorn; install them with: pip install 'matvae[explore]'"
        ) from error


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise InputError(
            f"The page cannot be served at {host}, port {port} ({error}). Choose another port, or any that is free: "
            "--port 0."
        ) from error
    return listening


def _refusal(request: Any, token: str | None, hosts: tuple[str, ...]) -> str | None:
    """Why a request is not answered, or None if it is."""
    if hosts and request.url.hostname not in hosts:
        return "This page is only served to this machine."
    given = request.query_params.get("token") or request.cookies.get("token") or ""
    if token is not None and not hmac.compare_digest(given.encode(), token.encode()):
        return "The address of this page holds a token, which is missing here. Copy the whole address."
    return None


async def _body(request: Any) -> bytes:
    parts, n_bytes = [], 0
    async for part in request.stream():
        n_bytes += len(part)
        if n_bytes > MOST_BYTES:
            raise InputError(f"More than {MOST_BYTES >> 20} MB were sent. Crop the image first, and drop a part of it.")
        parts.append(part)
    return b"".join(parts)


def _json(body: bytes, *keys: str) -> dict[str, Any]:
    try:
        values = json.loads(body)
    except ValueError as error:
        raise InputError(f"JSON is expected, but it cannot be read: {error}.") from error
    if not isinstance(values, dict) or not set(keys) <= set(values):
        raise InputError(f"An object with {', '.join(keys)} is expected.")
    return values


def _realized(explorer: Explorer, asked: dict[str, Any]) -> Shown:
    try:
        n, seed = int(asked.get("n", 1)), int(asked.get("seed", 0))
        shape = None if asked.get("shape") is None else [int(side) for side in asked["shape"]]
    except (TypeError, ValueError) as error:
        raise InputError(f"n, seed and shape must be integers ({error}).") from error
    return explorer.realize(asked["latent"], n=n, shape=shape, seed=seed)


def _encoded(shown: Shown) -> dict[str, Any]:
    return {
        "structures": _base64(shown.structures),
        "shape": list(shown.structures.shape[1:]),
        "statistics": _base64(shown.statistics),
        "lags": list(shown.statistics.shape),
        "values": shown.values,
        "score": shown.score,
        "how": shown.how,
    }


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _safe(name: str) -> str:
    """A file name of letters, digits, dots, dashes and underscores that ends like `name`."""
    return "dropped" + re.sub(r"[^A-Za-z0-9._-]", "_", Path(name).name)[-60:]


def _exported(shown: Shown, explorer: Explorer, name: str) -> tuple[bytes, str]:
    """One file of the given format; a zip archive if there are several."""
    grid = replace(explorer.grid, shape=shown.structures.shape[1:])
    structures = Structures(as_dask(shown.structures), grid)
    with tempfile.TemporaryDirectory(prefix="matvae-explore-") as folder:
        target = Path(folder, "structure" + ENDINGS.get(name, f".{name}"))
        write(structures, target, name, samples="all")
        found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        if len(found) == 1:
            return found[0].read_bytes(), found[0].name
        archive = Path(folder, "structures.zip")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in found:
                packed.write(path, path.relative_to(folder))
        return archive.read_bytes(), archive.name
