"""Advice in errors and warnings works when it is followed, on the face (Python or command line) that prints it.

The text that a pattern finds in a message is pasted into the call that follows.
"""

from __future__ import annotations

import re
import shlex
import warnings

import numpy
import numpy as np
import pytest
import tifffile

import matvae
from matvae.cli import main
from matvae.errors import MatvaeError

RNG = np.random.default_rng(0)
X = (RNG.random((6, 24, 32)) < 0.3).astype(np.uint8)
NAMES = {
    **{name: getattr(matvae, name) for name in matvae.__all__},
    **{name: getattr(matvae.data, name) for name in ("windows", "write")},
    "matvae": matvae,
    "numpy": numpy,
    "np": np,
    "X": X,
    "fit": lambda X, **parameters: matvae.TwoPointPCA(n_components=2, **parameters).fit(X),
    "masked": np.ma.masked_array(X, mask=X > 1),
    "one_hot": np.stack([X == 0, X == 1], -1),
    "volume": np.zeros((64, 64, 64), np.uint8),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder of files that leave something open each, and a model."""
    folder = tmp_path_factory.mktemp("files")
    np.save(folder / "gap.npy", X[0] * 255)
    np.save(folder / "small.npy", X[0, :16, :16] * 255)
    np.save(folder / "thirds.npy", RNG.choice([0, 0.5, 1.0], (24, 32)))
    np.save(folder / "nan.npy", np.where(X[0] > 0, np.nan, 0.0))
    np.save(folder / "stack.npy", X)
    np.save(folder / "rgb.npy", np.stack([X[0]] * 3, -1))
    np.savez(folder / "two.npz", a=X[0], b=X[1])
    tifffile.imwrite(folder / "channels.tif", X, imagej=True, metadata={"axes": "CYX"})
    np.zeros(100 * 200 * 300, "<u2").tofile(folder / "scan.raw")
    np.save(folder / "statistics.npy", matvae.two_point_stats(X))
    windows = matvae.data.windows(X, 8)
    matvae.save_structures(folder / "windows.zarr", windows)
    model = matvae.StatsVAETransformer(n_components=2, decoder="dense", width=16, max_epochs=1, random_state=0)
    model.fit(windows).save(folder / "m.matvae")
    return folder


@pytest.fixture
def here(files, tmp_path, monkeypatch):
    """A folder of its own with links to the files."""
    for path in files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)


def message_of(expression):
    """Evaluate an expression that must raise an error of matvae, or warn, and return the message."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            eval(expression, dict(NAMES))
        except MatvaeError as error:
            return str(error)
    assert caught, f"{expression} neither raised nor warned"
    return str(caught[0].message)


IN_PYTHON = [
    ("two_point_stats(X[0])", r"pass (X\[None\])", "(lambda X: two_point_stats({}))(X[0])"),
    ("two_point_stats(X[0])", r"pass (spatial_dims=1)", "two_point_stats(X[0], {})"),
    ("fit(X * 40)", r"with (numpy.searchsorted\(\[0, 40\], X\))", "(lambda X: fit({}))(X * 40)"),
    ("fit(X * 4)", r"pass (phases=5)", "fit(X * 4, {})"),
    ("fit(X.astype(float))", r"Pass (X.astype\('uint8'\))", "fit({})"),
    ("fit(X.astype(float))", r"or (phases=1)", "fit(X.astype(float), {})"),
    ("two_point_stats(one_hot)", r"Pass (state_axis=-1)", "two_point_stats(one_hot, {})"),
    (
        "two_point_stats(masked)",
        r"Pass (X.filled\(0\) and mask=~numpy.ma.getmaskarray\(X\))",
        "(lambda X: two_point_stats({}))(masked)",
    ),
    (
        "fit([X[0], X[1, :20]])",
        r"(matvae.data.windows\(X\[None\], size\))",
        "(lambda X, size: fit({}, periodic=False, cutoff=4))(X[0], 8)",
    ),
    ("np.asarray(open_structures('stack.npy', axes='syx'))", r"or (periodic=False)", "two_point_stats(X, {})"),
    ("open_structures('gap.npy')", r"(phase_values=\(0, 255\))", "open_structures('gap.npy', {})"),
    ("open_structures('gap.npy')", r"(phase_values='auto')", "open_structures('gap.npy', {})"),
    (
        "open_structures('thirds.npy', phase_values='auto')",
        r"(phase_values=\(0.0, 0.5, 1.0\))",
        "open_structures('thirds.npy', {})",
    ),
    (
        "open_structures('nan.npy', phase_values=(0,)).data.compute()",
        r"(phase_values=\(0, float\('nan'\)\))",
        "open_structures('nan.npy', {}).data.compute()",
    ),
    ("open_structures('stack.npy')", r"(axes='syx') or", "open_structures('stack.npy', {})"),
    ("open_structures('stack.npy')", r"or (axes='zyx')", "open_structures('stack.npy', {})"),
    ("open_structures('rgb.npy')", r"(axes='syx') or", "open_structures('rgb.npy', {})"),
    ("open_structures('channels.tif')", r"(axes='zyx') or", "open_structures('channels.tif', {})"),
    ("open_structures('two.npz')", r"arrays: ('a')", "open_structures('two.npz', name={})"),
    (
        "open_structures('scan.raw')",
        r"(raw=matvae.data.RawLayout\(.*'little'\))",
        "open_structures('scan.raw', {}, axes='zyx')",
    ),
    ("save_structures('x.zarr', X * 7)", r"(open_structures\(X, phase_values=\(\.\.\.\))", "{}, axes='syx')"),
    ("write(volume, 'x.npy')", r"(grid=matvae.Grid\(.*?\))(?:, or)", "write(volume, 'x.npy', {})"),
]


@pytest.mark.parametrize(("call", "pattern", "followed"), IN_PYTHON, ids=[f"{row[0]} {row[1]}" for row in IN_PYTHON])
def test_advice_works_in_python(here, call, pattern, followed):
    message = message_of(call)
    found = re.search(pattern, message)
    assert found, message
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        eval(followed.format(found[1].replace(" and ", ", ").replace("(...)", "(0, 7)")), dict(NAMES))


ON_THE_COMMAND_LINE = [
    ("stats gap.npy -o s.zarr", r"(matvae import .*--phase-values 0,255) or", "{}"),
    ("fit gap.npy -o n.matvae", r"(matvae import .*--phase-values) 0,255 or auto", "{} auto"),
    ("import thirds.npy x.zarr --phase-values auto", r"with (matvae import .*), or", "{}"),
    ("import nan.npy x.zarr --phase-values 0", r"with (matvae import .*), or", "{}"),
    ("import stack.npy x.zarr", r": (matvae import .*--axes) syx or zyx", "{} syx --overwrite"),
    ("import stack.npy x.zarr", r": (matvae import .*--axes) syx or zyx", "{} zyx --overwrite"),
    ("import channels.tif x.zarr", r": (matvae import .*--axes zyx) or", "{}"),
    ("import rgb.npy x.zarr", r": (matvae import .*--axes syx) or", "{}"),
    ("import two.npz x.zarr", r"with (matvae import .*--name) \.\.\.", "{} a"),
    ("import scan.raw x.zarr", r": (matvae import .*)\.", "{} --axes zyx"),
    (
        "import stack.npy x.zarr --axes syx --stride 4",
        r"(--window) 64,64",
        "import FILE OUT.zarr --axes syx --stride 4 {} 8,8",
    ),
    (
        "import gap.npy small.npy x.zarr --phase-values auto",
        r"\((--window)\)",
        "import FILE small.npy OUT.zarr --phase-values auto {} 8",
    ),
    ("import gap.npy windows.zarr --phase-values auto", r"(--overwrite)", "import FILE x.zarr --phase-values auto {}"),
    ("transform m.matvae stack.npy -o z.csv", r"`(matvae import .*?)`", "{} --axes syx"),
    ("info two.npz", r"with (matvae info FILE --name a)", "{}"),
    ("info gap.npy", r"(matvae import .*)", "{}"),
    ("info stack.npy", r"(matvae import .*zyx)", "{}"),
    ("export windows.zarr w.inp", r"(--sample 0),", "export FILE w.inp {}"),
    (
        "reconstruct statistics.npy -o x.zarr",
        r"pass (size).*(periodic).*(phases)",
        "reconstruct FILE -o OUT.zarr --size 24,32 --periodic --phases 2 --max-iter 1",
    ),
    (
        "evaluate m.matvae windows.zarr --candidates windows.zarr",
        r"(--nearest) ",
        "evaluate m.matvae windows.zarr --candidates windows.zarr {} 2",
    ),
    (
        "evaluate m.matvae windows.zarr --nearest 2",
        r"(--train)",
        "evaluate m.matvae windows.zarr --nearest 2 {} windows.zarr",
    ),
    ("inverse m.matvae stack.npy -o x.zarr", r"`(matvae transform)`", "{} m.matvae windows.zarr -o z.npy"),
]


@pytest.mark.parametrize(
    ("call", "pattern", "followed"), ON_THE_COMMAND_LINE, ids=[f"{row[0]} {row[1]}" for row in ON_THE_COMMAND_LINE]
)
def test_advice_works_on_the_command_line(here, capsys, monkeypatch, call, pattern, followed):
    monkeypatch.setenv("COLUMNS", "400")

    def run(words):
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = capsys.readouterr()
        return ended.value.code or 0, err + out

    words = call.split()
    code, message = run(words)
    assert code in (0, 3)
    found = re.search(pattern, message)
    assert found, message
    file = next(word for word in words if word.endswith((".npy", ".npz", ".tif", ".raw", ".zarr")))
    command = followed.format(found[1]).removeprefix("matvae ").replace("FILE", file).replace("OUT.zarr", "out.zarr")
    code, output = run(shlex.split(command))
    assert code == 0, output
