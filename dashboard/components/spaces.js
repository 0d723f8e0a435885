// A map of units or words: points, what each is, its exact neighbours, and lists of those that were chosen.

import { MISSING, element, figure, isTyping } from "./element.js";
import { NOTHING, RAMP_OF_FIGURES, colouredFigures, coloursOf } from "./hues.js";
import { Plane } from "./plane.js";
import { visit } from "./similar.js";

const LISTED = 60;
const LONGEST_LIST = 6000; // characters of an address

const numbers = (text, Kind) => new Kind(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);

class Points {
  constructor(body) {
    Object.assign(this, body);
    this.places = numbers(body.places, Float32Array);
    this.size = this.places.length / 2;
    for (let i = 1; i < this.places.length; i += 2) this.places[i] *= -1; // up is up
    for (const colour of Object.values(this.colours)) colour.values = numbers(colour.values, Float32Array);
    if (this.kind === "units") [this.layer, this.unit] = [numbers(body.layer, Int32Array), numbers(body.unit, Int32Array)];
  }

  name(row) {
    return this.kind === "words" ? this.words[row] : `${this.layers[this.layer[row]]} · ${this.unit[row]}`;
  }

  said(row) {
    return this.kind === "words" ? [] : this.captioners.map((_, i) => this.captions[i][row]).filter(Boolean);
  }

  row(focus) {
    if (focus === null) return -1;
    if (this.kind === "words") return this.words.indexOf(focus.word);
    const layer = this.layers.indexOf(focus.layer), unit = Number(focus.unit);
    for (let i = 0; i < this.size; i++) if (this.layer[i] === layer && this.unit[i] === unit) return i;
    return -1;
  }

  // Which points a text is found in: a word's beginning, a caption's part.
  found(text) {
    const wanted = text.toLowerCase();
    return Uint8Array.from({ length: this.size }, (_, i) => Number(this.kind === "words" ? this.words[i].startsWith(wanted)
      : this.name(i).toLowerCase().includes(wanted) || this.said(i).some((said) => said.toLowerCase().includes(wanted))));
  }
}

class Spaces {
  constructor(root) {
    this.root = root;
    this.seq = this.turn = 0;
    this.picked = -1;
    this.only = this.chosen = null;
    this.plane = new Plane({ hover: (...where) => this.hover(...where), pick: (row) => this.pick(row), chosen: (rows, line) => this.choose(rows, line) });
    this.find = element("input", { type: "search", "aria-label": "Find points", "aria-keyshortcuts": "/", oninput: () => this.repaint(), onkeydown: (event) => event.key === "Enter" && this.pickFound() });
    this.colour = element("select", { "aria-label": "Colour by", onchange: () => { this.only = null; this.repaint(); } });
    this.choosing = element("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggle() }, "Lasso");
    const reset = element("button", { type: "button", onclick: () => this.plane.reset() }, "Whole map");
    this.note = element("p", { class: "note", role: "status" });
    this.legend = element("div", { class: "legend", role: "group", "aria-label": "Colours" });
    this.tip = element("div", { class: "tip", hidden: true });
    this.card = element("section", { class: "card", "aria-label": "Chosen point" });
    this.list = element("section", { class: "card", "aria-label": "Chosen points", hidden: true });
    const bar = element("div", { class: "bar" }, this.find, element("label", {}, "Colour ", this.colour),
      element("span", { class: "segments" }, this.choosing, reset));
    this.plane.root.append(this.tip);
    root.replaceChildren(element("div", { class: "main" }, bar, this.plane.root, this.legend, this.note), element("aside", {}, this.card, this.list));
    this.onKey = (event) => {
      if (event.key !== "/" || isTyping(event)) return;
      event.preventDefault();
      this.find.focus();
    };
    document.addEventListener("keydown", this.onKey);
  }

  async receive(data, tell) {
    this.tell = tell;
    const source = data.source ?? JSON.stringify(data.inline)?.length;
    const again = this.source === source;
    if (again && data.ack < this.seq) return; // an answer to an older click
    if (data.session !== this.session) [this.session, this.seq] = [data.session, data.ack];
    this.data = data;
    if (again) {
      if (this.points) this.focus(data.focus);
      return;
    }
    this.source = source;
    const turn = ++this.turn;
    try {
      const body = data.source ? await fetched(data.source) : data.inline;
      if (turn === this.turn) this.show(new Points(body));
    } catch (problem) {
      if (turn === this.turn) this.note.textContent = problem.message;
    }
  }

  show(points) {
    this.points = points;
    [this.picked, this.only, this.chosen] = [-1, null, null];
    this.plane.show(points.places);
    const before = this.colour.value;
    this.colour.replaceChildren(...Object.entries(points.colours).map(([key, { name }]) => element("option", { value: key }, name)));
    if (points.colours[before]) this.colour.value = before;
    const words = points.kind === "words";
    Object.assign(this.find, { value: "", placeholder: words ? "Type a word" : "Find in captions and names" });
    this.find.setAttribute("aria-label", words ? "Find a word" : "Find units");
    this.note.textContent = `${points.size.toLocaleString("en")} ${words ? "words" : "units"} by ${points.space}` +
      `${points.left_out ? `; ${points.left_out.toLocaleString("en")} have no vector` : ""}. ${points.method === "pca" ? "PCA" : "t-SNE"}, ` +
      `trustworthiness ${figure(points.trust, 3)} (10 neighbours, cosine): distances on the map are approximate, listed neighbours are exact.`;
    this.focus(this.data.focus);
    this.about();
    this.listChosen();
    this.repaint();
    this.root.dataset.ready = String(points.size);
  }

  focus(focus) {
    const row = this.points.row(focus);
    if (row === this.picked) return;
    this.picked = row;
    if (row >= 0) this.plane.reveal(row);
    this.about();
    this.repaint();
  }

  repaint() {
    if (!this.points) return;
    const { points } = this, colour = points.colours[this.colour.value];
    const { colours, low, high } = colour.names ? { colours: null } : colouredFigures(colour.values, colour.counts);
    const named = colour.names && coloursOf(colour.names, colour.ordered);
    const packed = new Uint32Array(points.size);
    for (let i = 0; i < points.size; i++) {
      const [red, green, blue] = named ? named[colour.values[i]] ?? NOTHING : colours[i];
      packed[i] = (red | (green << 8) | (blue << 16)) >>> 0;
    }
    const shown = this.shown(colour);
    this.drawLegend(colour, named, low, high);
    this.plane.paint({ packed, shown, labels: this.labels(shown), marked: this.marked() });
  }

  // Which points stand out: those found, of the colour that was pressed, inside the lasso; null for all.
  shown(colour) {
    const text = this.find.value.trim();
    let shown = text ? this.points.found(text) : null;
    if (this.only !== null) shown = Uint8Array.from(colour.values, (value, i) => Number(value === this.only && (shown?.[i] ?? 1)));
    if (this.chosen) {
      const inside = new Set(this.chosen);
      shown = Uint8Array.from({ length: this.points.size }, (_, i) => Number(inside.has(i) && (shown?.[i] ?? 1)));
    }
    this.root.dataset.shown = String(shown === null ? this.points.size : shown.reduce((sum, one) => sum + one, 0));
    return shown;
  }

  labels(shown) {
    const { points } = this;
    if (points.kind === "words") return this.wordLabels(shown);
    const groups = points.colours.cluster;
    if (!groups) return [];
    const sums = groups.names.map(() => [0, 0, 0]);
    groups.values.forEach((group, i) => {
      sums[group][0] += points.places[2 * i];
      sums[group][1] += points.places[2 * i + 1];
      sums[group][2] += 1;
    });
    return groups.names.map((text, i) => ({ text: points.topics[i], at: [sums[i][0] / sums[i][2], sums[i][1] / sums[i][2]] }))
      .filter(({ text }, i) => text && (shown === null || this.only === i));
  }

  // The words that most units say, as many as there is room for.
  wordLabels(shown) {
    const said = this.points.colours.units?.values;
    const rows = Array.from({ length: this.points.size }, (_, i) => i).filter((i) => shown === null || shown[i]);
    if (said) rows.sort((one, other) => said[other] - said[one]);
    return rows.slice(0, 80).map((i) => ({ text: this.points.words[i], at: [this.points.places[2 * i], this.points.places[2 * i + 1]] }));
  }

  marked() {
    const near = (this.near ?? []).filter(({ of }) => of === this.picked).map(({ row }) => [row, false]);
    return this.picked >= 0 ? [...near, [this.picked, true]] : [];
  }

  drawLegend(colour, named, low, high) {
    if (!named) {
      const shortly = (value) => (colour.counts ? String(value) : figure(value));
      this.legend.replaceChildren(element("span", { class: "figures" }, shortly(low)), element("span", { class: "ramp", style: `background:${RAMP_OF_FIGURES}` }),
        element("span", { class: "figures" }, shortly(high)), element("span", { class: "quiet" }, colour.counts ? "grey: none" : "2nd to 98th percentile; grey: not computed"));
      return;
    }
    this.legend.replaceChildren(...colour.names.map((name, i) => element("button", {
      type: "button", "aria-pressed": String(this.only === i), onclick: () => { this.only = this.only === i ? null : i; this.repaint(); },
    }, element("i", { style: `background:rgb(${named[i].join(",")})` }), name)));
  }

  hover(row, x, y) {
    clearTimeout(this.wait);
    this.tip.hidden = true;
    if (row < 0) return;
    this.wait = setTimeout(() => {
      const width = this.plane.root.clientWidth;
      this.tip.replaceChildren(...this.told(row));
      this.tip.style.left = `${Math.min(x + 14, width - 244)}px`;
      this.tip.style.top = `${y + 14}px`;
      this.tip.hidden = false;
    }, 35);
  }

  told(row) {
    const { points } = this;
    if (points.kind === "words") return [element("b", {}, points.words[row]), element("span", { class: "quiet" }, unitsSay(points.colours.units?.values[row]))];
    return [this.picture(row, 1), element("b", {}, points.name(row)), ...this.captions(row)];
  }

  picture(row, count) {
    if (!this.data.base || this.points.kind === "words") return null;
    return element("img", { class: count > 1 ? "wide" : null, src: new URL(`${this.data.base}/${this.place(row)}.jpg?count=${count}`, document.baseURI).href, alt: "",
      onerror: (event) => event.target.remove() });
  }

  place(row) {
    return `${this.points.layers[this.points.layer[row]].split("/").map(encodeURIComponent).join("/")}/${this.points.unit[row]}`;
  }

  captions(row) {
    const said = this.points.said(row);
    return said.length ? said.map((text) => element("span", { class: "said" }, text)) : [element("span", { class: "said quiet" }, "no caption")];
  }

  pickFound() {
    const found = this.points.found(this.find.value.trim());
    const exact = this.points.kind === "words" ? this.points.words.indexOf(this.find.value.trim().toLowerCase()) : -1;
    this.pick(exact >= 0 ? exact : found.indexOf(1));
  }

  pick(row) {
    if (row === this.picked && row < 0) return;
    this.picked = row;
    if (row >= 0) this.plane.reveal(row);
    this.about();
    this.repaint();
    const { points } = this;
    const named = row < 0 ? null : points.kind === "words" ? { word: points.words[row] } : { layer: points.layers[points.layer[row]], unit: points.unit[row] };
    this.tell("picked", [named, ++this.seq]);
  }

  async about() {
    const { points, picked: row } = this;
    if (row < 0) {
      const what = points.kind === "words" ? "word" : "unit";
      this.card.replaceChildren(element("p", { class: "quiet" }, `Click a point: its ${what} and what lies nearest, measured in the original space. Drag to move, scroll to zoom, shift-drag to draw around points.`));
      return;
    }
    const near = element("ol", { class: "near" });
    const link = points.kind === "words" ? null : this.link(row, "Open the neuron");
    this.card.replaceChildren(...[this.picture(row, 3), element("h3", {}, points.name(row)), ...(points.kind === "words" ? [] : this.captions(row)), link,
      element("h4", {}, "Nearest, exactly ", element("span", { class: "quiet" }, "cosine, in all dimensions")), near].filter(Boolean));
    try {
      const found = this.data.neighbours ? await fetched(`${this.data.neighbours}&row=${row}`) : { near: [] };
      if (row !== this.picked || points !== this.points) return;
      this.near = found.near.map((entry) => ({ ...entry, of: row }));
      near.replaceChildren(...found.near.map((entry) => this.neighbour(entry)));
      if (found.units) this.card.append(...this.sayers(points.words[row], found));
      this.card.dataset.near = String(row);
      this.repaint();
    } catch (problem) {
      near.replaceChildren(element("li", { class: "quiet" }, problem.message));
    }
  }

  neighbour({ row, score }) {
    const said = this.points.said(row)[0];
    return element("li", {}, element("button", { type: "button", onclick: () => this.pick(row) }, this.points.name(row)),
      said ? element("span", { class: "said" }, said) : null, element("span", { class: "figures" }, figure(score)));
  }

  // The units that say a word, as links.
  sayers(word, { units, total }) {
    const links = units.map(({ layer, unit, caption }) => element("li", {}, linkTo(`neuron?${new URLSearchParams({ d: this.data.dissection, layer, unit })}`, `${layer} · ${unit}`),
      element("span", { class: "said" }, caption)));
    const all = total ? linkTo(`neurons?${new URLSearchParams({ d: this.data.dissection, text: `"${word}"` })}`, "Open as a list") : null;
    return [element("h4", {}, unitsSay(total)), element("ol", { class: "near sayers" }, ...links), all].filter(Boolean);
  }

  link(row, text) {
    const { layers, layer, unit } = this.points;
    return linkTo(`neuron?${new URLSearchParams({ d: this.data.dissection, layer: layers[layer[row]], unit: unit[row] })}`, text);
  }

  toggle() {
    this.plane.choosing = !this.plane.choosing;
    this.choosing.setAttribute("aria-pressed", String(this.plane.choosing));
  }

  choose(rows, line) {
    this.chosen = rows.length ? rows : null;
    this.root.dataset.lasso = JSON.stringify(line);
    this.root.dataset.chosen = JSON.stringify(rows);
    this.listChosen();
    this.repaint();
  }

  listChosen() {
    this.list.hidden = !this.chosen;
    if (!this.chosen) return;
    const { points, chosen } = this, words = points.kind === "words";
    const address = words ? null : this.asList();
    const rows = chosen.slice(0, LISTED).map((row) => element("li", {}, element("button", { type: "button", onclick: () => this.pick(row) }, points.name(row)),
      element("span", { class: "said" }, points.said(row)[0] ?? "")));
    const more = chosen.length > LISTED ? element("p", { class: "quiet" }, `and ${(chosen.length - LISTED).toLocaleString("en")} more`) : null;
    this.list.replaceChildren(...[element("h3", {}, `${chosen.length.toLocaleString("en")} ${words ? "words" : "units"} chosen`),
      element("p", { class: "actions" }, ...[address && linkTo(address, "Open in Neurons"),
        element("button", { type: "button", onclick: () => this.download() }, "Download CSV"),
        element("button", { type: "button", onclick: () => this.choose([], []) }, "Clear")].filter(Boolean)),
      words || address ? null : element("p", { class: "quiet" }, "Too many for an address: download them, or draw around fewer."),
      element("ol", { class: "near" }, ...rows), more].filter(Boolean));
  }

  // The address of the list of the chosen units; null where it would be too long.
  asList() {
    const byLayer = new Map();
    for (const row of this.chosen) {
      const layer = this.points.layers[this.points.layer[row]];
      byLayer.set(layer, [...(byLayer.get(layer) ?? []), this.points.unit[row]]);
    }
    const text = `units ${[...byLayer].map(([layer, units]) => `${layer}:${ranges(units)}`).join("; ")}`;
    return text.length > LONGEST_LIST ? null : `neurons?${new URLSearchParams({ d: this.data.dissection, text })}`;
  }

  download() {
    const { points, chosen } = this, words = points.kind === "words";
    const head = words ? ["word"] : ["layer", "unit", ...points.captioners.map((name) => `${name}.caption`)];
    const rows = chosen.map((row) => (words ? [points.words[row]] : [points.layers[points.layer[row]], points.unit[row], ...points.captioners.map((_, i) => points.captions[i][row] ?? "")]));
    const text = [head, ...rows].map((cells) => cells.map(cell).join(",")).join("\n");
    const address = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/csv" }));
    element("a", { href: address, download: words ? "words.csv" : "units.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  close() {
    this.plane.close();
    clearTimeout(this.wait);
    document.removeEventListener("keydown", this.onKey);
  }
}

async function fetched(address) {
  const answer = await fetch(new URL(address, document.baseURI));
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function linkTo(address, text) {
  return element("a", { href: address, onclick: (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab is the browser's business
    event.preventDefault();
    visit(event.currentTarget.href);
  } }, text);
}

const unitsSay = (count) => (count === undefined ? MISSING : count === 1 ? "1 unit says it" : `${count.toLocaleString("en")} units say it`);

// 3, 4, 5, 9 is 3-5,9.
function ranges(units) {
  const pieces = [];
  for (const unit of Array.from(units).sort((one, other) => one - other)) {
    const last = pieces.at(-1);
    if (last && unit === last[1] + 1) last[1] = unit;
    else pieces.push([unit, unit]);
  }
  return pieces.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(",");
}

// A CSV cell; one that a spreadsheet would run as a formula is made text.
function cell(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const shown = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".spaces");
  if (!root || !data) return undefined;
  if (!shown.has(root)) shown.set(root, new Spaces(root));
  shown.get(root).receive(data, setStateValue);
  return () => {
    shown.get(root)?.close();
    shown.delete(root);
  };
}
