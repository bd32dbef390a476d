"""Models that were pushed are pulled unchanged; whatever else a repository holds is neither fetched nor run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matvae import load
from matvae.errors import InputError, MissingExtraError, StoreError
from matvae.jobs import describe, edit_card, pull_model, push_model

from ..saved_models import edited
from .conftest import stripes
from .hub_server import TOKEN, serving

FILES = {"README.md", "estimator.json", "history.jsonl", "weights.safetensors"}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A stand-in for the hub, with a token for it."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.chdir(tmp_path)
    with serving() as hub:
        yield hub


@pytest.fixture
def pushed(hub, trained):
    return push_model(trained / "m.matvae", "me/stripes", endpoint=hub.endpoint)


def test_a_pulled_model_is_the_pushed_one(hub, trained, pushed) -> None:
    assert hub.private == {"me/stripes": True}
    assert pushed["url"] == f"{hub.endpoint}/me/stripes"
    pulled = pull_model("me/stripes", endpoint=hub.endpoint, sha256=f"sha256:{pushed['sha256'].upper()}")
    assert (pulled["model"], pulled["revision"]) == ("stripes.matvae", pushed["revision"])
    assert pulled["sha256"] == pushed["sha256"] == describe("stripes.matvae")["sha256"]
    for name in FILES:
        assert (Path("stripes.matvae") / name).read_bytes() == (trained / "m.matvae" / name).read_bytes()
    X = stripes(5, 3)
    np.testing.assert_array_equal(load("stripes.matvae").transform(X), load(trained / "m.matvae").transform(X))


def test_a_revision_is_pulled_rather_than_the_latest_model(hub, trained, pushed, tmp_path) -> None:
    model = load(trained / "m.matvae")
    model.card_ = replace(model.card_, name="second")
    model.save(tmp_path / "second.matvae")
    second = push_model(tmp_path / "second.matvae", "me/stripes", public=True, endpoint=hub.endpoint)
    assert second["revision"] != pushed["revision"]
    latest = pull_model("me/stripes", "latest.matvae", endpoint=hub.endpoint)
    first = pull_model(f"me/stripes@{pushed['revision']}", "first.matvae", endpoint=hub.endpoint)
    assert (latest["sha256"], first["sha256"]) == (second["sha256"], pushed["sha256"])
    assert latest["card"]["data"] == "second"


def test_only_the_files_of_a_model_are_fetched(hub, pushed) -> None:
    hub.commit("me/stripes", {"pytorch_model.bin": b"code", "custom.py": b"raise SystemExit", "a/b.json": b"{}"})
    pulled = pull_model("me/stripes", endpoint=hub.endpoint)
    assert hub.fetched() == FILES

    assert {file.name for file in Path(pulled["model"]).iterdir()} == FILES


def test_another_model_than_the_pinned_one_is_refused_before_its_weights_are_fetched(hub, pushed, tmp_path) -> None:
    with pytest.raises(InputError, match=f"its SHA-256 is {pushed['sha256']}, but {'0' * 64} was given"):
        pull_model("me/stripes", endpoint=hub.endpoint, sha256="0" * 64)
    assert hub.fetched() == {"estimator.json"}
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        pull_model("me/stripes", endpoint=hub.endpoint, sha256="main")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_model_that_was_changed_on_the_hub_is_refused(hub, pushed, tmp_path, name) -> None:
    content = hub.repos["me/stripes"][pushed["revision"]][name]
    changed = content.replace(b'"n_iter": 3', b'"n_iter": 4') if name == "estimator.json" else content + b" "
    assert changed != content
    hub.commit("me/stripes", {name: changed})
    with pytest.raises(StoreError, match="SHA-256"):
        pull_model("me/stripes", endpoint=hub.endpoint, sha256=pushed["sha256"])
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_matching_hashes_and_parts_that_contradict_each_other_is_refused(hub, pushed, trained) -> None:

    shutil.copytree(trained / "m.matvae", "evil.matvae")

    with edited(Path("evil.matvae")) as metadata:
        metadata["card"]["name"] = "\x1b[2J"
    hub.commit("me/evil", {name: (Path("evil.matvae") / name).read_bytes() for name in FILES})
    with pytest.raises(StoreError, match="printable"):
        pull_model("me/evil", "out.matvae", endpoint=hub.endpoint)
    assert not Path("out.matvae").exists()


def test_files_that_are_too_large_are_not_fetched(hub, pushed, tmp_path) -> None:
    with pytest.raises(InputError, match=r"weights.safetensors of me/stripes has \d+ bytes, but at most 100"):
        pull_model("me/stripes", endpoint=hub.endpoint, most_bytes=100)
    assert "weights.safetensors" not in hub.fetched()
    hub.claimed_sizes["estimator.json"] = 1 << 40
    with pytest.raises(InputError, match=r"estimator.json of me/stripes has 1099511627776 bytes"):
        pull_model("me/stripes", endpoint=hub.endpoint)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("repo", "error", "message"),
    [
        ("me/nothing", InputError, "no repository me/nothing"),
        ("me/stripes@v9", InputError, "no revision at 'v9'"),
        ("me/other", InputError, "no complete matvae model"),
        ("me/a/b", InputError, "OWNER/NAME"),
    ],
)
def test_what_does_not_exist_is_named(hub, pushed, tmp_path, repo, error, message) -> None:
    hub.commit("me/other", {"README.md": b"# Other"})
    with pytest.raises(error, match=message):
        pull_model(repo, "out.matvae", endpoint=hub.endpoint)
    assert list(tmp_path.iterdir()) == []


def test_pull_does_not_replace_what_exists_unless_asked(hub, pushed) -> None:
    pull_model("me/stripes", endpoint=hub.endpoint)
    hub.requests.clear()
    with pytest.raises(InputError, match="exists already"):
        pull_model("me/stripes", endpoint=hub.endpoint)
    assert hub.requests == []
    pull_model("me/stripes", endpoint=hub.endpoint, overwrite=True)


def test_a_missing_network_is_said(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="hub cannot be reached"):
        pull_model("me/stripes", endpoint="http://127.0.0.1:9")
    assert list(tmp_path.iterdir()) == []


def test_missing_and_wrong_credentials_are_said(hub, trained, monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(InputError, match="denies access"):
        push_model(trained / "m.matvae", "me/x", endpoint=hub.endpoint)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    hub.requests.clear()
    with pytest.raises(InputError, match="hf auth login"):
        push_model(trained / "m.matvae", "me/x", endpoint=hub.endpoint)
    assert hub.requests == []


def test_private_repositories_need_the_token(hub, pushed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(InputError, match="no repository me/stripes on the hub, or it is private"):
        pull_model("me/stripes", endpoint=hub.endpoint)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_ü")
    with pytest.raises(InputError, match="letters that no token has"):
        pull_model("me/stripes", endpoint=hub.endpoint)
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_said_by_push(hub, trained) -> None:
    with pytest.raises(StoreError, match="hub cannot be reached"):
        push_model(trained / "m.matvae", "me/x", endpoint="http://127.0.0.1:9")


@pytest.mark.parametrize("endpoint", ["", "nonsense", "ftp://hub.test", "https://", "https:// "])
def test_the_address_of_the_hub_is_checked_first(hub, trained, endpoint) -> None:
    for exchange in (
        lambda: pull_model("me/x", endpoint=endpoint),
        lambda: push_model(trained, "me/x", endpoint=endpoint),
    ):
        with pytest.raises(InputError, match="endpoint must be an address"):
            exchange()
    assert hub.requests == []


def test_a_connection_that_breaks_leaves_nothing(hub, pushed, tmp_path, monkeypatch) -> None:
    # The library waits between its five tries.
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.cuts["weights.safetensors"] = 100
    with pytest.raises(StoreError, match=r"cannot be reached .*received 100 bytes"):
        pull_model("me/stripes", endpoint=hub.endpoint)
    assert list(tmp_path.iterdir()) == []
    hub.cuts.clear()
    assert pull_model("me/stripes", endpoint=hub.endpoint)["sha256"] == pushed["sha256"]


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_a_size_that_is_not_the_announced_one_is_an_error(hub, pushed, tmp_path, size) -> None:
    hub.claimed_sizes["weights.safetensors"] = size
    with pytest.raises(StoreError, match=rf"something else .* than it announced: .* of size {size} but has"):
        pull_model("me/stripes", endpoint=hub.endpoint)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Repo_Commit": "main; rm -rf x"},
        {"X_Repo_Commit": "../../me/other"},
        {"ETag": '"x/../../../../evil"'},
        {"ETag": '"../../evil"'},
    ],
)
def test_commits_and_tags_that_are_none_are_refused(hub, pushed, tmp_path, headers) -> None:
    hub.headers["estimator.json"] = headers
    with pytest.raises(StoreError, match="not a Hugging Face hub"):
        pull_model("me/stripes", endpoint=hub.endpoint)
    assert hub.fetched() == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("revision", ["../../me/other/resolve/main", "a b", "main#", "%2e%2e", "\n"])
def test_revisions_stay_within_their_repository(hub, pushed, tmp_path, revision) -> None:
    hub.commit("me/other", {"estimator.json": b"{}"})
    with pytest.raises(InputError, match="no revision at"):
        pull_model(f"me/stripes@{revision}", "out.matvae", endpoint=hub.endpoint)
    assert list(tmp_path.iterdir()) == []


def test_names_that_leave_the_folder_and_pickles_are_not_fetched(hub, pushed, tmp_path) -> None:
    names = [
        "../evil.json",
        "../../evil.pkl",
        "/etc/evil",
        "model.pkl",
        "weights.safetensors/../evil",
        "sitecustomize.py",
    ]
    hub.commit("me/stripes", dict.fromkeys(names, b"cos\nsystem\n(S'touch evil'\ntR."))
    pulled = pull_model("me/stripes", endpoint=hub.endpoint)
    assert hub.fetched() == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["stripes.matvae"]
    assert {file.name for file in Path(pulled["model"]).iterdir()} == FILES


def test_a_pickle_in_place_of_the_weights_is_not_run(hub, pushed, trained, tmp_path) -> None:
    shutil.copytree(trained / "m.matvae", "evil")
    (Path("evil") / "weights.safetensors").write_bytes(b"cos\nsystem\n(S'touch run'\ntR.")
    with edited(Path("evil")):
        pass
    hub.commit("me/evil", {name: (Path("evil") / name).read_bytes() for name in FILES})
    shutil.rmtree("evil")
    with pytest.raises(StoreError, match="does not hold a sound model, and nothing was written"):
        pull_model("me/evil", "out.matvae", endpoint=hub.endpoint)
    assert list(tmp_path.iterdir()) == []


def test_html_in_a_card_stays_text(hub, trained) -> None:
    model = load(trained / "m.matvae")
    model.card_ = replace(model.card_, name="<script>alert(1)</script>", licence="[MIT](javascript:alert)")
    model.save("html.matvae")
    push_model("html.matvae", "me/html", endpoint=hub.endpoint)
    pulled = pull_model("me/html", "again.matvae", endpoint=hub.endpoint)
    assert pulled["card"]["data"] == "<script>alert(1)</script>"
    text = (Path("again.matvae") / "README.md").read_text(encoding="utf-8")
    assert r"# Microstructures of \<script\>alert(1)\</script\>" in text
    assert "<script>" not in text
    assert "[MIT]" not in text.partition("\n---\n")[2]


def test_a_killed_pull_leaves_what_was_there_and_the_next_one_cleans_up(hub, pushed, tmp_path) -> None:
    (tmp_path / "tmp").mkdir()
    pull_model("me/stripes", endpoint=hub.endpoint)
    before = describe("stripes.matvae")["sha256"]
    hub.stalled.add("weights.safetensors")
    code = f"from matvae.jobs import pull_model; pull_model('me/stripes', endpoint={hub.endpoint!r}, overwrite=True)"
    hub.requests.clear()
    killed = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path / "tmp")})
    until = time.monotonic() + 60
    while "weights.safetensors" not in hub.fetched() and time.monotonic() < until:
        time.sleep(0.02)
    assert "weights.safetensors" in hub.fetched()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    hub.stall.set()
    assert describe("stripes.matvae")["sha256"] == before
    assert list((tmp_path / "tmp").iterdir()) == []
    (left,) = {path.name for path in tmp_path.iterdir()} - {"tmp", "stripes.matvae"}
    assert left.endswith(".partial")
    hub.stalled.clear()
    pull_model("me/stripes", endpoint=hub.endpoint, overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == {"tmp", "stripes.matvae"}
    assert {path.name for path in Path("stripes.matvae").iterdir()} == FILES


def test_a_missing_licence_is_a_warning_that_ends_when_followed(hub, trained, tmp_path, caplog) -> None:
    load(trained / "m.matvae").save(tmp_path / "m.matvae")
    push_model(tmp_path / "m.matvae", "me/x", endpoint=hub.endpoint)
    assert "states no licence" in caplog.text
    caplog.clear()
    edit_card(tmp_path / "m.matvae", licence="CC BY 4.0")
    push_model(tmp_path / "m.matvae", "me/x", endpoint=hub.endpoint)
    assert "licence" not in caplog.text
    files = list(hub.repos["me/x"].values())[-1]
    assert json.loads(files["estimator.json"])["card"]["licence"] == "CC BY 4.0"
    assert b'license: "cc-by-4.0"' in files["README.md"]


def test_a_missing_library_names_the_extra(trained, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"matvae\[hub\]"):
        push_model(trained / "m.matvae", "me/x")
