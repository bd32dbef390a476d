"""Volumes are shown in sections and as surfaces."""

from __future__ import annotations

from matvae.report import Figure, VolumeGroup
from matvae.report.panels.volumes import volumes_panel

from ..reading import blocks
from ..report_parts import parts


def test_each_volume_has_sections_and_a_surface():
    panel = volumes_panel(parts((4, 5, 6)))
    titles = ["Original, structure 0", "Its reconstruction", "Candidate 0"]
    (group,) = blocks(panel, VolumeGroup)
    assert [volume.title for volume in group.volumes] == titles
    assert [figure.title for figure in blocks(panel, Figure)] == [f"{title}." for title in titles]
    assert {volume.shape for volume in group.volumes} == {"4,5,6"}
