"""The page in a real browser: Chromium without a screen, driven by Playwright."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from .browser import SECONDS, drag, picture, realized, until
from .conftest import textures
from .test_dropped import npy, png, tiff


def test_dragging_changes_the_picture_at_once_and_releasing_realizes_it(open_page):
    page = open_page()
    before, text = picture(page), page.inner_text("#z0-text")
    previews = int(page.evaluate("document.body.dataset.previews"))
    drag(page, 0, 0.9)
    until(page, f"Number(document.body.dataset.previews) > {previews}")
    assert page.evaluate("document.body.dataset.kind") == "preview"
    assert "Preview" in page.inner_text("#kind")
    assert picture(page) != before
    assert page.inner_text("#z0-text") != text
    page.mouse.up()
    realized(page)
    assert re.search(r"Realization of 16 × 16 voxels; its statistics differ .* by [\d.]+ %", page.inner_text("#kind"))
    assert page.inner_text("#realized-0") != "–"


def test_undo_redo_and_links_lead_to_states(open_page, serving, explorer):
    url, _ = serving(explorer)
    page = open_page(url=url)
    start = page.evaluate("location.hash")
    assert page.is_disabled("#undo")
    page.focus("#z1")
    page.keyboard.press("ArrowRight")
    moved = page.evaluate("location.hash")
    assert moved != start
    page.keyboard.press("Control+z")
    assert page.evaluate("location.hash") == start
    page.click("#redo")
    assert page.evaluate("location.hash") == moved
    realized(page)
    shown = picture(page)
    # Another tab at the same address shows the same, and moving there changes nothing here.
    other = open_page(url=url, path=moved)
    assert picture(other) == shown
    drag(other, 0, 0.1)
    other.mouse.up()
    assert page.evaluate("location.hash") == moved
    assert picture(page) == shown


def test_links_of_other_models_and_other_text_start_at_the_centre(open_page):
    page = open_page(path="#z=1,2&seed=x&n=999&shape=a")
    assert "that of another model" in page.inner_text("#problem")
    page = open_page(path="#<script>alert(1)</script>")
    assert page.inner_text("#problem") == ""
    page = open_page(path="#z=0,0,0&seed=-4&n=2&shape=16,bad")
    assert page.locator("#structures canvas").count() == 2


def test_bookmarks_are_kept_and_lead_back(open_page, serving, explorer):
    page = open_page()
    there = page.evaluate("location.hash")
    page.click("#bookmark")
    page.focus("#z0")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash") != there
    page.reload()
    page.wait_for_selector("#bookmarks a")
    page.click("#bookmarks a")
    until(page, f"location.hash === '{there}'")
    page.click("#bookmarks button")
    assert page.locator("#bookmarks li").count() == 0


def test_a_click_on_the_map_goes_there(open_page, explorer):
    page = open_page()
    box = page.locator("#map").bounding_box()
    page.locator("#map").click(position={"x": box["width"] * 0.97, "y": box["height"] * 0.03})
    latent = [float(v) for v in re.search(r"z=([^&]*)", page.evaluate("location.hash"))[1].split(",")]
    ranges = [(c["low"], c["high"]) for c in explorer.describe()["components"]]
    assert latent[0] > ranges[0][0] + 0.9 * (ranges[0][1] - ranges[0][0])
    assert latent[1] > ranges[1][0] + 0.9 * (ranges[1][1] - ranges[1][0])
    page.fill("#number", "3")
    page.click("#go")
    latent = [float(v) for v in re.search(r"z=([^&]*)", page.evaluate("location.hash"))[1].split(",")]
    assert latent == pytest.approx(explorer.known.latents[3].tolist(), rel=1e-4)


def test_several_realizations_of_another_size_are_shown_and_exported(open_page):
    page = open_page()
    page.fill("#count", "3")
    page.press("#count", "Tab")
    page.fill("#size", "20, 24")
    page.press("#size", "Tab")
    until(page, "document.querySelectorAll('#structures canvas').length === 3", timeout=60 * SECONDS)
    assert page.eval_on_selector("#structures canvas", "c => [c.width, c.height]") == [24, 20]
    page.select_option("#format", label="vti (.vti)")
    with page.expect_download(timeout=60 * SECONDS) as waited:
        page.click("#export")
    download = waited.value
    assert download.suggested_filename == "structures-vti.zip"
    names = zipfile.ZipFile(download.path()).namelist()
    assert len(names) == 3
    page.select_option("#format", label="npy (.npy)")
    with page.expect_download() as waited:
        page.click("#export")
    exported = np.load(waited.value.path())
    assert exported.shape == (3, 20, 24)


def drop(page, name, content):
    """Drop a file on the page, as the pointer would."""
    page.evaluate(
        """([name, bytes]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], name));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        [name, list(content)],
    )


def test_a_dropped_image_is_put_beside_its_reconstruction_with_a_score(open_page):
    page = open_page()
    window = textures(1, 3)[0]
    drop(page, "mine <b>.png", png(255 * window))
    page.wait_for_selector("#own figure")
    text = page.inner_text("#own-text")
    assert text.startswith("mine <b>.png: the decoded statistics miss those of the image by")
    assert re.search(r"Out-of-distribution score \d", text)
    assert "The values 0, 255" in text
    dark = page.eval_on_selector(
        "#own canvas",
        """c => Array.from(c.getContext("2d").getImageData(0, 0, 16, 16).data)
          .filter((v, k) => k % 4 === 0 && v < 100).length""",
    )
    assert dark == window.sum()
    realized(page)
    until(page, "document.getElementById('own-caption').textContent === 'its reconstruction'")
    assert picture(page, "#own-reconstruction") == picture(page)
    own = picture(page, "#own-reconstruction")
    page.focus("#z0")
    page.keyboard.press("PageUp")
    assert picture(page, "#own-reconstruction") == own


def chosen(page, name, content):
    """Choose a file, and return what is said of it in the end."""
    page.set_input_files("#file", {"name": name, "mimeType": "application/octet-stream", "buffer": content})
    start = json.dumps(f"{name}: ")
    until(page, f"document.getElementById('own-text').textContent.startsWith({start})")
    return page.inner_text("#own-text")


def test_files_of_every_kind_get_a_result_or_a_sentence_and_no_error(open_page):
    window = np.tile(textures(1, 3)[0], (2, 2))
    grey = (60 + 120 * window + np.random.default_rng(0).integers(0, 20, window.shape)).astype(np.uint8)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("grey.png", png(grey))
    page = open_page()
    there = page.evaluate("location.hash")
    refused = {
        "rgb.png": (png(np.stack([grey, grey, 255 - grey], -1)), "colour or transparent image (mode RGB). Convert it"),
        "1x1.png": (png(grey[:1, :1]), "at least 16 x 16 voxels, but the file has 1 x 1"),
        "small.npy": (npy(np.eye(4, dtype=np.uint8)), "at least 16 x 16"),
        "empty.png": (b"", "cannot be opened"),
        "text.txt": (b"hello", "not a file or folder that matvae can read"),
        "text.png": (b"hello", "cannot be opened"),
        "archive.zip": (archive.getvalue(), "should contain TIFF files, but has none"),
        "x": (b"", "Rename it"),
        "image.tif": (png(grey), "not of the format that its name suggests"),
    }
    for name, (content, message) in refused.items():
        assert message in chosen(page, name, content), name
        assert page.is_hidden("#placement")
    assert page.evaluate("location.hash") == there
    for name, content in {
        "grey.tif": tiff(grey),
        "sixteen.tif": tiff(grey.astype(np.uint16) * 200),
        "in-colour.tif": tiff(np.stack([grey] * 3, -1)),
        "<script>alert(1)</script>\"'&=#%00.png": png(grey),
    }.items():
        text = chosen(page, name, content)
        assert "Out-of-distribution score" in text
        assert "The window is y 8 to 23 of 32 voxels, x 8 to 23 of 32 voxels." in text
    assert page.locator("#own script").count() == 0
    photograph = io.BytesIO()
    Image.fromarray(np.stack([grey] * 3, -1)).save(photograph, "JPEG")
    text = chosen(page, "sem.jpg", photograph.getvalue())
    assert "Its 3 channels are equal: one channel is taken. sem.jpg is compressed with loss (JPEG): values" in text
    assert "Out-of-distribution score" in text


def test_huge_files_and_folders_are_refused_before_they_are_sent(open_page):
    page = open_page()
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(2 ** 26 + 1)], "huge.tif"));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }"""
    )
    until(page, "document.getElementById('own-text').textContent.includes('At most 64 MiB')")
    page.evaluate(
        """() => {
          const folder = new File([], "folder");
          folder.arrayBuffer = () => Promise.reject(new DOMException("", "NotReadableError"));
          const event = new DragEvent("drop", { bubbles: true, cancelable: true });
          Object.defineProperty(event, "dataTransfer", { value: { files: [folder] } });
          document.dispatchEvent(event);
        }"""
    )
    until(page, "document.getElementById('own-text').textContent.includes('Drop a file, not a folder')")
    assert page.is_hidden("#problem")


def test_the_window_is_moved_by_dragging_its_frame_and_by_numbers(open_page, texture_model):
    page = open_page()
    image = np.concatenate(list(textures(3, 3)), axis=1)
    chosen(page, "long.npy", npy(image))
    assert page.is_disabled("#corner0")
    assert page.input_value("#corner1") == "16"
    page.locator("#whole").scroll_into_view_if_needed()
    box = page.locator("#whole").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.99, box["y"] + box["height"] / 2, steps=4)
    assert page.input_value("#corner1") == "32"
    page.mouse.up()
    until(page, "document.getElementById('own-text').textContent.includes('x 32 to 47 of 48')")
    assert latent_of(page) == pytest.approx(texture_model.transform(image[None, :, 32:])[0], rel=1e-3, abs=1e-4)
    page.fill("#corner1", "-5")
    page.press("#corner1", "Enter")
    until(page, "document.getElementById('own-text').textContent.includes('x 0 to 15 of 48')")
    assert page.input_value("#corner1") == "0"
    assert latent_of(page) == pytest.approx(texture_model.transform(image[None, :, :16])[0], rel=1e-3, abs=1e-4)
    assert "x 0 to 15 of 48" in page.get_attribute("#whole", "aria-label")
    # Another image begins at its centre again, and one of the model's size leaves nothing to choose.
    assert "x 8 to 23 of 32" in chosen(page, "other.npy", npy(image[:, :32]))
    chosen(page, "fits.npy", npy(image[:, :16]))
    assert page.is_hidden("#placement")


def latent_of(page):
    return [float(v) for v in re.search(r"z=([^&]*)", page.evaluate("location.hash"))[1].split(",")]


def test_a_target_starts_a_design(open_page):
    page = open_page()
    page.click("#design")
    assert "at least one" in page.inner_text("#design-note")
    page.check("#t0-on")
    page.click("#design")
    page.wait_for_selector("#design-command", state="visible", timeout=60 * SECONDS)
    assert "Quick search on predictions: the targets are predicted to be reached." in page.inner_text("#design-note")
    assert "matvae optimize MODEL --goal 'volume_fraction(phase=1)=" in page.inner_text("#design-command")
    target = float(page.inner_text("#t0-text"))
    until(page, f"Math.abs(Number(document.getElementById('predicted-0').textContent) - {target}) < 0.01")
    until(page, "document.getElementById('design-realized').textContent.startsWith('Measured on one realization')")
    measured = re.search(r"phase 1 ([\d.]+), target ([\d.]+)\.$", page.inner_text("#design-realized"))
    assert float(measured[2]) == target
    assert float(measured[1]) == pytest.approx(float(page.inner_text("#realized-0")))
    # What is realized elsewhere is not what was sought.
    realized = page.inner_text("#design-realized")
    page.focus("#z0")
    page.keyboard.press("PageUp")
    page.wait_for_selector("body[data-kind=preview]")
    page.wait_for_selector("body[data-kind=realization]", timeout=60 * SECONDS)
    assert page.inner_text("#design-realized") == realized


def test_a_killed_server_is_said_and_the_page_goes_on_when_it_is_back(open_page, serving, explorer):
    url, stop = serving(explorer)
    page = open_page(url=url)
    stop()
    page.focus("#z0")
    page.keyboard.press("ArrowRight")
    until(page, "document.getElementById('problem').textContent.includes('does not answer')")
    there = page.evaluate("location.hash")
    serving(explorer, port=int(re.search(r":(\d+)", url)[1]))
    until(page, "document.getElementById('problem').textContent === ''", timeout=20 * SECONDS)
    realized(page)
    assert page.evaluate("location.hash") == there
    open_page.messages.clear()


def test_a_model_without_known_structures_has_sliders_of_the_prior(open_page, layout_explorer):
    page = open_page(layout_explorer)
    assert page.get_attribute("#z0", "min") == "-3"
    before = picture(page)
    drag(page, 0, 0.95)
    page.mouse.up()
    realized(page)
    assert page.is_disabled("#go")
    assert isinstance(before, str)


def test_volumes_have_sections_and_a_surface_that_rotates(open_page, volume_explorer):
    page = open_page(volume_explorer)
    first = picture(page)
    page.focus("#depth")
    page.keyboard.press("Home")
    assert page.inner_text("#depth-text") == "1 of 8"
    assert picture(page) != first
    page.select_option("#axis", label="x")
    assert page.eval_on_selector("#structures canvas", "c => [c.width, c.height]") == [9, 8]
    assert "normal to x, layer 1" in page.get_attribute("#structures canvas", "aria-label")
    page.click("#surface summary")
    page.wait_for_selector("#surface-view canvas[data-view]")
    assert page.get_attribute("#surface-view canvas", "data-background") == "#ffffff"
    view = page.get_attribute("#surface-view canvas", "data-view")
    page.focus("#surface-view canvas")
    page.keyboard.press("ArrowLeft")
    until(page, f"document.querySelector('#surface-view canvas').dataset.view !== '{view}'")
    view = page.get_attribute("#surface-view canvas", "data-view")
    # Another phase is seen from the same place, and so is another realization.
    before = page.get_attribute("#surface-view canvas", "data-voxels")
    page.select_option("#solid", label="phase 0" if page.input_value("#solid") == "1" else "phase 1")
    after = page.get_attribute("#surface-view canvas", "data-voxels")
    assert [v ^ 1 for v in base64.b64decode(before)] == list(base64.b64decode(after))
    assert page.get_attribute("#surface-view canvas", "data-view") == view


def test_three_phases_have_a_legend_and_their_colours(open_page, three_phase_explorer):
    page = open_page(three_phase_explorer)
    assert re.findall(r"phase \d", page.inner_text("#legend")) == ["phase 0", "phase 1", "phase 2"]
    found = page.eval_on_selector_all(".swatch", "all => all.map((s) => getComputedStyle(s).backgroundColor)")
    legend = {tuple(map(int, re.findall(r"\d+", colour))) for colour in found}
    drawn = page.eval_on_selector(
        "#structures canvas",
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]",
    )
    assert {tuple(drawn[k : k + 3]) for k in range(0, len(drawn), 4)} <= legend
    assert len(legend) == 3
    assert "phase 0, " in page.get_attribute("#structures canvas", "aria-label")
    assert page.is_hidden("#swap")
    assert "volume fraction of phase 2" in page.inner_text("#values")


def test_phases_are_shown_by_their_names_as_they_are_written(open_page, three_phase_volume_explorer):
    page = open_page(three_phase_volume_explorer)
    names = ["phase 0 (pore)", "phase 1 (<i>binder</i>)", "phase 2 (carbon)"]
    assert page.locator("#legend li").all_text_contents() == names
    assert page.locator("#solid option").all_text_contents()[:3] == names
    assert "phase 0 (pore), " in page.get_attribute("#structures canvas", "aria-label")


def test_a_volume_of_three_phases_shows_all_but_the_first_or_one_of_them(open_page, three_phase_volume_explorer):
    page = open_page(three_phase_volume_explorer)
    page.click("#surface summary")
    page.wait_for_selector("#surface-view canvas[data-view]")
    voxels = base64.b64decode(page.get_attribute("#surface-view canvas", "data-voxels"))
    assert set(voxels) == {0, 1, 2}
    assert len(page.get_attribute("#surface-view canvas", "data-colours").split(",")) == 2
    page.select_option("#solid", label="phase 2 (carbon)")
    shown = base64.b64decode(page.get_attribute("#surface-view canvas", "data-voxels"))
    assert list(shown) == [int(v == 2) for v in voxels]


def controls(page):
    """Role, name, value and description of each control and picture that Chromium tells screen readers of."""
    session = page.context.new_cdp_session(page)
    found = []
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value")
        if not node["ignored"] and role in ROLES:
            found.append((role, *(node.get(part, {}).get("value") for part in ("name", "value", "description"))))
    return found


ROLES = ("slider", "button", "combobox", "spinbutton", "textbox", "checkbox", "link", "image", "img")


def test_screen_readers_are_told_name_role_and_value_of_everything(open_page, volume_explorer):
    page = open_page(volume_explorer)
    page.click("#surface summary")
    chosen(page, "mine.npy", npy(np.tile(volume_explorer.known.structures[0], (1, 2, 2))))
    realized(page)
    page.click("#bookmark")
    found = controls(page)
    assert {role for role, *_ in found} >= {"slider", "button", "combobox", "spinbutton", "checkbox"}
    assert all(name and name.strip() for _, name, *_ in found), found
    values = {name: value for role, name, value, _ in found if role == "slider"}
    assert values["Component 1"] == pytest.approx(latent_of(page)[0], abs=0.05)
    assert values["Layer"] == 4
    assert values["Target of volume fraction of phase 1"] == pytest.approx(float(page.inner_text("#t0-text")), abs=0.01)
    # The protocol does not tell of value texts.
    for slider, shown in (("z0", "z0-text"), ("depth", "depth-text"), ("t0", "t0-text")):
        text = page.get_attribute(f"#{slider}", "aria-valuetext")
        assert text.replace("minus ", "−") == page.inner_text(f"#{shown}")
    images = [name for role, name, *_ in found if role in ("image", "img")]
    for start in ("Realization 1, 8 by 9 by 9 voxels: ", "Window of mine.npy, ", "Reconstruction of your image"):
        (text,) = (name for name in images if name.startswith(start))
        assert re.search(r"\d+\.\d % phase 1; volume fraction of phase 1 0\.\d+, specific surface", text)
    assert any(re.match(r"Surface of phase \d, \d+\.\d % of the voxels", name) for name in images)
    descriptions = {name: text for *_, name, _, text in found}
    assert "zero lag in the centre: from" in descriptions["2-point statistics: autocorrelation of phase 1"]
    (place,) = (name for name in images if "You are at component 1" in name)
    assert "the cross is where you are" in descriptions[place]
    assert page.get_attribute("#z0-text", "aria-hidden") == page.get_attribute("#depth-text", "aria-hidden") == "true"


def test_a_change_is_announced_once_and_not_while_dragging(open_page):
    page = open_page()
    page.evaluate(
        """() => {
          window.heard = [];
          new MutationObserver(() => window.heard.push(document.getElementById("announced").textContent))
            .observe(document.getElementById("announced"), { childList: true });
        }"""
    )
    live = page.eval_on_selector_all(
        "[aria-live]:not([aria-live=off]), [role=status], output:not([aria-live=off])", "all => all.map((e) => e.id)"
    )
    assert sorted(live) == ["announced", "design-note", "design-realized", "export-note", "own-text", "search-note"]
    drag(page, 0, 0.9)
    assert page.evaluate("window.heard") == []
    page.mouse.up()
    until(page, "window.heard.length > 0", timeout=60 * SECONDS)
    (heard,) = page.evaluate("window.heard")
    assert re.match(
        r"Realization of 16 × 16 voxels; .* Volume fraction of phase 1 0\.\d+, specific surface .*\.$", heard
    )


@pytest.mark.parametrize("width", [1300, 390])
def test_the_tab_key_goes_from_top_to_bottom_and_is_seen(open_page, volume_explorer, width):
    page = open_page(volume_explorer, width=width)
    page.evaluate("document.getElementById('surface').open = true")
    page.wait_for_selector("#surface-view a")
    visited, places = [], {}
    for _ in range(80):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => {
              const e = document.activeElement, card = e.closest("section");
              if (e === document.body) return null;
              const box = (card || e).getBoundingClientRect(), style = getComputedStyle(e);
              return [e.id || e.textContent, card && card.getAttribute("aria-labelledby"), box.left, box.top + scrollY,
                style.outlineStyle, parseFloat(style.outlineWidth)];
            }"""
        )
        if at is None or at[0] in [v[0] for v in visited]:
            break
        visited.append(at)
        if at[1]:
            places.setdefault(at[1], (round(at[2]), round(at[3])))
    names = [v[0] for v in visited]
    assert {"bookmark", "z0", "z1", "axis", "depth", "solid", "count", "file", "export", "pair", "map-x", "go"} <= set(
        names
    )
    assert all(style != "none" and size >= 2 for *_, style, size in visited)
    # Column by column, and from top to bottom within one; cards that stay in sight have no control.
    assert list(places.values()) == sorted(places.values())


def test_nothing_moves_for_those_who_want_no_motion(open_page):
    moving = """() => [...document.querySelectorAll("*")].filter((e) => {
      const style = getComputedStyle(e);
      return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0
        || style.scrollBehavior === "smooth";
    }).length"""
    page = open_page()
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 390])
def test_accessibility_rules_are_kept(open_page, check_accessibility, volume_explorer, scheme, width):
    page = open_page(volume_explorer, scheme=scheme, width=width)
    page.click("#surface summary")
    page.click("#bookmark")
    drop(page, "small.npy", npy(np.zeros((8, 9, 9), np.uint8)))
    page.wait_for_selector("#own figure")
    check_accessibility(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
