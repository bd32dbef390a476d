// Drawing of what the server sends: labels, fields, statistics and the map of latents.

const PAPER = [242, 239, 230], INK = [23, 50, 77];
// Cividis, which colour blindness and greyscale leave readable (Nunez, Anderton & Renslow, PLOS ONE 13, e0199239 (2018)).
const CIVIDIS = [[0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115], [138, 134, 120],
  [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56]];

export function unpack({ shape, dtype, data }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  return { shape, values: dtype === "uint8" ? bytes : new Float32Array(bytes.buffer) };
}

export function cividis(t) {
  const x = Math.max(0, Math.min(1, t)) * (CIVIDIS.length - 1), i = Math.min(CIVIDIS.length - 2, Math.floor(x));
  return CIVIDIS[i].map((low, c) => Math.round(low + (x - i) * (CIVIDIS[i + 1][c] - low)));
}

// From light to dark, so that phase 0 is the background.
export function phaseColours(phases) {
  if (phases === 2) return [PAPER, INK];
  return Array.from({ length: phases }, (_, k) => cividis(1 - k / (phases - 1)));
}

export const hex = (colour) => "#" + colour.map((v) => v.toString(16).padStart(2, "0")).join("");

// A section of a volume normal to an axis, an image itself, or a line as one row: {rows, columns, values}.
export function plane({ shape, values }, axis, layer) {
  if (shape.length === 1) return { rows: 1, columns: shape[0], values };
  if (shape.length === 2) return { rows: shape[0], columns: shape[1], values };
  const [nz, ny, nx] = shape, strides = [ny * nx, nx, 1];
  const [a, b] = [0, 1, 2].filter((k) => k !== axis);
  const out = new values.constructor(shape[a] * shape[b]);
  for (let i = 0; i < shape[a]; i++) {
    for (let j = 0; j < shape[b]; j++) out[i * shape[b] + j] = values[layer * strides[axis] + i * strides[a] + j * strides[b]];
  }
  return { rows: shape[a], columns: shape[b], values: out };
}

export function paint(canvas, { rows, columns, values }, colour) {
  canvas.width = columns;
  canvas.height = rows;
  const image = new ImageData(columns, rows);
  for (let k = 0; k < values.length; k++) image.data.set([...colour(values[k]), 255], 4 * k);
  canvas.getContext("2d").putImageData(image, 0, 0);
  // A line is drawn as a band.
  canvas.style.aspectRatio = rows === 1 ? "6" : `${columns} / ${rows}`;
}

export function paintStructure(canvas, section, phases) {
  if (phases > 1) {
    const colours = phaseColours(phases);
    paint(canvas, section, (v) => colours[v]);
    return;
  }
  let low = Infinity, high = -Infinity;
  for (const v of section.values) { low = Math.min(low, v); high = Math.max(high, v); }
  paint(canvas, section, (v) => cividis((v - low) / (high - low || 1)));
}

// Colours of Okabe and Ito, by name, for materials.
const SERIES = [["blue", "#0072b2"], ["vermilion", "#d55e00"], ["green", "#009e73"], ["purple", "#cc79a7"], ["yellow", "#f0e442"]];
export const series = (k) => ({ name: SERIES[k % SERIES.length][0], colour: SERIES[k % SERIES.length][1] });

// The map: known latents, the present one, and where the pointer's place is in latents.
export class LatentMap {
  constructor(canvas) { this.canvas = canvas; }

  draw({ points, x, y, ranges, values, names, present, ink }) {
    const ratio = window.devicePixelRatio || 1, side = this.canvas.clientWidth || 300;
    Object.assign(this, { x, y, ranges, points, side });
    this.canvas.width = this.canvas.height = Math.round(side * ratio);
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.clearRect(0, 0, side, side);
    const finite = values ? values.filter((v) => v !== null) : [];
    const low = Math.min(...finite), high = Math.max(...finite);
    points.forEach((point, k) => {
      const value = values && values[k] !== null ? (values[k] - low) / (high - low || 1) : null;
      context.beginPath();
      context.arc(...this.at(point), 3.4, 0, 7);
      context.fillStyle = value === null ? "#808080" : names ? series(values[k]).colour : hex(cividis(value));
      context.fill();
      context.lineWidth = 0.5;
      context.strokeStyle = ink;
      context.stroke();
    });
    const [i, j] = this.at(present);
    context.strokeStyle = "#d55e00";
    context.lineWidth = 3;
    context.beginPath();
    context.arc(i, j, 8, 0, 7);
    context.moveTo(i - 13, j); context.lineTo(i + 13, j);
    context.moveTo(i, j - 13); context.lineTo(i, j + 13);
    context.stroke();
    return finite.length ? [low, high] : null;
  }

  at(point) {
    const [[xl, xh], [yl, yh]] = [this.ranges[this.x], this.ranges[this.y]];
    return [((point[this.x] - xl) / (xh - xl)) * this.side, (1 - (point[this.y] - yl) / (yh - yl)) * this.side];
  }

  // The known structure within reach of a click, or null; and the two components at this place.
  pick(offsetX, offsetY) {
    let best = null, reach = 10;
    this.points.forEach((point, k) => {
      const [i, j] = this.at(point), distance = Math.hypot(i - offsetX, j - offsetY);
      if (distance < reach) { reach = distance; best = k; }
    });
    const [[xl, xh], [yl, yh]] = [this.ranges[this.x], this.ranges[this.y]];
    return { known: best, [this.x]: xl + (offsetX / this.side) * (xh - xl), [this.y]: yl + (1 - offsetY / this.side) * (yh - yl) };
  }
}
