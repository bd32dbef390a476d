// The page of the explorer: its state, what it asks the server, and what it shows.
// The state is in the address (after #), so that a link leads to it; the server remembers nothing but a thorough search.

import { Bookmarks } from "./bookmarks.js";
import { OwnImage } from "./own-image.js";
import { Search } from "./search.js";
import { ask, problem, report, whenBack } from "./server.js";
import { column, mean, number, percent, sentence, share, withUnit } from "./words.js";
import { LatentMap, hex, paint, paintStructure, phaseColours, plane, series, unpack, cividis } from "./charts.js";

const $ = (id) => document.getElementById(id);
const SETTLE = 350;  // Milliseconds without a change before realizations are asked for.
let model, state, shown, past = [], future = [];
let bookmarks, moving = false, latest = null, asked = 0, settle = 0, realizing = null;
const map = new LatentMap($("map"));

// ---- state and address

// What a slider gives is rounded; the latents of candidates and images are kept to the last bit of their 32.
const short = (v) => Number(v.toPrecision(5)), exact = (v) => Number(v.toPrecision(9));

function address(s) {
  const parts = new URLSearchParams({ z: s.latent.map(exact).join(","), seed: s.seed, n: s.n_realizations, shape: s.shape.join(",") });
  if (s.sample) parts.set("sample", s.sample);
  return "#" + decodeURIComponent(parts.toString());
}

function readAddress(hash) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  if (!parts.get("z")) return null;
  const numbers = (text) => text.split(",").map(Number);
  const latent = numbers(parts.get("z"));
  if (latent.length !== model.components.length || !latent.every(Number.isFinite)) {
    problem(`The link is that of another model: this one has ${model.components.length} components.`);
    return null;
  }
  const whole = (name, least, otherwise) => {
    const value = Number(parts.get(name));
    return parts.get(name) !== null && Number.isInteger(value) && value >= least ? value : otherwise;
  };
  const shape = parts.get("shape") ? numbers(parts.get("shape")) : model.grid.shape;
  return {
    latent, seed: whole("seed", 0, 0), sample: whole("sample", 0, 0), n_realizations: Math.min(whole("n", 1, 1), model.most_realizations),
    shape: shape.length === model.grid.shape.length && shape.every((n) => Number.isInteger(n) && n > 0) ? shape : model.grid.shape,
  };
}

const same = (a, b) => address(a) === address(b);

// Keep the state before a change for undo. A drag is one change.
function remember(before) {
  if (same(before, state)) return;
  past.push(before);
  future = [];
}

function go(change) {
  problem("");
  const before = { ...state };
  state = { ...state, ...change };
  remember(before);
  arrive();
}

function undo() { if (past.length) { future.push({ ...state }); state = past.pop(); arrive(); } }
function redo() { if (future.length) { past.push({ ...state }); state = future.pop(); arrive(); } }

// Show the present state: a preview at once, realizations when it has settled.
function arrive() {
  // As in the address, so that a link shows the same structure voxel by voxel.
  state.latent = state.latent.map(exact);
  if (shown) document.body.dataset.kind = "preview";
  history.replaceState(null, "", address(state));
  $("undo").disabled = !past.length;
  $("redo").disabled = !future.length;
  showControls();
  preview();
  clearTimeout(settle);
  settle = setTimeout(realize, SETTLE);
}

// ---- preview and realizations

async function preview() {
  realizing?.abort();
  latest = { latent: state.latent, asked: performance.now() };
  if (moving) return;
  moving = true;
  // Only the latest wish is asked for; those in between are skipped.
  while (latest) {
    const wish = latest;
    latest = null;
    try {
      const found = await (await ask("/api/preview", { latent: wish.latent })).json();
      shown = { structures: [unpack(found.structure)], preview: true, values: [found.values] };
      showStructures();
      showStatistics(found.statistics);
      $("far").hidden = found.distance <= 1;
      $("far").textContent = `Beyond the known structures, at ${found.distance.toFixed(1)} times the usual distance between neighbours: believe it little.`;
      showValues("predicted", found.values.map((v) => (v === null ? [] : [v])));
      showValues("realized", model.measures.map(() => []));
      document.body.dataset.milliseconds = Math.round(performance.now() - wish.asked);
      document.body.dataset.previews = ++asked;
    } catch (error) { report(error); }
  }
  moving = false;
  drawMap();
}

async function realize() {
  // A realization that is known already may be there before the preview, which must not replace it.
  if (moving) { settle = setTimeout(realize, SETTLE); return; }
  const wish = { ...state };
  realizing?.abort();
  realizing = new AbortController();
  tell("kind", "Preview; realizing …");
  try {
    const response = await ask("/api/realize", wish, { signal: realizing.signal });
    const found = await response.json();
    if (!same(wish, state) || moving) return;
    shown = { structures: found.structures.map(unpack), preview: false, values: found.values };
    showStructures();
    showValues("realized", model.measures.map((_, k) => column(found.values, k)));
    const error = found.errors && found.errors.reduce((a, b) => a + b, 0) / found.errors.length;
    const size = wish.shape.join(" × ");
    const kind = `${wish.n_realizations > 1 ? wish.n_realizations + " realizations" : "Realization"} of ${size} voxels`
      + (error === null || !Number.isFinite(error) ? "." : `; their statistics differ from the decoded ones by ${percent(error)}.`.replace("their", wish.n_realizations > 1 ? "their" : "its"));
    tell("kind", kind);
    // A screen reader hears of a change once, when it has settled, and not of each step of a drag.
    tell("announced", `${kind} ${sentence(spoken(found.values))}`);
    compareWithTargets(found.values);
  } catch (error) {
    if (error.name !== "AbortError") { tell("kind", "Preview only."); tell("announced", "Preview only."); }
    report(error);
  }
}

// Set a text only if it changes, since a screen reader reads whatever is set.
function tell(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }

// Mean properties of structures in words.
function spoken(values) {
  const parts = model.measures.map(({ text, unit }, k) => {
    const defined = column(values, k);
    return defined.length ? `${text} ${number(mean(defined))}${unit ? " " + unit : ""}` : "";
  });
  return parts.filter(Boolean).join(", ");
}

function showStructures() {
  const axis = Number($("axis").value || 0), box = $("structures");
  const shape = shown.structures[0].shape;
  if (shape.length === 3) {
    $("depth").max = shape[axis] - 1;
    if (Number($("depth").value) > shape[axis] - 1) $("depth").value = Math.floor(shape[axis] / 2);
    $("depth-text").textContent = `${Number($("depth").value) + 1} of ${shape[axis]}`;
    $("depth").setAttribute("aria-valuetext", $("depth-text").textContent);
  }
  box.style.setProperty("--across", Math.ceil(Math.sqrt(shown.structures.length)));
  while (box.children.length > shown.structures.length) box.lastChild.remove();
  shown.structures.forEach((structure, k) => {
    const canvas = box.children[k] || box.appendChild(document.createElement("canvas"));
    paintStructure(canvas, plane(structure, axis, Number($("depth").value)), model.grid.phases);
    canvas.setAttribute("role", "img");
    const what = shown.preview ? "Preview of the structure" : `Realization ${k + 1}`;
    canvas.setAttribute("aria-label", describe(what, structure, shown.values[k]));
  });
  document.body.dataset.kind = shown.preview ? "preview" : "realization";
  $("kind").classList.toggle("preview", shown.preview);
  if (shown.preview) tell("kind", "Preview while moving.");
  else if ($("surface").open) showSurface();
}

// Text alternative of a structure: its size, volume fractions and properties.
function describe(what, structure, values, layer = Number($("depth").value)) {
  const size = structure.shape.join(" by ") + " voxels";
  if (model.grid.phases === 1) return `${what}, a field of ${size}`;
  const parts = model.grid.phase_texts.map((text, phase) => `${share(structure.values, phase)} ${text}`);
  const section = structure.shape.length === 3
    ? `. Shown is the section normal to ${model.grid.axes[Number($("axis").value || 0)]}, layer ${layer + 1}` : "";
  return `${what}, ${size}: ${parts.join(", ")}; ${spoken([values])}${section}.`;
}

let statistics = [];
function showStatistics(found) {
  if (found) statistics = found;
  const one = statistics[Number($("pair").value || 0)];
  const section = unpack(one.sections[one.sections.length > 1 ? Number($("axis").value || 0) : 0]);
  const [rows, columns] = section.shape;
  paint($("statistics"), { rows, columns, values: section.values }, (v) => cividis(Math.sqrt((v - one.low) / (one.high - one.low || 1))));
  const text = `${one.name} at lags up to ${Math.floor(columns / 2)} voxels, zero lag in the centre: from ${number(one.low)} (dark) to ${number(one.high)} (bright), on a square-root scale.`;
  $("statistics-text").textContent = text[0].toUpperCase() + text.slice(1);
  $("statistics").setAttribute("aria-label", `2-point statistics: ${one.name}`);
}

function showValues(column, values) {
  model.measures.forEach((measure, k) => {
    const middle = mean(values[k]);
    const spread = Math.sqrt(values[k].reduce((a, v) => a + (v - middle) ** 2, 0) / Math.max(1, values[k].length - 1));
    const cell = $(`${column}-${k}`);
    cell.textContent = values[k].length ? number(middle) + (values[k].length > 1 ? ` ± ${number(spread)}` : "") : "–";
  });
}

// The viewer of volumes draws each canvas with voxels that it finds when it is loaded.
let views = 0;
function showSurface() {
  const { shape, values } = shown.structures[0], view = $("surface-view"), all = $("solid").value === "all", solid = Number($("solid").value);
  const before = view.querySelector("canvas"), focused = before !== null && before === document.activeElement;
  const longest = Math.max(...model.grid.voxel_size);
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 320, tabIndex: 0 });
  canvas.setAttribute("role", "img");
  const what = all ? "all phases except phase 0" : `${model.grid.phase_texts[solid]}, ${share(values, solid)} of the voxels`;
  const colours = all ? phaseColours(model.grid.phases).slice(1).map((c) => hex(c.map((v) => Math.round(90 + 0.65 * v)))) : ["#5b8fc0"];
  canvas.setAttribute("aria-label", `Surface of ${what}. The arrow keys rotate it, plus and minus zoom.`);
  Object.assign(canvas.dataset, {
    shape: shape.join(","), size: model.grid.voxel_size.map((edge) => edge / longest).join(","), colours: colours.join(","),
    voxels: btoa(Array.from(values, (v) => String.fromCharCode(all ? v : v === solid ? 1 : 0)).join("")),
    background: getComputedStyle(document.documentElement).getPropertyValue("--card").trim(),
  });
  // The next realization is seen from where the last one was.
  if (before) canvas.dataset.view = before.dataset.view;
  view.replaceChildren(canvas);
  if (focused) canvas.focus();
  const script = document.createElement("script");
  script.src = `/volume.js?${++views}`;
  view.append(script);
}

// ---- controls

function showControls() {
  model.components.forEach(({ low, high }, k) => {
    const slider = $(`z${k}`), value = state.latent[k];
    // A latent beyond the range of the known structures is shown where it is, and their distribution then does not fit.
    slider.min = Math.min(low, value);
    slider.max = Math.max(high, value);
    slider.previousElementSibling.style.visibility = value < low || value > high ? "hidden" : "visible";
    slider.value = value;
    $(`z${k}-text`).textContent = value.toFixed(2).replace("-", "−");
    slider.setAttribute("aria-valuetext", value.toFixed(2).replace("-", "minus "));
  });
  $("count").value = state.n_realizations;
  $("size").value = state.shape.every((n) => n === state.shape[0]) ? state.shape[0] : state.shape.join(",");
}

function buildSliders() {
  model.components.forEach((component, k) => {
    const box = document.createElement("div");
    box.className = "slider";
    const head = box.appendChild(Object.assign(document.createElement("div"), { className: "head" }));
    const label = head.appendChild(Object.assign(document.createElement("label"), { htmlFor: `z${k}`, textContent: `Component ${k + 1}` }));
    label.id = `z${k}-label`;
    // Seen only: the slider itself says its value.
    head.appendChild(Object.assign(document.createElement("span"), { className: "value", id: `z${k}-text`, ariaHidden: "true" }));
    const bars = box.appendChild(Object.assign(document.createElement("div"), { className: "bars", ariaHidden: "true" }));
    const most = Math.max(...component.counts, 1);
    for (const count of component.counts) bars.appendChild(document.createElement("span")).style.height = `${(100 * count) / most}%`;
    bars.hidden = !component.counts.length;
    const slider = Object.assign(document.createElement("input"), { type: "range", id: `z${k}`, step: "any", min: component.low, max: component.high });
    slider.setAttribute("aria-describedby", `z${k}-meaning`);
    slider.step = (component.high - component.low) / 200;
    box.append(slider, Object.assign(document.createElement("p"), { className: "meaning", id: `z${k}-meaning`, textContent: component.meaning }));
    $("sliders").append(box);
    let before = null;
    slider.addEventListener("input", () => {
      before ??= { ...state };
      problem("");
      const latent = [...state.latent];
      latent[k] = short(Number(slider.value));
      state = { ...state, latent };
      arrive();
    });
    slider.addEventListener("change", () => {
      if (before) remember(before);
      before = null;
      $("undo").disabled = !past.length;
    });
  });
}

function buildTable() {
  $("values-card").hidden = $("design-card").hidden = !model.measures.length;
  model.measures.forEach((measure, k) => {
    const row = $("values").insertRow();
    const name = row.appendChild(Object.assign(document.createElement("th"), { scope: "row" }));
    name.textContent = withUnit(measure.text, measure.unit);
    for (const column of ["predicted", "realized"]) row.insertCell().id = `${column}-${k}`;
    if (measure.low === null || measure.low === measure.high) return;
    const box = Object.assign(document.createElement("div"), { className: "target" });
    const tick = Object.assign(document.createElement("input"), { type: "checkbox", id: `t${k}-on` });
    const label = Object.assign(document.createElement("label"), { htmlFor: `t${k}-on`, textContent: name.textContent + ": " });
    const text = Object.assign(document.createElement("span"), { id: `t${k}-text` });
    label.append(text);
    const slider = Object.assign(document.createElement("input"), { type: "range", id: `t${k}`, min: measure.low, max: measure.high });
    slider.step = (measure.high - measure.low) / 200;
    slider.value = (measure.low + measure.high) / 2;
    slider.setAttribute("aria-label", `Target of ${measure.text}`);
    const show = () => {
      text.textContent = number(Number(slider.value));
      slider.setAttribute("aria-valuetext", `${text.textContent} ${measure.unit}`.trim());
    };
    slider.addEventListener("input", () => { tick.checked = true; show(); });
    show();
    box.append(tick, label, slider);
    $("targets").append(box);
  });
}

function options(select, texts) {
  select.replaceChildren(...texts.map((text, k) => new Option(text, k)));
}

function buildChoices() {
  const names = model.components.map((_, k) => `component ${k + 1}`);
  options($("map-x"), names);
  options($("map-y"), names);
  $("map-y").value = Math.min(1, names.length - 1);
  if (model.materials.length) {
    const names = [...new Set(model.materials)];
    model.colours.unshift({ name: "material", unit: "", names, values: model.materials.map((name) => names.indexOf(name)) });
  }
  options($("colour"), model.colours.map(({ name, unit }) => withUnit(name, unit)));
  $("colour").disabled = !model.colours.length;
  options($("format"), model.formats.map(({ name, ending }) => `${name} (${ending})`));
  const volume = model.grid.shape.length === 3;
  for (const part of document.querySelectorAll(".volume-only")) part.hidden = !volume;
  options($("axis"), volume ? model.grid.axes : []);
  if (volume) { $("depth").max = model.grid.shape[0] - 1; $("depth").value = Math.floor(model.grid.shape[0] / 2); }
  $("surface").hidden = model.grid.phases === 1;
  options($("solid"), model.grid.phase_texts);
  if (model.grid.phases > 2) $("solid").add(new Option("all except phase 0", "all"));
  $("solid").value = model.grid.phases > 2 ? "all" : 1;
  $("count").max = model.most_realizations;
  $("n-candidates").max = model.most_candidates;
  $("number").max = Math.max(0, model.latents.length - 1);
  $("go").disabled = $("number").disabled = !model.latents.length;
  $("swap-label").hidden = model.grid.phases !== 2;
  if (model.grid.phases > 1) {
    phaseColours(model.grid.phases).forEach((colour, phase) => {
      const item = $("legend").appendChild(document.createElement("li"));
      const swatch = item.appendChild(Object.assign(document.createElement("span"), { className: "swatch" }));
      swatch.style.background = hex(colour);
      item.append(model.grid.phase_texts[phase]);
    });
  }
}

function drawMap() {
  const colour = model.colours[Number($("colour").value)];
  const limits = map.draw({
    points: model.latents, x: Number($("map-x").value), y: Number($("map-y").value),
    ranges: model.components.map(({ low, high }) => [low, high]), values: colour?.values, names: colour?.names, present: state.latent,
    ink: getComputedStyle(document.body).color,
  });
  const what = colour?.names ? ` Colour: ${colour.names.map((name, k) => `${name} (${series(k).name})`).join(", ")}.` : limits ? ` Colour: ${colour.name}, from ${number(limits[0])} (dark) to ${number(limits[1])} (bright).` : "";
  const text = `${model.latents.length} structures (${model.origin}); the cross is where you are.${what}`;
  const place = ["map-x", "map-y"].map((id) => `component ${Number($(id).value) + 1} ${state.latent[Number($(id).value)].toFixed(2)}`);
  $("map-text").textContent = `${text} A click on a point goes to its structure, elsewhere to these two components.`;
  $("map").setAttribute("aria-label", `Map of latents. You are at ${place.join(", ")}.`);
}

// ---- start

// On a phone the sliders follow the structure, in the order of the tab key as well.
const narrow = matchMedia("(max-width: 700px)");
function arrange() {
  const latent = $("latent-card");
  if (narrow.matches) $("structure-card").after(latent);
  else $("second").prepend(latent);
}

function connect() {
  $("undo").addEventListener("click", undo);
  $("redo").addEventListener("click", redo);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=text], input[type=number]");
    if (!(event.ctrlKey || event.metaKey) || typing || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    if (event.shiftKey) redo(); else undo();
  });
  $("bookmark").addEventListener("click", () => bookmarks.add(address(state), state.latent));
  $("link").addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(location.href); $("link").textContent = "Copied"; }
    catch { problem(`Copy the address of this page: ${location.href}`); }
    setTimeout(() => { $("link").textContent = "Copy link"; }, 1500);
  });
  window.addEventListener("hashchange", () => {
    const there = readAddress(location.hash);
    if (there && !same(there, state)) go(there);
  });
  $("centre").addEventListener("click", () => go({ latent: model.start }));
  $("count").addEventListener("change", () => {
    const n = Math.round(Number($("count").value));
    go({ n_realizations: Math.max(1, Math.min(model.most_realizations, n || 1)) });
  });
  $("size").addEventListener("change", () => {
    const sides = $("size").value.split(/[ ,x×]+/).filter(Boolean).map(Number);
    const shape = sides.length === 1 ? model.grid.shape.map(() => sides[0]) : sides;
    if (shape.length === model.grid.shape.length && shape.every((n) => Number.isInteger(n) && n > 0)) go({ shape });
    else problem(`The size should be one number of voxels, or ${model.grid.shape.length} with commas between them.`);
  });
  $("another").addEventListener("click", () => go({ seed: state.seed + 1 }));
  $("solid").addEventListener("change", () => { if (shown) showSurface(); });
  for (const id of ["axis", "depth"]) $(id).addEventListener("input", () => { showStructures(); if (id === "axis") showStatistics(); });
  $("surface").addEventListener("toggle", () => {
    if (!$("surface").open || !shown) return;
    // Pores within a rock are seen; the rock around them would be a block.
    const { values } = shown.structures[0];
    if (!$("surface-view").firstChild && model.grid.phases === 2) $("solid").value = parseFloat(share(values, 1)) > 50 ? 0 : 1;
    showSurface();
  });
  $("pair").addEventListener("change", () => showStatistics());
  for (const id of ["map-x", "map-y", "colour"]) $(id).addEventListener("change", drawMap);
  $("map").addEventListener("click", (event) => {
    const picked = map.pick(event.offsetX, event.offsetY);
    if (picked.known !== null) { $("number").value = picked.known; go({ latent: model.latents[picked.known] }); return; }
    go({ latent: state.latent.map((v, k) => (k in picked ? picked[k] : v)) });
  });
  $("go").addEventListener("click", () => {
    const latent = model.latents[Number($("number").value)];
    if (latent) go({ latent });
    else problem(`Structures are numbered from 0 to ${model.latents.length - 1}.`);
  });
  $("design").addEventListener("click", design);
  $("search").addEventListener("click", searchThoroughly);
  $("export").addEventListener("click", download);
  window.addEventListener("resize", drawMap);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
}

// What is ticked, as the server takes it; null, and a word about it, if nothing is.
function wanted() {
  const targets = {}, n = Math.round(Number($("n-candidates").value)) || 1;
  $("n-candidates").value = Math.max(1, Math.min(model.most_candidates, n));
  model.measures.forEach((measure, k) => { if ($(`t${k}-on`)?.checked) targets[measure.name] = Number($(`t${k}`).value); });
  $("design-note").textContent = Object.keys(targets).length ? "" : "Tick at least one property.";
  return Object.keys(targets).length ? { targets, n_candidates: Number($("n-candidates").value) } : null;
}

function showCommand(command) {
  document.querySelector("#design-command code").textContent = command;
  $("design-command").hidden = false;
}

const search = new Search((candidate) => go({ ...candidate, n_realizations: 1, shape: model.grid.shape }));

async function searchThoroughly() {
  const request = wanted();
  if (!request) return;
  const command = await search.start(request, model.measures);
  if (command) showCommand(command);
}

async function design() {
  const request = wanted(), targets = request?.targets;
  if (!request) return;
  $("design-note").textContent = "Searching …";
  $("design-realized").textContent = "";
  sought = null;
  try {
    const found = await (await ask("/api/design", request)).json();
    const reached = found.miss < 0.1 ? "the targets are predicted to be reached." : `the closest latent misses by ${number(found.miss)} standard deviations: the model knows no such structures.`;
    $("design-note").textContent = `Quick search on predictions: ${reached}`;
    showCommand(found.command);
    go({ latent: found.latent });
    sought = { address: address(state), targets };
    $("design-realized").textContent = "Realizing it …";
  } catch (error) { $("design-note").textContent = error.message; }
}

// What a design promised, measured on the realizations of it.
let sought = null;
function compareWithTargets(values) {
  if (!sought || sought.address.replace(/&.*/, "") !== address(state).replace(/&.*/, "")) return;
  const parts = model.measures.map(({ name, text, unit }, k) => {
    const defined = column(values, k);
    if (!(name in sought.targets)) return "";
    const measured = defined.length ? number(mean(defined)) : "not defined";
    return `${text} ${measured}${unit ? " " + unit : ""}, target ${number(sought.targets[name])}`;
  });
  tell("design-realized", `Measured on ${values.length > 1 ? values.length + " realizations" : "one realization"}: ${parts.filter(Boolean).join("; ")}.`);
}

async function download() {
  const format = model.formats[Number($("format").value)].name;
  $("export-note").textContent = "Writing …";
  try {
    const response = await ask("/api/export", { ...state, format });
    const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition"))[1];
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await response.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    $("export-note").textContent = `${name} is written. ${response.headers.get("x-matvae-notes")}`;
  } catch (error) { $("export-note").textContent = error.message; }
}

// Another model may have taken the port of a server that was gone.
whenBack((found) => {
  if (JSON.stringify(found.components) !== JSON.stringify(model?.components)) location.reload();
  else arrive();
});

async function start() {
  try { model = await (await ask("/api/model")).json(); } catch (error) { report(error); return; }
  $("name").textContent = model.name;
  document.title = `${model.name} – matvae explore`;
  $("grid").textContent = model.grid.text;
  document.querySelector(".origin").textContent = model.latents.length ? `the ${model.origin}` : "nothing, since no structures are known";
  buildSliders();
  buildTable();
  buildChoices();
  connect();
  narrow.addEventListener("change", arrange);
  arrange();
  const initial = { latent: model.start, seed: 0, sample: 0, n_realizations: 1, shape: model.grid.shape };
  state = readAddress(location.hash) || initial;
  const names = (await (await ask("/api/preview", { latent: state.latent })).json()).statistics.map(({ name }) => name);
  options($("pair"), names);
  bookmarks = new Bookmarks(`matvae bookmarks of ${model.name}, ${model.components.length} components`);
  new OwnImage(model.grid, { go, describe, address: () => address(state), isPreview: () => shown.preview });
  arrive();
  search.resume(model.measures);
}

start().catch(report);
