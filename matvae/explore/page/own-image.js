// An image of the user: read once, encoded where its frame stands, and put beside its reconstruction.

import { paintStructure, plane, unpack } from "./charts.js";
import { Placement } from "./placement.js";
import { ask } from "./server.js";
import { percent } from "./words.js";

const $ = (id) => document.getElementById(id);
const MOST_FILE = 64 * 2 ** 20;

export class OwnImage {
  // `grid` is that of the model; `go` shows a state, `address` gives the address of the present one and `isPreview` tells
  // whether a preview of it is shown; `describe` puts a structure in words.
  constructor(grid, { go, address, isPreview, describe }) {
    Object.assign(this, { grid, go, address, isPreview, describe, file: null, encodings: 0, reconstructed: null });
    this.placement = new Placement($("placement"), $("whole"), $("corner"), (corner) => this.encode(corner));
    // The reconstruction beside the image is what is shown for its latent, and stays when the sliders move on.
    new MutationObserver(() => this.copy()).observe($("structures"), { attributes: true, subtree: true, childList: true });
    $("file").addEventListener("change", () => { if ($("file").files[0]) this.open($("file").files[0]); });
    // The same file may be chosen again after it was mended.
    $("file").addEventListener("click", () => { $("file").value = ""; });
    $("swap").addEventListener("change", () => { if (this.file) this.encode(); });
    document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dragging"); });
    document.addEventListener("dragleave", () => document.body.classList.remove("dragging"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      document.body.classList.remove("dragging");
      const files = event.dataTransfer.files;
      if (files.length) this.open(files[0], files.length);
    });
  }

  // Read a file once: the window is then taken from other places of it.
  async open(file, count = 1) {
    const opened = ++this.encodings;
    this.file = null;
    $("placement").hidden = true;
    $("own").replaceChildren();
    this.say(`Reading ${file.name} …`);
    if (file.size > MOST_FILE) {
      this.say(`${file.name}: At most 64 MiB are accepted. Cut a region with matvae import --region.`);
      return;
    }
    let content;
    try { content = await file.arrayBuffer(); } catch {
      if (opened === this.encodings) this.say(`${file.name}: The browser cannot read it. Drop a file, not a folder, that is still there.`);
      return;
    }
    if (opened !== this.encodings) return;
    this.file = { name: file.name, content: new Blob([content]), others: count > 1 ? ` Only the first of ${count} files is taken.` : "" };
    await this.encode();
  }

  async encode(corner) {
    const { file, grid } = this, opened = ++this.encodings;
    this.say(`Encoding ${file.name} …`);
    try {
      const query = new URLSearchParams({ name: file.name, swap: $("swap").checked ? "1" : "0" });
      if (corner === undefined) corner = file.corner;
      if (corner !== undefined) query.set("corner", corner.join(","));
      const found = await (await ask(`/api/encode?${query}`, file.content)).json();
      if (opened !== this.encodings) return;
      if (found.refused) throw new Error(found.refused);
      file.corner = found.corner;
      const far = found.score === null ? "" : ` Out-of-distribution score ${found.score.toFixed(2)}: `
        + (found.score <= 1 ? "as usual among the known structures." : found.score <= 2 ? "at the edge of what the model knows." : "the model does not know such structures, so trust its reconstruction little.");
      this.say(`${file.name}: the decoded statistics miss those of the image by ${percent(found.error)}.${far} ${found.notes.join(" ")}${file.others}`);
      this.placement.show({
        small: unpack(found.small), shape: found.shape, corner: found.corner, sides: grid.shape, axes: grid.axes,
        phases: grid.phases, name: file.name,
      });
      this.show(unpack(found.window), found.values);
      this.go({ latent: found.latent, shape: grid.shape });
    } catch (error) {
      if (error.name === "AbortError" || opened !== this.encodings) return;
      this.say(`${file.name}: ${error.message || "The server does not answer."}`);
    }
  }

  show(window, values) {
    const axis = Number($("axis").value || 0);
    const figure = document.createElement("figure"), canvas = figure.appendChild(document.createElement("canvas"));
    paintStructure(canvas, plane(window, axis, Math.floor(window.shape[axis] / 2)), this.grid.phases);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", this.describe(`Window of ${this.file.name}`, window, values, Math.floor(window.shape[axis] / 2)));
    figure.append(Object.assign(document.createElement("figcaption"), { textContent: "your image" }));
    const other = document.createElement("figure"), copy = other.appendChild(document.createElement("canvas"));
    copy.id = "own-reconstruction";
    copy.setAttribute("role", "img");
    copy.setAttribute("aria-label", "Its reconstruction, not yet made");
    other.append(Object.assign(document.createElement("figcaption"), { id: "own-caption", textContent: "its reconstruction …" }));
    $("own").replaceChildren(figure, other);
    this.reconstructed = null;
  }

  // Copy the structure that is shown, if it is that of the latent of the image.
  copy() {
    const copy = $("own-reconstruction"), source = $("structures").firstChild;
    if (!copy || !source) return;
    this.reconstructed ??= this.address();
    if (this.reconstructed !== this.address()) return;
    copy.width = source.width;
    copy.height = source.height;
    copy.style.aspectRatio = source.style.aspectRatio;
    copy.getContext("2d").drawImage(source, 0, 0);
    copy.setAttribute("aria-label", `Reconstruction of your image. ${source.getAttribute("aria-label")}`);
    $("own-caption").textContent = this.isPreview() ? "its reconstruction (preview)" : "its reconstruction";
  }

  say(text) { $("own-text").textContent = text; }
}
