from __future__ import annotations

import zipfile

import pytest

from matvae.data.readers.archive import members
from matvae.errors import InputError


def test_members_are_listed_in_natural_order_without_hidden_ones(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("s10.tif", "s9.TIF", "._s9.tif", "__MACOSX/s9.tif", "notes.txt", ".hidden/s1.tif"):
            archive.writestr(name, name)
    found = members(tmp_path / "a.zip", (".tif",))
    assert [member.name for member in found] == ["s9.TIF", "s10.tif"]
    with found[1].open() as file:
        assert file.read() == b"s10.tif"
    assert str(found[0]) == f"{tmp_path / 'a.zip'} (s9.TIF)"


def test_a_member_that_declares_more_than_its_data_can_hold_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.tif", b"\0" * 1000)
    content = (tmp_path / "a.zip").read_bytes()
    # The declared size follows the compressed one, in the header of the file and in the directory.
    (tmp_path / "a.zip").write_bytes(content.replace((1000).to_bytes(4, "little"), (10**9).to_bytes(4, "little")))
    with pytest.raises(InputError, match=r"a\.zip \(a\.tif\) declares 1000000000 bytes"):
        members(tmp_path / "a.zip", (".tif",))
