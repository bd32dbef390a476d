"""Server of the explorer's page: routes, limits, and who may ask."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import InputError, MatvaeError, MissingExtraError, StoreError
from ..shortage import is_shortage
from .explorer import Explorer
from .searching import BusyError

PAGE = Path(__file__).parent / "page"
# The viewer of volumes is that of the report.
VIEWER = Path(__file__).parents[1] / "report" / "templates" / "volume.js"
KINDS = {".css": "text/css", ".js": "text/javascript"}
FILES = {
    "/": (PAGE / "index.html", "text/html"),
    "/volume.js": (VIEWER, "text/javascript"),
    **{f"/{file.name}": (file, KINDS[file.suffix]) for file in sorted(PAGE.iterdir()) if file.suffix in KINDS},
}
# Bytes of a request, and of a dropped file.
MOST_REQUEST, MOST_FILE = 1 << 20, 64 << 20
# The page loads nothing from elsewhere, and runs no script but its own.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
TOO_LITTLE_MEMORY = "There is too little memory for this. Ask for fewer or smaller structures."


@dataclass(frozen=True)
class Address:
    """Where the page is.

    Attributes
    ----------
    host : str
    port : int
    token : str or None
        Required of every visitor; None on loopback, which other machines cannot reach.
    """

    host: str
    port: int
    token: str | None

    @property
    def url(self) -> str:
        """Address to open in a browser."""
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/" + ("" if self.token is None else f"?token={self.token}")


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> tuple[socket.socket, Address]:
    """Listen on a port; 0 chooses a free one. Any host but loopback gets a token.

    Raises
    ------
    InputError
        If the port is taken or out of range, or this machine does not have the host.
    """
    if not 0 <= port < 1 << 16:
        raise InputError(f"port must be a number from 0 to 65535, but {port} was given.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"Port {port} of {host} is taken by another program, perhaps another explorer. End that, or choose "
                "another port, such as port=0 (--port 0), which takes any free one."
            ) from error
        raise InputError(
            f"It is not possible to listen on {host}, port {port}: {error.strerror or error}. Choose another host or "
            "port; 127.0.0.1 is this machine alone."
        ) from error
    token = None if is_loopback(host) else secrets.token_urlsafe(24)
    return listener, Address(host, listener.getsockname()[1], token)


def check_libraries() -> None:
    """Refuse to start without the libraries of the extra.

    Raises
    ------
    MissingExtraError
        If starlette or uvicorn is not installed.
    """
    try:
        for name in ("starlette", "uvicorn"):
            import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            "The explorer needs starlette and uvicorn; install them with: pip install 'matvae[explore]'"
        ) from error


def serve(explorer: Explorer, listener: socket.socket, address: Address, on_ready: Callable[[Address], None]) -> None:
    """Serve the page until the process is interrupted.

    Parameters
    ----------
    explorer : Explorer
    listener, address
        From `listen`, which may be called long before, so that a taken port is told before a model is read.
    on_ready : callable
        Called with the address as soon as it answers.

    Raises
    ------
    MissingExtraError
        As `check_libraries`.
    """
    check_libraries()
    import uvicorn

    config = uvicorn.Config(
        application(explorer, address),
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    on_ready(address)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        explorer.searches.close()


def application(explorer: Explorer, address: Address) -> Any:
    """ASGI application of the page.

    Parameters
    ----------
    explorer : Explorer
    address : Address

    Returns
    -------
    starlette.applications.Starlette, guarded
    """
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import FileResponse, JSONResponse, Response
    from starlette.routing import Route

    realizing = asyncio.Lock()

    def file(path: str) -> Route:
        source, kind = FILES[path]

        async def answer(request: Request) -> Response:
            return FileResponse(source, media_type=kind, headers=HEADERS)

        return Route(path, answer)

    def question(path: str, ask: Callable[[Request], Awaitable[Response]], method: str = "POST") -> Route:
        async def answer(request: Request) -> Response:
            try:
                response = await ask(request)
            except MatvaeError as error:
                status = 500 if isinstance(error, StoreError) else 400
                response = JSONResponse({"error": str(error)}, status)
            except (MemoryError, RuntimeError) as error:
                if not is_shortage(error):
                    raise
                response = JSONResponse({"error": TOO_LITTLE_MEMORY}, 500)
            response.headers.update(HEADERS)
            return response

        return Route(path, answer, methods=[method])

    async def model(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(explorer.describe))

    async def preview(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(explorer.preview, await _json(request)))

    async def realize(request: Request) -> Response:
        given = await _json(request)
        async with realizing:
            # Whoever moved on in the meantime does not keep others waiting.
            if await request.is_disconnected():
                return Response(status_code=204)
            return JSONResponse(await run_in_threadpool(explorer.realize, given))

    async def design(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(explorer.design, await _json(request)))

    async def search(request: Request) -> Response:
        given = await _json(request)
        try:
            return JSONResponse(await run_in_threadpool(explorer.search, given))
        except BusyError as error:
            # As for files below: an answer.
            return JSONResponse({"refused": str(error)})

    async def searched(request: Request) -> Response:
        return JSONResponse(explorer.searched(request.path_params["identifier"]))

    async def cancel(request: Request) -> Response:
        return JSONResponse(explorer.cancel(request.path_params["identifier"]))

    async def encode(request: Request) -> Response:
        content = await _body(request, MOST_FILE)
        given = request.query_params
        name, swap, corner = given.get("name", ""), given.get("swap") == "1", read_corner(given.get("corner"))
        try:
            found = await run_in_threadpool(explorer.encode, name, content, corner=corner, swap=swap)
        except MatvaeError as error:
            # That a file is of no use is an answer; any other status would be an error in the console of the browser.
            found = {"refused": str(error)}
        return JSONResponse(found)

    async def export(request: Request) -> Response:
        given = await _json(request)
        async with realizing:
            name, content, notes = await run_in_threadpool(explorer.export, given)
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Matvae-Notes": " ".join(notes).encode("ascii", "replace").decode("ascii"),
        }
        return Response(content, media_type="application/octet-stream", headers=headers)

    routes = [
        *map(file, FILES),
        question("/api/model", model, "GET"),
        question("/api/preview", preview),
        question("/api/realize", realize),
        question("/api/design", design),
        question("/api/search", search),
        question("/api/search/{identifier}", searched, "GET"),
        question("/api/search/{identifier}", cancel, "DELETE"),
        question("/api/encode", encode),
        question("/api/export", export),
    ]
    return Guard(Starlette(routes=routes), address)


class Guard:
    """Lets through whom the page is for: the browser of the user, on the page itself.

    A page of another site may send requests to loopback from the user's browser, or have its own name resolve to it.
    Requests therefore name this host, come from this page, and, beyond loopback, carry the token.

    Parameters
    ----------
    app : ASGI application
    address : Address
    """

    def __init__(self, app: Any, address: Address) -> None:
        self.app, self.address = app, address
        self.cookie = f"matvae-{address.port}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse, RedirectResponse

        if scope["type"] != "http":
            return
        request = Request(scope)
        given = request.query_params.get("token")
        if not self._knows_host(request.headers.get("host", "")) or not self._is_own(request):
            answer: Any = PlainTextResponse("This address is not that of the explorer. Open the one it printed.", 403)
        elif self.address.token is not None and given is not None and self._is_token(given):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self.cookie, given, httponly=True, samesite="strict")
        elif self.address.token is not None and not self._is_token(self._cookie_of(request)):
            answer = PlainTextResponse("A token is required. Open the address that the explorer printed.", 403)
        else:
            answer = self.app
        await answer(scope, receive, send)

    def _knows_host(self, host: str) -> bool:
        if self.address.token is not None:
            return True
        name, _, port = host.rpartition(":")
        return name in LOOPBACK_NAMES and port == str(self.address.port)

    def _is_own(self, request: Any) -> bool:
        origin = request.headers.get("origin")
        return origin is None or origin == f"http://{request.headers.get('host')}"

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), (self.address.token or "").encode())

    def _cookie_of(self, request: Any) -> str:
        try:
            found = SimpleCookie(request.headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            found = None
        return "" if found is None else found.value


def read_corner(given: str | None) -> list[int] | None:
    """Read the corner of a window, such as ``"12,40"``; None if none is given.

    Raises
    ------
    InputError
        If it is not a list of whole numbers.
    """
    if given is None:
        return None
    try:
        return [int(part) for part in given.split(",")]
    except ValueError as error:
        raise InputError(
            f"corner must be whole numbers with commas between them, but {given!r:.100} was given. Use the page itself."
        ) from error


async def _json(request: Any) -> Any:
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise InputError("The body of this request should be of the type application/json. Use the page itself.")
    try:
        return json.loads(await _body(request, MOST_REQUEST))
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body of this request is not JSON: {error}. Use the page itself.") from error


async def _body(request: Any, most: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise InputError(
                f"At most {most >> 20} MiB are accepted. Cut a region with `matvae import FILE OUT.zarr --region ...`."
            )
        parts.append(part)
    return b"".join(parts)
