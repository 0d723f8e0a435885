// One exemplar, large, with the scalar under the pointer.

import { PALETTE, ROOTED } from "./colour.js";
import { element, figure } from "./element.js";
import { Layer, coloured, drawTile, volume } from "./exemplars.js";
import { bilinear, smooth } from "./maps.js";

const FULL_SIZE = 448;

// `word`: whose attention is laid over, null for the unit's own activation. `value` says a scalar in words.
export function showFullSize(dialog, exemplars, index, { word, mode, opacity, value }) {
  const entry = exemplars.record.exemplars[exemplars.part][index];
  const canvas = element("canvas", { width: FULL_SIZE, height: FULL_SIZE });
  const context = canvas.getContext("2d");
  const scalars = scalarsOf(exemplars, index, word);
  drawTile(context, exemplars.sprite, index, FULL_SIZE);
  if (scalars && (word || mode !== "plain")) {
    const layer = new Layer();
    layer.resize(FULL_SIZE);
    coloured(scalars.values, 0, scalars.low, scalars.high, layer.pixels, word ? ROOTED : PALETTE);
    layer.drawOn(context, opacity, FULL_SIZE);
  }
  const readout = element("output", {}, "Point at the image to read its value.");
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = [event.offsetX, event.offsetY].map((place) => cell(place, canvas.clientWidth));
    if (scalars) readout.textContent = `${word ? "attention" : "activation"} ${value(scalars.values[y * FULL_SIZE + x])}`;
  });
  const close = element("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(element("h3", {}, `${entry.name} · peak ${figure(entry.activation)}`), canvas,
    element("footer", {}, readout, close));
  dialog.showModal();
}

function cell(place, width) {
  return Math.min(FULL_SIZE - 1, Math.max(0, Math.floor((place * FULL_SIZE) / width)));
}

function scalarsOf(exemplars, index, word) {
  const maps = word ? { grid: word.head.grid, values: word.head.values } : exemplars.record.maps[exemplars.part];
  if (!maps || index >= maps.grid[0]) return null;
  const [, height, width] = maps.grid;
  const values = new Float32Array(FULL_SIZE * FULL_SIZE);
  const start = (word ? word.index * volume(maps.grid) : 0) + index * height * width;
  (word ? smooth : bilinear)(maps.values, start, height, width, FULL_SIZE, values);
  const range = exemplars.scalars(FULL_SIZE / 4, word); // the same colours as in the grid: over all exemplars
  return { values, low: Math.min(0, range.low), high: range.high };
}
