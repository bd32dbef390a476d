// Interactive view of volumes: one ray per pixel is traced from voxel to voxel until it hits a solid one
// (Amanatides & Woo, "A fast voxel traversal algorithm for ray tracing", Eurographics 1987).
for (const canvas of document.querySelectorAll("canvas[data-voxels]")) {
  const [nz, ny, nx] = canvas.dataset.shape.split(",").map(Number);
  const [sz, sy, sx] = canvas.dataset.size.split(",").map(Number);
  const n = [nx, ny, nz], size = [sx, sy, sz];
  const voxels = Uint8Array.from(atob(canvas.dataset.voxels), (c) => c.charCodeAt(0));
  const colours = canvas.dataset.colours.split(",").map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
  const start = { turn: 0.6, tilt: 0.45, zoom: 1 };
  // A page that replaces a volume may keep its view.
  const [turn, tilt, zoom] = (canvas.dataset.view || "").split(",").map(Number);
  const paper = [1, 3, 5].map((i) => parseInt((canvas.dataset.background || "#ffffff").slice(i, i + 2), 16));
  let view = canvas.dataset.view ? { turn, tilt, zoom } : { ...start }, only = 0, frame = 0, timer = 0;

  // The first solid voxel along a ray, in units of voxels: [phase, axis normal to the face hit, distance], or null.
  function hit(origin, direction) {
    let near = -Infinity, far = Infinity, axis = 0;
    for (let a = 0; a < 3; a++) {
      if (Math.abs(direction[a]) < 1e-9) {
        if (origin[a] < 0 || origin[a] >= n[a]) return null;
        continue;
      }
      const lower = -origin[a] / direction[a], upper = (n[a] - origin[a]) / direction[a];
      if (Math.min(lower, upper) > near) { near = Math.min(lower, upper); axis = a; }
      far = Math.min(far, Math.max(lower, upper));
    }
    if (near >= far) return null;
    const cell = [0, 0, 0], next = [0, 0, 0], step = [0, 0, 0], sign = [0, 0, 0];
    for (let a = 0; a < 3; a++) {
      const p = origin[a] + direction[a] * (near + 1e-6);
      cell[a] = Math.min(n[a] - 1, Math.max(0, Math.floor(p)));
      sign[a] = direction[a] > 0 ? 1 : -1;
      const parallel = Math.abs(direction[a]) < 1e-9;
      step[a] = parallel ? Infinity : Math.abs(1 / direction[a]);
      next[a] = parallel ? Infinity : (cell[a] + (direction[a] > 0 ? 1 : 0) - origin[a]) / direction[a];
    }
    let distance = near;
    for (;;) {
      const phase = voxels[(cell[2] * ny + cell[1]) * nx + cell[0]];
      if (phase && (!only || phase === only)) return [phase, axis, distance];
      axis = next[0] < next[1] ? (next[0] < next[2] ? 0 : 2) : next[1] < next[2] ? 1 : 2;
      cell[axis] += sign[axis];
      if (cell[axis] < 0 || cell[axis] >= n[axis]) return null;
      distance = next[axis];
      next[axis] += step[axis];
    }
  }

  function draw(coarse) {
    const side = coarse ? canvas.width / 2 : canvas.width, image = new ImageData(side, side);
    const [ct, st, ce, se] = [Math.cos(view.turn), Math.sin(view.turn), Math.cos(view.tilt), Math.sin(view.tilt)];
    const ahead = [-ce * ct, -ce * st, -se], right = [-st, ct, 0], up = [-se * ct, -se * st, ce];
    const edges = n.map((m, a) => m * size[a]), diagonal = Math.hypot(...edges), width = diagonal / view.zoom;
    const direction = ahead.map((v, a) => v / size[a]);
    for (let j = 0; j < side; j++) {
      for (let i = 0; i < side; i++) {
        const x = (i / side - 0.5) * width, y = (0.5 - j / side) * width;
        const origin = [0, 1, 2].map((a) => (edges[a] / 2 + right[a] * x + up[a] * y - ahead[a] * diagonal) / size[a]);
        const surface = hit(origin, direction);
        const at = 4 * (j * side + i);
        image.data[at + 3] = 255;
        if (!surface) { image.data.set(paper, at); continue; }
        // Faces normal to z are the brightest, and brightness decreases with distance.
        const light = [0.85, 0.68, 1][surface[1]] * (1.12 - 0.45 * (surface[2] / diagonal - 0.5));
        for (let c = 0; c < 3; c++) image.data[at + c] = colours[surface[0] - 1][c] * light;
      }
    }
    const context = canvas.getContext("2d");
    const small = document.createElement("canvas");
    small.width = small.height = side;
    small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    canvas.dataset.view = [view.turn, view.tilt, view.zoom].map((v) => v.toFixed(3)).join(",");
  }

  // At half resolution during motion, at full resolution at rest.
  function redraw() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = requestAnimationFrame(() => draw(true));
    timer = setTimeout(() => draw(false), 150);
  }

  function move(turn, tilt, zoom = 1) {
    view.turn += turn;
    view.tilt = Math.max(-1.55, Math.min(1.55, view.tilt + tilt));
    view.zoom = Math.max(0.5, Math.min(6, view.zoom * zoom));
    redraw();
  }

  const moves = {
    ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.15], ArrowDown: [0, -0.15],
    "+": [0, 0, 1.15], "=": [0, 0, 1.15], "-": [0, 0, 1 / 1.15],
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Home") { view = { ...start }; redraw(); }
    else if (moves[event.key]) move(...moves[event.key]);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) move(-event.movementX * 0.01, event.movementY * 0.01);
  });

  const tools = document.createElement("p");
  tools.className = "download";
  const buttons = { "Rotate left": [-0.15, 0], "Rotate right": [0.15, 0], "Tilt up": [0, 0.15], "Tilt down": [0, -0.15] };
  for (const [text, amount] of Object.entries(buttons)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => move(...amount));
    tools.append(button, " ");
  }
  if (colours.length > 1) {
    const label = document.createElement("label"), choice = document.createElement("select");
    ["all except phase 0", ...colours.map((_, i) => "phase " + (i + 1))].forEach((text, i) => choice.add(new Option(text, i)));
    choice.addEventListener("change", () => { only = Number(choice.value); redraw(); });
    label.append("Show ", choice);
    tools.append(label, " ");
  }
  const save = document.createElement("a");
  save.textContent = "Save as PNG";
  save.href = "#";
  save.download = "volume.png";
  save.addEventListener("click", () => { draw(false); save.href = canvas.toDataURL("image/png"); });
  tools.append(save);
  canvas.after(tools);
  draw(false);
}
