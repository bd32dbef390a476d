"""A stand-in for the Hugging Face hub on the loopback: the few endpoints that push and pull need, in memory."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_stand-in"


class Hub:
    """Repositories: for each, commits with their files, the last of which is the branch ``main``."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, dict[str, bytes]]] = {}
        self.private: dict[str, bool] = {}
        # What was asked for: method and path.
        self.requests: list[tuple[str, str]] = []
        self.claimed_sizes: dict[str, int] = {}
        # Headers of the answers for a file, in place of the true ones.
        self.headers: dict[str, dict[str, str]] = {}
        # Bytes of a file after which the connection is closed.
        self.cuts: dict[str, int] = {}
        # Files that are sent up to half, and no further until the event is set.
        self.stalled: set[str] = set()
        self.stall = threading.Event()
        self.endpoint = ""

    def commit(self, repo: str, files: dict[str, bytes]) -> str:
        """Add or replace files, and return the new commit."""
        commits = self.repos.setdefault(repo, {})
        before = list(commits.values())[-1] if commits else {}
        oid = hashlib.sha1(f"{repo}{len(commits)}".encode()).hexdigest()
        commits[oid] = {**before, **files}
        return oid

    def fetched(self) -> set[str]:
        """Names of the files that were downloaded."""
        return {path.rpartition("/")[2] for method, path in self.requests if method == "GET" and "/resolve/" in path}


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def _reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "HEAD":
            return
        name = self.path.rpartition("/")[2]
        if name in self.hub.cuts:
            self.wfile.write(body[: self.hub.cuts[name]])
            self.close_connection = True
        elif name in self.hub.stalled:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.hub.stall.wait(60)
        else:
            self.wfile.write(body)

    def _json(self, values: Any) -> None:
        self._reply(200, json.dumps(values).encode(), Content_Type="application/json")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.hub.requests.append((self.command, self.path))
        if self.path.startswith("/api/models/"):
            return self._reply(401, X_Error_Code="RepoNotFound")
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
        assert match is not None, self.path
        repo, revision, name = match.groups()
        commits = self.hub.repos.get(repo)
        hidden = self.hub.private.get(repo) and self.headers.get("Authorization") != f"Bearer {TOKEN}"
        if commits is None or hidden:
            # The hub does not tell missing repositories from private ones.
            return self._reply(401, X_Error_Code="RepoNotFound")
        oid = list(commits)[-1] if revision == "main" else revision
        if oid not in commits:
            return self._reply(404, X_Error_Code="RevisionNotFound")
        if name not in commits[oid]:
            return self._reply(404, X_Error_Code="EntryNotFound")
        body = commits[oid][name]
        claimed = {"X_Linked_Size": str(self.hub.claimed_sizes[name])} if name in self.hub.claimed_sizes else {}
        true = {"X_Repo_Commit": oid, "ETag": f'"{hashlib.sha1(body).hexdigest()}"'}
        self._reply(200, body, **{**true, **claimed, **self.hub.headers.get(name, {})})

    def do_POST(self) -> None:
        self.hub.requests.append((self.command, self.path))
        body = (
            self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else self._chunks()
        )
        if self.path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._reply(403)
        if self.path == "/api/repos/create":
            values = json.loads(body)
            repo = f"{values['organization']}/{values['name']}" if values.get("organization") else values["name"]
            if repo in self.hub.repos:
                return self._reply(409, json.dumps({"url": f"{self.hub.endpoint}/{repo}"}).encode())
            self.hub.repos[repo] = {}
            self.hub.private[repo] = values.get("private", False) or values.get("visibility") == "private"
            return self._json({"url": f"{self.hub.endpoint}/{repo}"})
        match = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", self.path)
        assert match is not None, self.path
        repo, action = match.groups()
        if action == "preupload":
            files = json.loads(body)["files"]
            return self._json(
                {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]}
            )
        operations = [json.loads(line) for line in body.splitlines()]
        files = {
            each["value"]["path"]: base64.b64decode(each["value"]["content"])
            for each in operations
            if each["key"] == "file"
        }
        oid = self.hub.commit(repo, files)
        self._json({"commitUrl": f"{self.hub.endpoint}/{repo}/commit/{oid}", "commitOid": oid})

    def _chunks(self) -> bytes:
        """Body of a request without a length."""
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve a new, empty hub."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
