// The exemplars of a unit, and what is laid over them: the mask, the activation, or a word's attention.

import { element, figure } from "./element.js";
import { OUTLINE, PALETTE, ROOTED, SHADE } from "./colour.js";
import { bilinear, smooth, upsampledAll } from "./maps.js";

export const COLUMNS = 5;
const LARGEST = 224;

// Scalars (size × size) to packed colours of a palette.
export function coloured(values, start, low, high, pixels, palette = PALETTE) {
  const last = palette.length - 1;
  const scale = high > low ? last / (high - low) : 0;
  for (let i = 0; i < pixels.length; i++) {
    const level = (values[start + i] - low) * scale;
    pixels[i] = palette[level > last ? last : level > 0 ? level | 0 : 0];
  }
}

// Lay a palette's colours of one map over what is drawn already. One colour does where the map is zero everywhere.
export function layHeat(context, layer, found, index, low, { size, width, opacity, palette }) {
  if (found.empty[index]) {
    const [red, green, blue, alpha] = zeroOf(low, found.high, palette);
    context.fillStyle = `rgb(${red} ${green} ${blue} / ${(alpha / 255) * opacity})`;
    context.fillRect(0, 0, width, width);
    return;
  }
  layer.resize(size);
  coloured(found.all, index * size * size, low, found.high, layer.pixels, palette);
  layer.drawOn(context, opacity, width);
}

function zeroOf(low, high, palette) {
  const pixel = new Uint32Array(1);
  coloured([0], 0, low, high, pixel, palette);
  return new Uint8ClampedArray(pixel.buffer);
}

// Dark outside the mask, a line along its inner edge. Returns how the two are packed: shade below, line above.
function masked(values, start, threshold, size, shade, line) {
  const reach = Math.max(1, Math.round(size / 90));
  const inside = (x, y) => x < 0 || y < 0 || x >= size || y >= size || values[start + y * size + x] > threshold;
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      const on = values[start + i] > threshold;
      const edge = on && !(inside(x - reach, y) && inside(x + reach, y) && inside(x, y - reach) && inside(x, y + reach));
      shade[i] = on ? 0 : SHADE;
      line[i] = edge ? OUTLINE : 0;
    }
  }
}

// A scratch canvas of packed pixels that can be drawn over another one.
export class Layer {
  constructor() {
    this.context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  }

  resize(size) {
    if (this.size === size) return;
    this.size = size;
    this.context.canvas.width = this.context.canvas.height = size;
    this.image = this.context.createImageData(size, size);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  drawOn(context, opacity, width) {
    this.context.putImageData(this.image, 0, 0);
    context.globalAlpha = opacity;
    context.drawImage(this.context.canvas, 0, 0, width, width);
    context.globalAlpha = 1;
  }
}

export function drawTile(context, sprite, index, width) {
  const tile = sprite.naturalWidth / COLUMNS;
  context.imageSmoothingQuality = "high";
  context.drawImage(
    sprite, (index % COLUMNS) * tile, Math.floor(index / COLUMNS) * tile, tile, tile, 0, 0, width, width,
  );
}

// A canvas as sharp as the screen; returns its width in its own pixels.
export function fitted(canvas, cssWidth) {
  const width = Math.max(1, Math.round(cssWidth * (window.devicePixelRatio || 1)));
  if (canvas.width !== width) canvas.width = canvas.height = width;
  return width;
}

export class Exemplars {
  constructor(onOpen) {
    this.onOpen = onOpen;
    this.root = element("div", { class: "grid", role: "list", "aria-label": "Top exemplars, strongest first" });
    this.cells = [];
    this.shade = new Layer();
    this.line = new Layer();
  }

  // `part` is the set shown: top, a band, bottom or random; attention belongs to the top ones alone.
  show({ record, sprite }, part = "top") {
    this.record = record;
    this.sprite = sprite;
    this.part = part;
    this.kept = {};
    const entries = sprite ? record.exemplars[part] ?? [] : [];
    while (this.cells.length < entries.length) this.cells.push(this.cell(this.cells.length));
    this.root.replaceChildren(...this.cells.slice(0, entries.length).map((cell) => cell.holder));
    entries.forEach((entry, i) => {
      this.cells[i].label.textContent = figure(entry.activation);
      this.cells[i].button.setAttribute(
        "aria-label", `Exemplar ${i + 1}, ${entry.name}, peak activation ${figure(entry.activation)}. Open full size.`,
      );
    });
    this.count = entries.length;
  }

  cell(index) {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const label = element("span", { class: "peak" });
    const button = element("button", { class: "cell", type: "button", onclick: () => this.onOpen(index) }, canvas, label);
    return { holder: element("div", { role: "listitem" }, button), button, label, canvas, context: canvas.getContext("2d") };
  }

  // The unit's own maps, or a word's attention, on `size` pixels; kept until the unit or the size changes.
  scalars(size, word) {
    const key = word ? `${word.caption.captioner}/${word.head.head}/${word.index}/${size}` : `map/${size}`;
    if (this.kept.size !== size || Object.keys(this.kept).length > 16) this.kept = { size };
    this.kept[key] ??= word
      ? upsampledAll(word.head.values, word.index * volume(word.head.grid), word.head.grid, size, smooth)
      : this.mapScalars(size);
    return this.kept[key];
  }

  mapScalars(size) {
    const maps = this.record.maps[this.part];
    return maps ? upsampledAll(maps.values, 0, maps.grid, size, bilinear) : null;
  }

  // Draw every exemplar; returns the range of what is laid over them, or null where nothing is.
  paint(mode, opacity, word) {
    if (!this.count) return null;
    const width = fitted(this.cells[0].canvas, this.cells[0].canvas.clientWidth);
    const size = Math.min(width, LARGEST);
    const found = mode === "plain" && !word ? null : this.scalars(size, word);
    for (let i = 0; i < this.count; i++) {
      const { canvas, context } = this.cells[i];
      fitted(canvas, width / (window.devicePixelRatio || 1));
      drawTile(context, this.sprite, i, width);
      if (found && i * size * size < found.all.length) this.lay(context, found, i, { size, width, mode, opacity, word });
    }
    return found && { low: Math.min(0, found.low), high: found.high };
  }

  lay(context, found, index, { size, width, mode, opacity, word }) {
    if (word || mode === "heat") {
      const palette = word ? ROOTED : PALETTE;
      layHeat(context, this.shade, found, index, Math.min(0, found.low), { size, width, opacity, palette });
      return;
    }
    const threshold = this.record.statistics.threshold;
    if (threshold === null) return;
    this.shade.resize(size);
    this.line.resize(size);
    masked(found.all, index * size * size, threshold, size, this.shade.pixels, this.line.pixels);
    this.shade.drawOn(context, opacity, width);
    this.line.drawOn(context, 1, width);
  }
}

export function volume(grid) {
  return grid.reduce((product, side) => product * side, 1);
}
