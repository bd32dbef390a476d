// Where the window is cut from a dropped image: a small picture with a frame to drag, and one number per axis.

import { paintStructure } from "./charts.js";

export class Placement {
  // `onPlace` is called with the first voxel of the window along each axis, once it was let go.
  constructor(box, canvas, fields, onPlace) {
    Object.assign(this, { box, canvas, fields, onPlace });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.follow(event);
    });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) this.follow(event); });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => this.place(this.corner));
  }

  // Show a small picture of an image of a shape, and the window on it; nothing if there is nothing to choose.
  show({ small, shape, corner, sides, axes, phases, name }) {
    Object.assign(this, { shape, corner, sides, axes, name });
    this.placed = String(corner);
    this.box.hidden = shape.every((n, k) => n === sides[k]);
    if (this.box.hidden) return;
    this.picture = document.createElement("canvas");
    paintStructure(this.picture, { rows: small.shape[0], columns: small.shape[1], values: small.values }, phases);
    // The axes of the picture: rows and columns; a line has no rows to choose from.
    this.column = shape.length - 1;
    this.row = shape.length > 1 ? shape.length - 2 : null;
    if (this.fields.children.length !== shape.length) this.buildFields();
    this.draw();
  }

  buildFields() {
    this.fields.replaceChildren(...this.axes.map((axis, k) => {
      const field = Object.assign(document.createElement("span"), { className: "field" });
      const input = Object.assign(document.createElement("input"), { type: "number", id: `corner${k}`, min: 0 });
      input.addEventListener("change", () => {
        const corner = [...this.corner];
        corner[k] = this.within(k, Math.round(Number(input.value)) || 0);
        this.place(corner);
      });
      field.append(Object.assign(document.createElement("label"), { htmlFor: input.id, textContent: `First voxel along ${axis}` }), input);
      return field;
    }));
  }

  within(k, start) { return Math.max(0, Math.min(this.shape[k] - this.sides[k], start)); }

  follow(event) {
    const shares = [event.offsetX / this.canvas.clientWidth, event.offsetY / this.canvas.clientHeight];
    const corner = [...this.corner];
    [this.column, this.row].forEach((k, place) => {
      if (k !== null) corner[k] = this.within(k, Math.round(shares[place] * this.shape[k] - this.sides[k] / 2));
    });
    this.corner = corner;
    this.draw();
  }

  place(corner) {
    this.corner = corner;
    this.draw();
    if (String(corner) === this.placed) return;
    this.placed = String(corner);
    this.onPlace(corner);
  }

  draw() {
    const { canvas, picture, corner, shape, sides } = this;
    // Twice the points of the picture at least, so that the frame is thin.
    const scale = Math.max(1, Math.ceil(480 / Math.max(picture.width, picture.height)));
    canvas.width = picture.width * scale;
    canvas.height = Math.max(picture.height * scale, shape.length === 1 ? 60 : 1);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const [x, width] = [corner[this.column], sides[this.column]].map((v) => (v / shape[this.column]) * canvas.width);
    const [y, height] = this.row === null ? [0, canvas.height]
      : [corner[this.row], sides[this.row]].map((v) => (v / shape[this.row]) * canvas.height);
    // A light line within a black one is seen on any image.
    for (const [colour, line] of [["#000000", 7], ["#ffb000", 3]]) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.strokeRect(x, y, width, height);
    }
    const where = this.axes.map((axis, k) => `${axis} ${corner[k]} to ${corner[k] + sides[k] - 1} of ${shape[k]}`).join(", ");
    canvas.setAttribute("aria-label", `Whole image ${this.name}, ${shape.join(" by ")} voxels; the frame marks the window, voxels ${where}.`);
    corner.forEach((start, k) => {
      const input = this.fields.children[k].lastChild;
      input.max = shape[k] - sides[k];
      input.value = start;
      input.disabled = shape[k] === sides[k];
    });
  }
}
