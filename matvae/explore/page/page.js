"use strict";
// The state of the page is the latent, and what is asked for of it. It is kept in the address, so that a link leads here.
const $ = (id) => document.getElementById(id);
const CIVIDIS = [[0, 32, 76], [27, 63, 111], [87, 92, 109], [124, 123, 120], [165, 156, 116], [211, 193, 100], [255, 234, 70]];
const DRAG_MS = 25, SETTLE_MS = 450;
let model, state, shown, own = null, section = 0, timer = 0, asking = false, again = false, turn = 0;
const past = [], future = [];

async function ask(name, body, raw) {
  let response;
  try {
    response = await fetch(`api/${name}`, body === undefined ? {} : { method: "POST", body: raw ? body : JSON.stringify(body) });
  } catch {
    throw new Error("The server does not answer: it has ended, or was stopped. Start matvae explore again and reload this page.");
  }
  if (!response.ok) throw new Error((await response.json().catch(() => ({ error: response.statusText }))).error);
  return response;
}
async function trying(work) {
  try { const result = await work(); $("trouble").hidden = true; return result; }
  catch (error) { $("trouble").textContent = error.message; $("trouble").hidden = false; return null; }
}
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const short = (x) => x === null || x === undefined || Number.isNaN(x) ? "–" : Math.abs(x) >= 1e4 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(2) : String(Number(x.toPrecision(4)));
const element = (name, attributes = {}, text = "") => { const e = document.createElement(name); for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v); e.textContent = text; return e; };
const clone = (s) => JSON.parse(JSON.stringify(s));

function shade(t) {
  const at = Math.min(0.9999, Math.max(0, t)) * (CIVIDIS.length - 1), k = Math.floor(at);
  return CIVIDIS[k].map((c, i) => Math.round(c + (at - k) * (CIVIDIS[k + 1][i] - c)));
}
function phaseColour(k) {
  if (model.phases.length === 2) return k ? [23, 50, 77] : [242, 239, 230];
  return shade(1 - k / (model.phases.length - 1));
}

// Structures

function plane(labels, shape) {
  // Rows and columns of a picture of labels (*space), along the axes that remain.
  if (shape.length === 1) return [1, shape[0], (y, x) => labels[x]];
  if (shape.length === 2) return [shape[0], shape[1], (y, x) => labels[y * shape[1] + x]];
  const [a, b, c] = shape, axis = Number($("across").value), k = Math.min(section, shape[axis] - 1);
  if (axis === 0) return [b, c, (y, x) => labels[(k * b + y) * c + x]];
  if (axis === 1) return [a, c, (y, x) => labels[(y * b + k) * c + x]];
  return [a, b, (y, x) => labels[(y * b + x) * c + k]];
}
function draw(canvas, labels, shape) {
  const [rows, columns, at] = plane(labels, shape);
  canvas.width = columns; canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  const colours = model.phases.map((_, k) => phaseColour(k));
  for (let y = 0, i = 0; y < rows; y++) for (let x = 0; x < columns; x++, i += 4) {
    const [r, g, b] = colours[at(y, x)];
    image.data[i] = r; image.data[i + 1] = g; image.data[i + 2] = b; image.data[i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
function drawStructures() {
  const box = $("pictures"), size = shown.shape.reduce((a, b) => a * b, 1), n = shown.labels.length / size;
  const solid = model.shape.length === 3 && $("solid").checked;
  if (box.dataset.kind !== (solid ? "solid" : "plane")) { box.replaceChildren(); box.dataset.kind = solid ? "solid" : "plane"; }
  while (box.children.length > n) box.lastChild.remove();
  while (box.children.length < n) box.append(element("canvas", { role: "img" }));
  [...box.children].forEach((canvas, k) => {
    const labels = shown.labels.subarray(k * size, (k + 1) * size);
    canvas.setAttribute("aria-label", `Structure ${k + 1} of ${n}, ${shown.shape.join(" by ")} voxels, ${shown.how}`);
    if (solid) turnable(canvas, labels, shown.shape, phaseColour(model.phases.length - 1), model.phases.length - 1);
    else draw(canvas, labels, shown.shape);
  });
  if (model.shape.length === 3) {
    const longest = shown.shape[Number($("across").value)];
    $("section").max = longest - 1; section = Math.min(section, longest - 1); $("section").value = section;
    $("section-text").textContent = `${section + 1} of ${longest}`;
  }
}
function drawStatistics() {
  const canvas = $("statistics"), [rows, columns] = shown.lags, values = shown.statistics;
  canvas.width = columns; canvas.height = rows;
  const low = Math.min(...values), high = Math.max(...values), context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  values.forEach((value, i) => { const [r, g, b] = shade(Math.sqrt((value - low) / (high - low || 1))); image.data.set([r, g, b, 255], 4 * i); });
  context.putImageData(image, 0, 0);
  $("statistics-text").textContent = `Decoded autocorrelation of ${model.phases.at(-1)}, lags up to ${Math.floor(columns / 2)} voxels: ` +
    `${short(high)} (light, zero lag: its volume fraction) to ${short(low)} (dark).`;
}
function showValues() {
  for (const p of model.properties) document.querySelector(`[data-value="${CSS.escape(p.label)}"]`).textContent = `${short(shown.values[p.label])} ${p.unit}`;
  const inside = shown.score <= 1;
  $("score").textContent = `Distance from the training latents: ${short(shown.score)} (${inside ? "inside the training set" : "outside: no window is like this, do not trust it"}).`;
  $("how").textContent = shown.how[0].toUpperCase() + shown.how.slice(1) + (shown.preview && !shown.how.startsWith("decoded") ? " – a preview while statistics and properties follow the sliders." : ".");
}
function take(answer, preview) {
  shown = { ...answer, labels: bytes(answer.structures), statistics: new Float32Array(bytes(answer.statistics).buffer), preview };
  drawStructures(); drawStatistics(); showValues(); drawMap();
}

// Asking: a preview while something moves, a realization when it rests

async function preview() {
  if (asking) { again = true; return; }
  asking = true;
  do {
    again = false;
    const mine = ++turn;
    await trying(async () => { const answer = await (await ask("preview", { latent: state.z })).json(); if (mine === turn) take(answer, true); });
  } while (again);
  asking = false;
}
async function realize() {
  clearTimeout(timer);
  const mine = ++turn;
  document.body.classList.add("busy"); $("how").textContent += " Realizing …";
  await trying(async () => {
    const answer = await (await ask("realize", { latent: state.z, n: state.n, shape: state.shape, seed: state.seed })).json();
    if (mine === turn) take(answer, false);
  });
  document.body.classList.remove("busy");
}
function moved(isDrag) {
  showState();
  clearTimeout(timer);
  timer = setTimeout(realize, isDrag ? SETTLE_MS : DRAG_MS);
  preview();
}
function remember() { past.push(clone(state)); future.length = 0; if (past.length > 200) past.shift(); }
function go(next) { state = clone(next); moved(false); }
function showState() {
  state.z.forEach((value, k) => { $(`c${k}`).value = value; $(`o${k}`).textContent = short(value); });
  $("n").value = state.n; $("seed").value = state.seed;
  state.shape.forEach((side, k) => { $(`side${k}`).value = side; });
  $("undo").disabled = !past.length; $("redo").disabled = !future.length;
  history.replaceState(null, "", "#" + new URLSearchParams({ z: state.z.map(short).join(","), n: state.n, shape: state.shape.join(","), seed: state.seed }));
}
function fromAddress() {
  const asked = new URLSearchParams(location.hash.slice(1)), start = model.components.map((c) => c.start);
  const numbers = (name, fallback) => { const v = (asked.get(name) || "").split(",").map(Number); return v.length === fallback.length && v.every(Number.isFinite) ? v : fallback; };
  const whole = (name, fallback) => { const v = Number(asked.get(name) ?? fallback); return Number.isInteger(v) && v >= 0 ? v : fallback; };
  return { z: numbers("z", start), n: Math.max(1, whole("n", 1)), shape: numbers("shape", model.shape), seed: whole("seed", 0) };
}

// The map

function mapFrame() {
  const z = model.map.latents, x = z.map((p) => p[0]), y = z.map((p) => p[Math.min(1, p.length - 1)]);
  const range = (v) => { const l = Math.min(...v), h = Math.max(...v), m = 0.06 * (h - l || 1); return [l - m, h + m]; };
  const [x0, x1] = range(x), [y0, y1] = range(y), c = $("map");
  return { at: (p) => [(p[0] - x0) / (x1 - x0) * c.width, c.height - (p[Math.min(1, p.length - 1)] - y0) / (y1 - y0) * c.height] };
}
function drawMap() {
  if (!model.map) return;
  const canvas = $("map"), context = canvas.getContext("2d"), { at } = mapFrame(), values = model.map.values[$("colour").value] || [];
  const low = Math.min(...values), high = Math.max(...values), dark = matchMedia("(prefers-color-scheme: dark)").matches;
  context.clearRect(0, 0, canvas.width, canvas.height);
  model.map.latents.forEach((p, k) => {
    const [x, y] = at(p), [r, g, b] = shade((values[k] - low) / (high - low || 1));
    context.fillStyle = `rgb(${r},${g},${b})`; context.strokeStyle = dark ? "#888" : "#777"; context.lineWidth = 1;
    context.beginPath(); context.arc(x, y, 5.5, 0, 7); context.fill(); context.stroke();
  });
  const mark = (p, colour) => { const [x, y] = at(p); context.strokeStyle = colour; context.lineWidth = 4; context.beginPath(); context.arc(x, y, 12, 0, 7); context.stroke(); };
  mark(state.z, dark ? "#7cc4f2" : "#d55e00");
  if (own) mark(own, "#cc79a7");
  $("map-title").textContent = `Map of ${model.map.latents.length} windows: component 1 (right) and ${state.z.length > 1 ? "2" : "1"} (up)`;
}
function nearest(x, y) {
  const { at } = mapFrame(); let best = 0, least = Infinity;
  model.map.latents.forEach((p, k) => { const [a, b] = at(p), d = (a - x) ** 2 + (b - y) ** 2; if (d < least) { least = d; best = k; } });
  return best;
}
function goToWindow(k) { remember(); state.z = [...model.map.latents[k]]; moved(false); }

// Own images, designs, export

async function encode(file) {
  $("own").hidden = false; $("own-text").textContent = `Reading ${file.name} …`; $("own-picture").replaceChildren();
  const done = await trying(async () => {
    const answer = await (await ask(`encode?name=${encodeURIComponent(file.name)}`, file, true)).json();
    const canvas = element("canvas", { role: "img", "aria-label": `The window of ${file.name}` });
    $("own-picture").append(canvas); draw(canvas, bytes(answer.structures), answer.shape);
    const usual = answer.usual_error, error = `Its statistics are decoded with a relative error of ${short(answer.error)}`;
    $("own-text").textContent = [`${file.name}, beside its reconstruction under Structure.`, ...answer.notes,
      usual === null ? `${error}.` : `${error}; 95 % of the training windows stay below ${short(usual)}: ${answer.error <= usual ? "it is like them" : "it is unlike them, do not trust the reconstruction"}.`].join(" ");
    own = answer.latent; remember(); state.z = [...answer.latent]; state.shape = [...model.shape]; moved(false);
    return true;
  });
  if (!done) $("own-text").textContent = "The file could not be used; the reason stands at the top of the page.";
}
async function design() {
  const targets = {};
  for (const p of model.properties) { const text = document.querySelector(`[data-target="${CSS.escape(p.label)}"]`).value; if (text !== "") targets[p.label] = Number(text); }
  $("designed").textContent = "Searching …";
  const found = await trying(async () => (await ask("design", { targets, seed: state.seed })).json());
  if (!found) { $("designed").textContent = ""; return; }
  $("designed").textContent = "Reached on realizations: " + Object.entries(found.achieved).map(([label, value]) => `${label} ${short(value)} (target ${short(targets[label])})`).join(", ") + ".";
  remember(); state.z = found.latent; moved(false);
}
async function download() {
  const result = await trying(async () => { const r = await ask("export", { latent: state.z, n: state.n, shape: state.shape, seed: state.seed, format: $("format").value }); return [await r.blob(), /filename="([^"]+)"/.exec(r.headers.get("content-disposition"))[1]]; });
  if (!result) return;
  const link = element("a", { href: URL.createObjectURL(result[0]), download: result[1] });
  document.body.append(link); link.click(); link.remove(); setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
const shelf = () => `matvae ${model.name} ${model.shape} ${model.components.length}`;
function bookmarks() { try { return JSON.parse(localStorage.getItem(shelf()) || "[]"); } catch { return []; } }
function listBookmarks() {
  $("bookmarks").replaceChildren(element("option", { value: "" }, "bookmark"), ...bookmarks().map((_, k) => element("option", { value: k }, `${k + 1}`)));
}

// Building the page

function histogram(counts) {
  const most = Math.max(1, ...counts), width = 100 / (counts.length || 1);
  return `<svg viewBox="0 0 100 26" preserveAspectRatio="none" aria-hidden="true">` + counts.map((n, k) => `<rect x="${k * width}" y="${26 - 26 * n / most}" width="${width * 0.92}" height="${26 * n / most}"/>`).join("") + "</svg>";
}
function build() {
  $("model").textContent = `${model.name}: ${model.components.length} components, windows of ${model.shape.join(" x ")} voxels` + (model.voxel_size ? `, voxel ${model.voxel_size.map(short).join(" x ")} ${model.unit}` : "");
  model.components.forEach((c, k) => {
    const box = element("div", { class: "component" }), meaning = c.meaning.map((m) => `${m.label} (r ${m.r < 0 ? "−" : "+"}${Math.abs(m.r).toFixed(2)})`).join(", ");
    box.innerHTML = `<label for="c${k}">Component ${k + 1}</label> <output id="o${k}" for="c${k}"></output>${histogram(c.counts)}`;
    const slider = element("input", { type: "range", id: `c${k}`, min: c.low, max: c.high, step: (c.high - c.low) / 200 || "any", "aria-describedby": `m${k}` });
    slider.addEventListener("pointerdown", remember);
    slider.addEventListener("keydown", (event) => { if (event.key.startsWith("Arrow") && !event.repeat) remember(); });
    slider.addEventListener("input", () => { state.z[k] = Number(slider.value); moved(true); });
    box.append(slider, element("p", { class: "small", id: `m${k}` }, meaning ? `Correlated with ${meaning}.` : "Correlated with none of the properties."));
    $("sliders").append(box);
  });
  for (const p of model.properties) {
    const row = element("tr"), target = element("input", { type: "number", step: "any", "data-target": p.label, "aria-label": `Target of ${p.label}` });
    row.append(element("td", {}, p.label), element("td", { "data-value": p.label }), element("td", {}, p.low === null ? "–" : `${short(p.low)} to ${short(p.high)} ${p.unit}`), element("td"));
    if (p.low !== null) target.placeholder = short((p.low + p.high) / 2);
    row.lastChild.append(target); $("properties").append(row);
    $("colour").append(element("option", { value: p.label }, p.label));
  }
  model.phases.forEach((name, k) => { const item = element("li"), patch = element("i"); patch.style.background = `rgb(${phaseColour(k)})`; item.append(patch, name); $("legend").append(item); });
  model.formats.forEach((name) => $("format").append(element("option", { value: name }, name)));
  model.shape.forEach((side, k) => { const label = element("label", {}, `${model.axes[k] || `axis ${k}`} `), input = element("input", { type: "number", min: 4, id: `side${k}` }); input.disabled = !model.any_size; label.append(input); $("sizes").append(label, " "); });
  $("n").max = model.most_realizations;
  $("map-box").hidden = !model.map;
  if (model.shape.length === 3) { $("section-box").hidden = false; model.axes.forEach((name, k) => $("across").append(element("option", { value: k }, name))); section = Math.floor(model.shape[0] / 2); }
}
function listen() {
  $("undo").onclick = () => { if (past.length) { future.push(clone(state)); go(past.pop()); } };
  $("redo").onclick = () => { if (future.length) { past.push(clone(state)); go(future.pop()); } };
  $("bookmark").onclick = () => { try { localStorage.setItem(shelf(), JSON.stringify([...bookmarks(), state])); } catch { $("trouble").textContent = "This browser keeps no bookmarks here; copy the address instead."; $("trouble").hidden = false; } listBookmarks(); };
  $("bookmarks").onchange = (event) => { const kept = bookmarks()[event.target.value]; if (kept) { remember(); go(kept); } event.target.value = ""; };
  $("realize").onsubmit = (event) => { event.preventDefault(); remember(); state.n = Number($("n").value); state.seed = Number($("seed").value); state.shape = state.shape.map((_, k) => Number($(`side${k}`).value)); showState(); realize(); };
  $("export").onsubmit = (event) => { event.preventDefault(); download(); };
  $("design").onsubmit = (event) => { event.preventDefault(); design(); };
  $("section").oninput = () => { section = Number($("section").value); drawStructures(); };
  $("across").onchange = () => { section = Math.floor(shown.shape[Number($("across").value)] / 2); drawStructures(); };
  $("solid").onchange = drawStructures;
  $("colour").onchange = drawMap;
  $("map").onclick = (event) => { const box = $("map").getBoundingClientRect(); goToWindow(nearest((event.clientX - box.left) * $("map").width / box.width, (event.clientY - box.top) * $("map").height / box.height)); };
  $("map").onkeydown = (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]; if (!step) return;
    event.preventDefault();
    const { at } = mapFrame(), [x, y] = at(state.z); let best = -1, least = Infinity;
    model.map.latents.forEach((p, k) => { const [a, b] = at(p), along = (a - x) * step[0] + (b - y) * step[1], d = Math.hypot(a - x, b - y); if (along > 1 && along > 0.5 * d && d < least) { least = d; best = k; } });
    if (best >= 0) goToWindow(best);
  };
  $("file").onchange = (event) => { if (event.target.files[0]) encode(event.target.files[0]); event.target.value = ""; };
  const drop = $("drop"), over = (event, on) => { event.preventDefault(); drop.classList.toggle("over", on); };
  for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => over(event, true));
  for (const name of ["dragleave", "drop"]) document.addEventListener(name, (event) => over(event, false));
  document.addEventListener("drop", (event) => { if (event.dataTransfer.files[0]) encode(event.dataTransfer.files[0]); });
  document.addEventListener("keydown", (event) => { if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && event.target.tagName !== "INPUT") { event.preventDefault(); (event.shiftKey ? $("redo") : $("undo")).click(); } });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
  addEventListener("hashchange", () => { remember(); go(fromAddress()); });
}
trying(async () => {
  model = await (await ask("model")).json();
  build(); listen(); listBookmarks(); state = fromAddress(); moved(false);
});
