"""Jobs that exchange models with the Hugging Face hub: four files, pinned by one hash, none of which is code."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError, MissingExtraError, StoreError
from ..estimator import load
from ..estimator.card_page import card_facts
from ..estimator.pretrained import model_folder
from ..estimator.saving import ESTIMATOR, HISTORY, README, WEIGHTS, model_sha256
from ..files import atomic_output, read_json
from ..room import check_room, size_on_disk
from .files.outputs import check_output, is_model

logger = logging.getLogger("matvae")
# Largest files that are fetched, in bytes; the weights are bounded by `most_bytes`.
MOST_BYTES = 4 << 30
LIMITS = {ESTIMATOR: 16 << 20, HISTORY: 256 << 20, README: 4 << 20}


def push_model(
    model: str | Path,
    repo: str,
    *,
    public: bool = False,
    message: str | None = None,
    endpoint: str | None = None,
) -> dict[str, Any]:
    """Upload a saved model to a repository on the Hugging Face hub, which is created if it does not exist.

    The token of ``hf auth login`` or of the environment variable HF_TOKEN is used.

    Parameters
    ----------
    model : path
        Saved model.
    repo : str
        ``OWNER/NAME``.
    public : bool
        Whether a new repository can be seen by everybody.
    message : str, optional
        Of the commit.
    endpoint : str, optional
        Address of the hub; by default that in HF_ENDPOINT, or https://huggingface.co.

    Returns
    -------
    dict
        ``model``, ``repo``, ``revision`` (the commit), ``url``, ``sha256`` (of the model) and ``bytes``.

    Raises
    ------
    InputError
        If there is no token, it does not allow this, or the name or the address of the hub is not valid.
    StoreError
        If the model is damaged, or the hub cannot be reached.
    MissingExtraError
        If huggingface_hub is not installed.
    """
    hub = _library(endpoint)
    folder = model_folder(model)
    estimator = load(model)
    if estimator.card_.licence is None:
        logger.warning(
            "The card of %s states no licence of the data, without which others may not use the model. State it with "
            "`matvae card %s --licence 'CC BY 4.0'`.",
            model,
            model,
        )
    if n := len(estimator.module_.examples):
        logger.info("The model contains %d training windows, which anyone who pulls it can see.", n)
    if not hub.get_token():
        raise InputError(
            "Uploading needs a token with write access, but none was found. Create one at "
            "https://huggingface.co/settings/tokens, and store it with `hf auth login`, or set HF_TOKEN."
        )
    api = hub.HfApi(endpoint=endpoint, library_name="matvae")
    with _explained(repo, None):
        api.create_repo(repo, private=not public, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            allow_patterns=[ESTIMATOR, WEIGHTS, HISTORY, README],
            commit_message=message or f"Upload {folder.name}",
        )
    return {
        "model": str(model),
        "repo": repo,
        "revision": commit.oid,
        "url": f"{api.endpoint}/{repo}",
        "sha256": model_sha256(folder),
        "bytes": size_on_disk(folder),
    }


def pull_model(
    repo: str,
    out: str | Path | None = None,
    *,
    sha256: str | None = None,
    most_bytes: int = MOST_BYTES,
    endpoint: str | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Download a model from the Hugging Face hub, check it, and write it; nothing is written if an error occurs.

    Only the files of a model are fetched; none of them is code, and loading them runs none.

    Parameters
    ----------
    repo : str
        ``OWNER/NAME``, or ``OWNER/NAME@REVISION`` with a branch, tag or commit.
    out : path, optional
        New model; by default ``NAME.matvae``.
    sha256 : str, optional
        The hash that the model must have, as `push_model` returned it and `matvae info` shows it. It covers all files.
    most_bytes : int
        Size above which weights are not fetched.
    endpoint : str, optional
        As in `push_model`.
    overwrite : bool
        Whether an existing model may be replaced.

    Returns
    -------
    dict
        ``model``, ``repo``, ``revision`` (the commit), ``sha256``, ``bytes``, and ``card``, the facts of its card.

    Raises
    ------
    InputError
        If there is no such repository, revision or model in it, access is denied, the model is too large or not the
        one with this hash, or the output exists.
    StoreError
        If the model is damaged, the hub cannot be reached, or it sends something else than it announced.
    MissingExtraError
        If huggingface_hub is not installed.
    """
    hub = _library(endpoint)
    name, _, revision = repo.partition("@")
    pin = None if sha256 is None else _checked_pin(sha256)
    target = check_output(out or f"{name.rpartition('/')[2]}.matvae", [], overwrite=overwrite, replaceable=is_model)
    with atomic_output(target) as folder:
        folder.mkdir()
        # In the folder of the unfinished output: what a killed pull leaves is removed by the next one.
        scratch = folder.with_name("fetched")

        def fetch(file: str, at: str | None, most: int) -> str:
            """Fetch a file into the folder, and return the commit that it belongs to."""
            with _explained(name, at):
                url = hub.hf_hub_url(name, file, revision=at, endpoint=endpoint)
                found = hub.get_hf_file_metadata(url, endpoint=endpoint)
            _check_answer(found, name)
            if found.size is None or found.size > most:
                remedy = "Allow more with most_bytes (--most-bytes)." if file == WEIGHTS else "This is no model."
                raise InputError(f"{file} of {name} has {found.size} bytes, but at most {most} are fetched. {remedy}")
            check_room(target, found.size, largest=found.size, what=f"{file} of {name}")
            with _explained(name, at):
                fetched = hub.hf_hub_download(
                    name, file, revision=found.commit_hash, local_dir=scratch, endpoint=endpoint
                )
            shutil.move(fetched, folder / file)
            return str(found.commit_hash)

        commit = fetch(ESTIMATOR, revision or None, LIMITS[ESTIMATOR])
        found_sha256, files = _stated(folder, name)
        if pin is not None and found_sha256 != pin:
            raise InputError(
                f"The model in {name} at {commit} is not the expected one: its SHA-256 is {found_sha256}, but {pin} "
                "was given. Name the revision that has this hash, NAME@REVISION, or ask who published it."
            )
        for file in files:
            fetch(file, commit, LIMITS.get(file, most_bytes))
        try:
            # Checks all hashes, and that the parts are those of a model.
            estimator = load(folder)
        except StoreError as error:
            raise StoreError(
                f"{name} at {commit} does not hold a sound model, and nothing was written. Ask who published it, or "
                f"name another revision, NAME@REVISION. In detail: {error}"
            ) from error
    return {
        "model": str(target),
        "repo": name,
        "revision": commit,
        "sha256": found_sha256,
        "bytes": size_on_disk(target),
        "card": card_facts(estimator),
    }


def _stated(folder: Path, repo: str) -> tuple[str, list[str]]:
    """The hash that estimator.json states, and the files that belong to it."""
    try:
        sha256 = model_sha256(folder)
        hashes = read_json(folder / ESTIMATOR)["sha256"]
        return sha256, [WEIGHTS, HISTORY, *[README] * (README in hashes)]
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{ESTIMATOR} of {repo} is damaged ({error}). Ask who published it.") from error


def _checked_pin(sha256: str) -> str:
    pin = sha256.strip().lower().removeprefix("sha256:")
    if len(pin) != 64 or set(pin) - set("0123456789abcdef"):
        raise InputError(
            f"sha256 must be 64 hexadecimal digits, as `matvae info` shows them, but {sha256!r} was given."
        )
    return pin


def _check_answer(found: Any, repo: str) -> None:
    """Refuse metadata of a file that are not those of a hub: the commit is printed, and both get into paths."""
    if re.fullmatch("[0-9a-f]{40}", found.commit_hash or "") and re.fullmatch(r"[\w-]+", found.etag or "", re.ASCII):
        return
    raise StoreError(
        f"What answers for {repo} is not a Hugging Face hub: it names the commit {found.commit_hash!r} and the tag "
        f"{found.etag!r} of a file. Check the address of the hub (--endpoint, or HF_ENDPOINT)."
    )


def _library(endpoint: str | None) -> Any:
    """Import huggingface_hub, and check the address and the token that it would use."""
    if endpoint is not None and not re.fullmatch(r"https?://[^\s/]+\S*", endpoint):
        raise InputError(f"endpoint must be an address such as https://hub.example.org, but {endpoint!r} was given.")
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtraError(
            "Exchanging models with the Hugging Face hub needs huggingface_hub; install it with: pip install "
            "'matvae[hub]'"
        ) from error
    if not (huggingface_hub.get_token() or "").isascii():
        raise InputError(
            "The token for the hub has letters that no token has. Store it again with `hf auth login`, or correct "
            "HF_TOKEN."
        )
    return huggingface_hub


@contextmanager
def _explained(repo: str, revision: str | None) -> Iterator[None]:
    """Ask the hub something without its progress bars; its errors become sentences that say what to do."""
    from huggingface_hub import errors
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    at = "" if revision is None else f" at {revision!r}"
    had_bars = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    except errors.HFValidationError as error:
        raise InputError(
            f"A repository is expected as OWNER/NAME, of letters, digits, '-', '_' and '.', but {repo!r} was given."
        ) from error
    except errors.GatedRepoError as error:
        raise InputError(
            f"Access to {repo} must be requested from its owner, on its page. Then log in with `hf auth login`."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(
            f"There is no repository {repo} on the hub, or it is private. Correct the name, or log in with `hf auth "
            "login` if you have access."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{repo} has no revision{at}. Name a branch, tag or commit of it: NAME@REVISION.") from error
    except errors.RemoteEntryNotFoundError as error:
        raise InputError(
            f"{repo}{at} contains no complete matvae model: a file is missing ({error.response.url}). Name a "
            "repository that `matvae push` wrote."
        ) from error
    except errors.HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise InputError(
                f"The hub denies access to {repo}: the token is missing, has expired, or does not allow this. Create "
                "one at https://huggingface.co/settings/tokens, and store it with `hf auth login`."
            ) from error
        raise StoreError(f"The hub answered with an error on {repo}: {error}. Try again later.") from error
    except (
        errors.HTTPError,
        errors.FileMetadataError,
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
    ) as error:
        raise StoreError(
            f"The hub cannot be reached for {repo}: {error}. Check the network connection (and the proxy settings, and "
            "HF_HUB_OFFLINE, if you use them), and try again."
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        # Those without a number are of huggingface_hub, which compares the size of what it received.
        raise StoreError(
            f"The hub sent something else for {repo} than it announced: {str(error).splitlines()[0]} Try again; if "
            "this persists, ask who published it."
        ) from error
    finally:
        if had_bars:
            enable_progress_bars()
