"""The server by HTTP: who may ask, what is too much, and errors as sentences."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.explore.server import Address, application, is_loopback, listen

from .test_dropped import npy

pytest.importorskip("starlette", reason="The explorer needs the extra explore.")
LOCAL = Address("127.0.0.1", 8642, None)


class Answer:
    """Status, headers and body of an answer."""

    def __init__(self, messages):
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(m.get("body", b"") for m in messages[1:])

    @property
    def json(self):
        return json.loads(self.body)


def request(
    explorer, path, body=None, *, address=LOCAL, headers: Mapping[str, str] | None = None, query="", method=None
):
    """Send one request to the application, as a server would."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"host": f"127.0.0.1:{address.port}", "content-type": "application/json"} | dict(headers or {})
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method or ("GET" if body is None else "POST"),
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", address.port),
    }
    sent = []
    parts = [{"type": "http.request", "body": content if body is not None else b"", "more_body": False}]

    async def receive():
        if parts:
            return parts.pop(0)
        # The visitor waits for the answer.
        await asyncio.sleep(3600)

    async def send(message):
        sent.append(message)

    async def run():
        await application(explorer, address)(scope, receive, send)

    asyncio.run(run())
    return Answer(sent)


def test_the_page_and_its_parts_are_served_and_load_nothing_from_elsewhere(explorer):
    page = request(explorer, "/")
    assert page.status == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in ("/explore.js", "/charts.js", "/placement.js", "/search.js", "/explore.css", "/volume.js"):
        answer = request(explorer, path)
        assert answer.status == 200
        assert b"//cdn" not in answer.body
        assert b"https://" not in answer.body
    assert request(explorer, "/../pyproject.toml").status == 404


def test_answers_are_those_of_the_explorer(explorer):
    z = explorer.known.latents[1].tolist()
    assert request(explorer, "/api/model").json == explorer.describe()
    assert request(explorer, "/api/preview", {"latent": z}).json == explorer.preview({"latent": z})
    assert request(explorer, "/api/realize", {"latent": z}).json == explorer.realize({"latent": z})


def test_a_file_is_encoded_by_its_content_and_ending(explorer):
    window = explorer.known.structures[3]
    answer = request(explorer, "/api/encode", npy(window), query="name=../%22%3Cb%3E.npy&swap=1")
    assert answer.status == 200
    assert answer.json == explorer.encode("x.npy", npy(window), swap=True)


def test_a_window_begins_where_the_page_says(explorer):
    image = npy(np.indices((20, 30)).sum(0) // 3 % 2)
    answer = request(explorer, "/api/encode", image, query="name=a.npy&corner=4,9")
    assert answer.json["corner"] == [4, 9]
    assert answer.json["shape"] == [20, 30]
    assert answer.json == explorer.encode("a.npy", image, corner=[4, 9])
    assert request(explorer, "/api/encode", image, query="name=a.npy&corner=4,x").status == 400


def test_a_file_of_no_use_is_an_answer_and_no_error_of_the_page(explorer):
    for content, query, message in (
        (b"", "", "end in that of its format"),
        (b"hello", "name=a.png", "cannot be opened"),
        (npy(np.eye(20, dtype=np.uint8)), "name=a.npy&corner=9,9", "Place it inside of the image"),
    ):
        answer = request(explorer, "/api/encode", content, query=query)
        assert answer.status == 200
        assert message in answer.json["refused"]


def test_an_export_is_a_download(explorer):
    answer = request(explorer, "/api/export", {"latent": explorer.known.latents[1].tolist(), "format": "npy"})
    assert answer.headers["content-disposition"] == 'attachment; filename="structures.npy"'
    assert answer.body.startswith(b"\x93NUMPY")


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/api/preview", {"latent": [1]}, "list of 3 numbers"),
        ("/api/preview", b"{", "not JSON"),
        ("/api/preview", b"[" * 100000, "not JSON"),
        ("/api/preview", b'{"latent": [NaN, 0, 0]}', "finite"),
        ("/api/preview", b" " * ((1 << 20) + 1), "At most 1 MiB"),
        ("/api/design", {"targets": {"x": 1}}, "Targets are"),
        ("/api/search", {"targets": {"x": 1}}, "Targets are"),
        ("/api/search", {"targets": {"volume_fraction(phase=1)": 0.4}, "n_candidates": 999}, "n_candidates must be"),
        ("/api/search", b"{", "not JSON"),
        ("/api/realize", {"latent": [0, 0, 0], "sample": 100000}, "sample must be"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(explorer, path, body, message):
    answer = request(explorer, path, body)
    assert answer.status == 400
    assert message in answer.json["error"]


def test_a_search_is_started_asked_for_and_cancelled_and_a_second_one_is_told(explorer):
    wanted = {"targets": {"volume_fraction(phase=1)": 0.4}, "n_candidates": 20}
    started = request(explorer, "/api/search", wanted).json
    try:
        path = f"/api/search/{started['id']}"
        assert request(explorer, path).json["state"] == "running"
        second = request(explorer, "/api/search", wanted)
        assert second.status == 200
        assert "A search is running" in second.json["refused"]
        assert request(explorer, "/api/search/unknown").json == {"state": "gone"}
        # Another page can neither start nor end one.
        assert request(explorer, path, method="DELETE", headers={"origin": "http://evil.example"}).status == 403
        assert request(explorer, path).json["state"] == "running"
        assert request(explorer, path, method="DELETE").json["state"] in ("running", "cancelled")
    finally:
        explorer.searches.close()
    assert request(explorer, path).json["state"] == "cancelled"


def test_other_hosts_and_other_pages_are_refused(explorer):
    assert request(explorer, "/api/model", headers={"host": "evil.example:8642"}).status == 403
    assert request(explorer, "/api/model", headers={"host": "127.0.0.1:1"}).status == 403
    assert request(explorer, "/api/model", headers={"origin": "http://evil.example"}).status == 403
    assert request(explorer, "/api/model", headers={"origin": "http://127.0.0.1:8642"}).status == 200
    # Text is what a form of another page can send without being asked whether it may.
    assert (
        request(explorer, "/api/preview", {"latent": [0, 0, 0]}, headers={"content-type": "text/plain"}).status == 400
    )


def test_beyond_loopback_a_token_is_required_once_and_then_kept_in_a_cookie(explorer):
    address = Address("0.0.0.0", 8642, "secret-token")
    assert request(explorer, "/", address=address).status == 403
    assert request(explorer, "/", address=address, query="token=wrong").status == 403
    entered = request(explorer, "/", address=address, query="token=secret-token")
    assert entered.status == 303
    cookie = entered.headers["set-cookie"].partition(";")[0]
    assert "httponly" in entered.headers["set-cookie"].lower()
    assert request(explorer, "/api/model", address=address, headers={"cookie": cookie}).status == 200
    assert request(explorer, "/api/model", address=address, headers={"cookie": "matvae-8642=x"}).status == 403


def test_a_taken_port_is_said_and_zero_finds_a_free_one():
    listener, address = listen("127.0.0.1", 0)
    with listener:
        assert address.port > 0
        assert address.token is None
        assert address.url == f"http://127.0.0.1:{address.port}/"
        with pytest.raises(InputError, match=r"taken by another program.*port=0"):
            listen("127.0.0.1", address.port)


def test_any_host_but_loopback_gets_a_token():
    listener, address = listen("0.0.0.0", 0)
    with listener:
        assert len(address.token) >= 32
        assert address.url == f"http://{socket.gethostname()}:{address.port}/?token={address.token}"
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "10.0.0.1", "example.org")))
    with pytest.raises(InputError, match=r"not possible to listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 0)


def test_arrays_do_not_leak_between_requests(explorer):
    z = explorer.known.latents
    first, second = (request(explorer, "/api/preview", {"latent": z[k].tolist()}).json for k in (0, 9))
    assert first["structure"]["data"] != second["structure"]["data"]
    assert not np.array_equal(z[0], z[9])
