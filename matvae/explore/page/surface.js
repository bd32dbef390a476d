"use strict";
// Draws the faces between a phase and the others, to be turned by dragging. Faces are painted from back to front, so
// that neither WebGL nor a library is needed.
const FACES = [[0, -1], [0, 1], [1, -1], [1, 1], [2, -1], [2, 1]];

function facesOf(labels, shape, phase) {
  const [a, b, c] = shape, faces = [], inside = (z, y, x) => z >= 0 && y >= 0 && x >= 0 && z < a && y < b && x < c && labels[(z * b + y) * c + x] === phase;
  for (let z = 0; z < a; z++) for (let y = 0; y < b; y++) for (let x = 0; x < c; x++) {
    if (labels[(z * b + y) * c + x] !== phase) continue;
    for (const [axis, sign] of FACES) {
      const n = [z, y, x]; n[axis] += sign;
      if (!inside(...n)) faces.push([z, y, x, axis, sign]);
    }
  }
  return faces;
}

function turnable(canvas, labels, shape, colour, phase) {
  canvas.width = 480; canvas.height = 480; canvas.tabIndex = 0; canvas.style.imageRendering = "auto";
  const faces = facesOf(labels, shape, phase), view = canvas.view || (canvas.view = { turn: 0.6, tilt: 0.5 });
  const scale = 480 / (1.75 * Math.max(...shape)), context = canvas.getContext("2d");
  const paint = () => {
    const [ct, st, cp, sp] = [Math.cos(view.turn), Math.sin(view.turn), Math.cos(view.tilt), Math.sin(view.tilt)];
    // Unit vectors of z, y and x on the screen: right, down, towards the viewer.
    const axes = [[0, -cp, sp], [st, sp * ct, cp * ct], [ct, -sp * st, -cp * st]];
    const visible = faces.filter(([, , , axis, sign]) => sign * axes[axis][2] > 0);
    const depth = ([z, y, x]) => z * axes[0][2] + y * axes[1][2] + x * axes[2][2];
    visible.sort((f, g) => depth(f) - depth(g));
    context.clearRect(0, 0, 480, 480);
    const at = (p) => [0, 1].map((k) => 240 + scale * p.reduce((sum, v, i) => sum + (v - shape[i] / 2) * axes[i][k], 0));
    for (const [z, y, x, axis, sign] of visible) {
      const corner = [z, y, x]; if (sign > 0) corner[axis] += 1;
      const [u, v] = [0, 1, 2].filter((k) => k !== axis), light = 0.45 + 0.55 * Math.abs(axes[axis][2]);
      const points = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([i, j]) => { const p = [...corner]; p[u] += i; p[v] += j; return at(p); });
      context.fillStyle = `rgb(${colour.map((part) => Math.round(60 + light * (0.5 * part + 100)))})`;
      context.beginPath(); points.forEach(([px, py], k) => (k ? context.lineTo(px, py) : context.moveTo(px, py))); context.closePath(); context.fill();
    }
  };
  const turned = (dx, dy) => { view.turn += dx; view.tilt = Math.max(-1.5, Math.min(1.5, view.tilt + dy)); paint(); };
  canvas.onpointerdown = (event) => canvas.setPointerCapture(event.pointerId);
  canvas.onpointermove = (event) => { if (event.buttons) turned(event.movementX / 120, event.movementY / 120); };
  canvas.onkeydown = (event) => {
    const step = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] }[event.key];
    if (step) { event.preventDefault(); turned(...step); }
  };
  paint();
}
