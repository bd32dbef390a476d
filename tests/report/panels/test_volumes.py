"""Volumes only: the original, what came back, and a candidate."""

from __future__ import annotations

from matvae.report.panels.volumes import volumes_panel

from ..report import parts


def test_each_volume_has_sections_and_a_surface():
    panel = volumes_panel(parts((4, 5, 6)))
    titles = ["Original, structure 0", "Its reconstruction", "Candidate 0"]
    assert [one.title for one in panel.volumes] == titles
    assert [one.title for one in panel.figures] == [f"{title}." for title in titles]
    assert {one.shape for one in panel.volumes} == {"4,5,6"}


def test_images_have_no_such_part():
    assert volumes_panel(parts()) is None
