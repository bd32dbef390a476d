"""Show the address of the repository, or change it in every file that states it.

Called as ``make address`` or ``make address URL=https://...``. pyproject.toml decides what the address is.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tools.release import ROOT, NotReadyError, address, git


def change(new: str, root: Path) -> list[Path]:
    """Replace the address in the tracked files that state it, and return these.

    Raises
    ------
    NotReadyError
        If the new address is not one of a web page; no file is changed then.
    """
    parts = urlsplit(new)
    if parts.scheme != "https" or not parts.hostname or re.search(r"[\s'\"<>?#]", new) or new.endswith("/"):
        raise NotReadyError(f"An address looks like https://example.org/owner/matvae, but {new!r} was given.")
    old = address(root)
    files = [root / name for name in git("grep", "-lI", "--fixed-strings", old, root=root).splitlines()]
    for path in files:
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return files


def main(new: str) -> None:
    """Print the address, or the files in which it was changed."""
    if not new:
        print(address(ROOT))
        return
    try:
        files = change(new, ROOT)
    except NotReadyError as error:
        sys.exit(f"error: {error}")
    print(f"The address is now {new} in:", *[path.relative_to(ROOT) for path in files], sep="\n  ")


if __name__ == "__main__":
    main(sys.argv[1])
