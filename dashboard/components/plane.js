// Points on a plane, drawn by hand into the pixels: 30,000 in a few milliseconds, with or without a graphics card.

import { element } from "./element.js";

const MARGIN = 26; // CSS pixels around all points
const NEAR = 9; // how far from a point a click still means it
const FAINT = 58; // of 255: a point that is not among those looked for

// Which pixels a disc covers: how far each lies from its middle in an image of a width, and how opaque it is.
function disc(radius, width, strength) {
  const reach = Math.ceil(radius + 0.5), steps = [], alphas = [];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const cover = Math.min(1, radius + 0.5 - Math.hypot(x, y));
      if (cover < 0.05) continue;
      steps.push(y * width + x);
      alphas.push(Math.round(strength * 0.92 * cover));
    }
  }
  return { reach, steps: Int32Array.from(steps), alphas: Uint8Array.from(alphas) };
}

// Which points lie inside a polygon, by the even-odd rule; points and polygon as [x0, y0, x1, y1, …].
export function inside(points, polygon) {
  const found = [], corners = polygon.length / 2;
  for (let i = 0; i < points.length / 2; i++) {
    const x = points[2 * i], y = points[2 * i + 1];
    let odd = false;
    for (let a = 0, b = corners - 1; a < corners; b = a++) {
      const ax = polygon[2 * a], ay = polygon[2 * a + 1], bx = polygon[2 * b], by = polygon[2 * b + 1];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
    if (odd) found.push(i);
  }
  return found;
}

export class Plane {
  // `tell` hears hover(row, x, y), pick(row) and chosen(rows).
  constructor(tell) {
    this.tell = tell;
    this.canvas = element("canvas", { class: "points", "aria-hidden": "true" });
    this.above = element("canvas", { class: "above", tabindex: "0", role: "application",
      "aria-label": "Map: drag to move, scroll to zoom, arrow keys and + − 0 too; shift-drag to choose points" });
    this.root = element("div", { class: "plane" }, this.canvas, this.above);
    this.lasso = null;
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.root);
    this.listen();
  }

  show(points) {
    this.points = points; // [x0, y0, …]
    this.fit();
  }

  // packed: a colour a point; order: in which they are drawn; shown: 1 where a point is among those looked for
  paint({ packed, shown, labels, marked }) {
    Object.assign(this, { packed, shown, labels, marked });
    this.draw();
  }

  fit() {
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < this.points.length; i += 2) {
      left = Math.min(left, this.points[i]);
      right = Math.max(right, this.points[i]);
      top = Math.min(top, this.points[i + 1]);
      bottom = Math.max(bottom, this.points[i + 1]);
    }
    const [width, height] = [this.root.clientWidth || 1, this.root.clientHeight || 1];
    this.scale = Math.min((width - 2 * MARGIN) / (right - left || 1), (height - 2 * MARGIN) / (bottom - top || 1));
    this.whole = this.scale;
    this.x = width / 2 - ((left + right) / 2) * this.scale;
    this.y = height / 2 - ((top + bottom) / 2) * this.scale;
  }

  resize() {
    const ratio = Math.min(2, devicePixelRatio || 1), { clientWidth: width, clientHeight: height } = this.root;
    if (!width || !height) return;
    for (const canvas of [this.canvas, this.above]) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.ratio = ratio;
    this.image = this.canvas.getContext("2d").createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    if (!this.points) return;
    if (!this.moved) this.fit();
    this.draw();
  }

  draw() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      if (!this.points || !this.packed || !this.pixels) return;
      const began = performance.now();
      this.splat();
      this.overlay();
      this.root.dataset.frame = (performance.now() - began).toFixed(1);
      this.root.dataset.frames = String(Number(this.root.dataset.frames ?? 0) + 1);
    });
  }

  radius() {
    const few = 5.2 - 0.85 * Math.log10(this.points.length / 2 || 1);
    return Math.max(1.1, few) * Math.min(2.2, (this.scale / this.whole) ** 0.3) * 0.9;
  }

  splat() {
    this.pixels.fill(0);
    const all = this.shown === null;
    if (!all) this.stampAll(0, FAINT);
    this.stampAll(all ? null : 1, 255);
    this.canvas.getContext("2d").putImageData(this.image, 0, 0);
  }

  // Draw the points for which `shown` is `which` (null: all); a disc's rim never covers another's inside.
  stampAll(which, strength) {
    const { pixels, points, packed, ratio } = this, { width, height } = this.canvas;
    const { reach, steps, alphas } = disc(this.radius() * ratio, width, strength);
    const scale = this.scale * ratio, x0 = this.x * ratio, y0 = this.y * ratio;
    for (let i = 0; i < packed.length; i++) {
      if (which !== null && this.shown[i] !== which) continue;
      const x = Math.round(points[2 * i] * scale + x0), y = Math.round(points[2 * i + 1] * scale + y0);
      if (x < reach || y < reach || x >= width - reach || y >= height - reach) continue;
      const colour = packed[i] & 0xffffff, middle = y * width + x;
      for (let j = 0; j < steps.length; j++) {
        const at = middle + steps[j];
        if (pixels[at] >>> 24 <= alphas[j]) pixels[at] = colour | (alphas[j] << 24);
      }
    }
  }

  overlay() {
    const context = this.above.getContext("2d"), style = getComputedStyle(this.root);
    const [ink, paper, lead] = ["--ink", "--paper", "--lead"].map((name) => style.getPropertyValue(name));
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.root.clientWidth, this.root.clientHeight);
    context.font = `600 12.5px ${style.fontFamily}`;
    context.textAlign = "center";
    const taken = [];
    for (const { text, at } of this.labels ?? []) this.label(context, text, this.onScreen(at), taken, ink, paper);
    for (const [row, strong] of this.marked ?? []) {
      const [x, y] = this.placeOf(row);
      context.beginPath();
      context.arc(x, y, this.radius() + (strong ? 5 : 3), 0, 2 * Math.PI);
      context.lineWidth = strong ? 2.5 : 1.5;
      context.strokeStyle = strong ? lead : ink;
      context.stroke();
    }
    if (this.lasso?.length > 2) this.drawLasso(context, lead);
  }

  label(context, text, [x, y], taken, ink, paper) {
    const half = context.measureText(text).width / 2 + 4, box = [x - half, y - 11, x + half, y + 7];
    if (box[0] < 0 || box[2] > this.root.clientWidth || taken.some((b) => b[0] < box[2] && b[2] > box[0] && b[1] < box[3] && b[3] > box[1])) return;
    taken.push(box);
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = paper;
    context.strokeText(text, x, y);
    context.fillStyle = ink;
    context.fillText(text, x, y);
  }

  drawLasso(context, lead) {
    context.beginPath();
    for (let i = 0; i < this.lasso.length; i += 2) context.lineTo(...this.onScreen([this.lasso[i], this.lasso[i + 1]]));
    context.closePath();
    [context.strokeStyle, context.lineWidth, context.fillStyle] = [lead, 1.5, lead];
    context.stroke();
    context.globalAlpha = 0.08;
    context.fill();
    context.globalAlpha = 1;
  }

  onScreen([x, y]) {
    return [x * this.scale + this.x, y * this.scale + this.y];
  }

  onPlane(x, y) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  placeOf(row) {
    return this.onScreen([this.points[2 * row], this.points[2 * row + 1]]);
  }

  // Bring a point into sight where it is out of it.
  reveal(row) {
    const [x, y] = this.placeOf(row), { clientWidth: width, clientHeight: height } = this.root;
    if (x > MARGIN && y > MARGIN && x < width - MARGIN && y < height - MARGIN) return;
    this.x += width / 2 - x;
    this.y += height / 2 - y;
    this.moved = true;
  }

  // The nearest point among those shown, within reach of the pointer; -1 for none.
  nearest(x, y) {
    let found = -1, least = NEAR * NEAR;
    for (let i = 0; i < this.packed.length; i++) {
      if (this.shown !== null && !this.shown[i]) continue;
      const dx = this.points[2 * i] * this.scale + this.x - x, dy = this.points[2 * i + 1] * this.scale + this.y - y;
      if (dx * dx + dy * dy < least) [found, least] = [i, dx * dx + dy * dy];
    }
    return found;
  }

  zoom(by, x = this.root.clientWidth / 2, y = this.root.clientHeight / 2) {
    const scale = Math.min(this.whole * 400, Math.max(this.whole * 0.5, this.scale * by));
    [this.x, this.y] = [x - ((x - this.x) * scale) / this.scale, y - ((y - this.y) * scale) / this.scale];
    this.scale = scale;
    this.moved = true;
    this.draw();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.moved = true;
    this.draw();
  }

  reset() {
    this.moved = false;
    this.fit();
    this.draw();
  }

  listen() {
    const on = (name, heard, options) => this.above.addEventListener(name, heard, options);
    on("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * 0.0018), event.offsetX, event.offsetY);
    }, { passive: false });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => { this.held = this.lasso = null; });
    on("pointerleave", () => this.held || this.tell.hover(-1));
    on("dblclick", () => this.reset());
    on("keydown", (event) => this.key(event));
  }

  press(event) {
    this.above.setPointerCapture(event.pointerId);
    this.held = { x: event.offsetX, y: event.offsetY, far: false };
    if (event.shiftKey || this.choosing) this.lasso = this.onPlane(event.offsetX, event.offsetY);
    this.tell.hover(-1);
  }

  move(event) {
    const { offsetX: x, offsetY: y } = event;
    if (!this.points || !this.packed) return;
    if (!this.held) {
      const row = this.nearest(x, y);
      this.above.style.cursor = row >= 0 ? "pointer" : this.choosing ? "crosshair" : "grab";
      this.tell.hover(row, x, y);
      return;
    }
    this.held.far ||= Math.hypot(x - this.held.x, y - this.held.y) > 4;
    if (this.lasso) {
      this.lasso.push(...this.onPlane(x, y));
      this.draw();
    } else if (this.held.far) {
      this.pan(x - this.held.x, y - this.held.y);
      [this.held.x, this.held.y] = [x, y];
    }
  }

  release(event) {
    const { held, lasso } = this;
    this.held = this.lasso = null;
    if (!held) return;
    if (lasso && held.far) this.tell.chosen(inside(this.points, lasso), lasso);
    else if (!held.far) this.tell.pick(this.nearest(event.offsetX, event.offsetY));
    this.draw();
  }

  key(event) {
    const steps = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
    if (steps[event.key]) this.pan(...steps[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.3);
    else if (event.key === "-") this.zoom(1 / 1.3);
    else if (event.key === "0") this.reset();
    else return;
    event.preventDefault();
  }

  close() {
    this.sizes.disconnect();
    cancelAnimationFrame(this.waiting);
  }
}
