// The neuron view. It paints first and tells the server afterwards, so a key press never waits.

import { element, figure, isTyping } from "./element.js";
import { RAMP } from "./colour.js";
import { spriteOf, unitAt, unitFrom } from "./payload.js";
import { Exemplars, volume } from "./exemplars.js";
import { showFullSize } from "./fullsize.js";
import { Heads } from "./heads.js";
import { activationCard, badge, captionCard, describeWord, keysDialog, referencesCard } from "./facts.js";
import { SimilarUnits } from "./similar.js";
import { Doubts } from "./doubts.js";

const MODES = { mask: ["Mask", "m"], heat: ["Heatmap", "h"], plain: ["Plain", "p"] };
const STATES = { dead: "dead", constant: "constant", not_finite: "not finite" };

// "0-3,7" as the list of its numbers.
function numbered(ranges) {
  return ranges.split(",").flatMap((piece) => {
    const [first, last] = piece.split("-").map(Number);
    return Array.from({ length: (last ?? first) - first + 1 }, (_, i) => first + i);
  });
}

class View {
  constructor(root) {
    this.root = root;
    this.mode = "mask";
    this.opacity = 0.6;
    this.seq = 0;
    this.turn = 0;
    this.exemplars = new Exemplars((index) => this.open(index));
    this.heads = new Heads((word, kind) => this.onWord(word, kind));
    this.build();
    this.sizes = new ResizeObserver(() => this.shown && requestAnimationFrame(() => this.paint()));
    this.sizes.observe(this.exemplars.root);
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
  }

  build() {
    this.title = element("h2", {});
    this.badges = element("span", { class: "badges" });
    this.place = element("span", { class: "figures", title: "place in the layer" });
    const step = (label, name, by) => element(
      "button", { type: "button", class: "button", "aria-keyshortcuts": name, onclick: () => this.step(by) },
      label, element("kbd", {}, name));
    this.copy = element("button", { type: "button", class: "button", onclick: () => this.copyText(this.copy, this.link()) }, "Copy link");
    this.cite = element("button", { type: "button", class: "button", title: "Copy a BibTeX entry of this unit",
      onclick: () => this.copyText(this.cite, this.shown.record.citation.replace("<link>", this.link())) }, "Cite");
    this.keys = keysDialog();
    const help = element("button", { type: "button", class: "button", "aria-label": "Keys", onclick: () => this.keys.showModal() }, "?");
    this.top = element("header", { class: "top" }, this.title, this.badges, this.place,
      element("span", { class: "actions" }, this.copy, this.cite, step("Previous", "K", -1), step("Next", "J", 1), help));
    this.cards = element("div", { class: "captions" });
    this.references = element("div", {});
    this.similar = new SimilarUnits();
    this.doubts = new Doubts();
    this.activation = element("div", {});
    this.status = element("p", { class: "problem", role: "alert", hidden: true });
    this.spoken = element("p", { class: "unseen", "aria-live": "polite" });
    this.full = element("dialog", { class: "full", "aria-label": "Exemplar at full size" });
    this.headCard = this.headPanel();
    this.body = element("div", { class: "body" }, element("div", { class: "column" }, this.exemplarPanel(), this.references, this.similar.root),
      element("div", { class: "column" }, this.headCard, this.activation, this.doubts.root));
    this.note = element("p", { class: "note" },
      "log p and PMI are comparable only within one captioner. Attention shows where a head looked; it is not proof of cause.");
    this.root.replaceChildren(this.top, this.status, this.cards, this.body, this.note, this.spoken, this.keys, this.full);
  }

  exemplarPanel() {
    this.modes = Object.fromEntries(Object.entries(MODES).map(([mode, [label, key]]) => [mode, element("button",
      { type: "button", "aria-keyshortcuts": key.toUpperCase(), onclick: () => this.setMode(mode) }, label)]));
    const slider = element("input", { type: "range", min: "0", max: "100", value: String(this.opacity * 100),
      "aria-label": "Overlay opacity", oninput: () => { this.opacity = slider.value / 100; this.paint(); } });
    this.scale = element("div", { class: "scale" });
    this.parts = element("select", { "aria-label": "Set of exemplars", onchange: () => this.showPart(this.parts.value) });
    return element("section", { class: "card", "aria-label": "Exemplars" },
      element("header", {}, element("h3", {}, "Exemplars"), this.parts,
        element("span", { class: "segments", role: "group", "aria-label": "Overlay" }, ...Object.values(this.modes)), slider),
      this.exemplars.root, this.scale);
  }

  headPanel() {
    this.choice = element("span", { class: "segments", role: "group", "aria-label": "Captioner whose heads are shown" });
    return element("section", { class: "card", "aria-label": "Attention by head" },
      element("header", {}, element("h3", {}, "Attention by head"), this.choice), this.heads.root);
  }

  // What Python sent. An answer to an older step than our last must not turn the view back.
  receive(data, tell) {
    this.tell = tell;
    const restarted = this.session !== data.session;
    const moved = this.base !== data.base || this.layer !== data.layer;
    this.session = data.session;
    if (!restarted && !moved && data.ack < this.seq) return;
    this.seq = data.ack;
    this.base = data.base;
    this.layer = data.layer;
    this.dissection = data.dissection;
    this.units = numbered(data.units);
    this.inline = data.inline;
    this.blind = data.blind;
    this.root.classList.toggle("blind", this.blind);
    const wanted = `${data.base}/${data.layer}/${data.unit}`;
    if (wanted !== this.wanted) this.load(data.unit);
  }

  step(by) {
    if (this.blind) return;
    const at = this.units.indexOf(this.unit);
    const unit = this.units[(at + by + this.units.length) % this.units.length];
    this.seq += 1;
    this.tell("moved", [this.layer, unit, this.seq]);
    if (this.base) this.load(unit);
  }

  async load(unit) {
    const turn = ++this.turn;
    this.unit = unit;
    this.wanted = `${this.base}/${this.layer}/${unit}`;
    const [wanted, started] = [this.wanted, performance.now()];
    this.head();
    try {
      const found = await (this.base ? unitAt(this.base, this.layer, unit) : unitFrom(this.inline));
      if (turn !== this.turn) return; // a newer step was taken meanwhile
      this.show(found);
      this.root.dataset.painted = wanted;
      this.root.dataset.milliseconds = (performance.now() - started).toFixed(1);
      this.prefetch();
    } catch (problem) {
      if (turn === this.turn) this.fail(problem);
    }
  }

  prefetch() {
    if (!this.base || this.blind) return;
    clearTimeout(this.settled); // who walks fast does not wait for neighbours by likeness
    this.settled = setTimeout(() => {
      this.similar.show(this.base, this.dissection, this.layer, this.unit);
      this.doubts.show(this.base, this.layer, this.unit);
    }, 250);
    const at = this.units.indexOf(this.unit);
    for (const by of [1, -1, 2]) {
      unitAt(this.base, this.layer, this.units[(at + by + this.units.length) % this.units.length]).catch(() => undefined);
    }
  }

  fail(problem) {
    this.status.hidden = false;
    this.status.textContent = `Unit ${this.unit} could not be loaded: ${problem.message}`;
  }

  head() {
    this.title.textContent = `${this.layer} · unit ${this.unit}`;
    this.place.textContent = `${this.units.indexOf(this.unit) + 1} of ${this.units.length}`;
  }

  show(found) {
    const record = this.blind ? withoutWords(found.record) : found.record;
    this.shown = { ...found, record };
    this.status.hidden = true;
    this.pinned = this.hovered = null;
    const state = STATES[record.state] ? badge(STATES[record.state], "bad") : null;
    this.badges.replaceChildren(...[state, record.simulated ? badge("simulated", "sim") : null].filter(Boolean));
    this.captionCards = record.captions.map((caption) => captionCard(caption, (word, kind) => this.onWord(word, kind)));
    this.cards.replaceChildren(...this.captionCards.map(({ card }) => card));
    if (!record.captions.length) this.cards.append(element("p", { class: "card quiet" }, "Not captioned yet."));
    this.references.replaceChildren(referencesCard(record));
    this.activation.replaceChildren(activationCard(record));
    this.setParts(record);
    this.choose(record);
    const heard = record.captions.map((caption) => `${caption.captioner}: ${caption.words.join(" ") || caption.state}`);
    this.spoken.textContent = `${this.title.textContent}. ${heard.join(". ")}`;
    this.paint();
  }

  // The set of exemplars chosen before stays chosen, where this unit has it.
  setParts(record) {
    const names = Object.keys(record.exemplars);
    const kept = names.includes(this.parts.value) ? this.parts.value : "top";
    this.parts.replaceChildren(...names.map((name) => element("option", { value: name }, name.replace("-", " "))));
    this.parts.value = kept;
    this.parts.hidden = names.length < 2 || !this.base;
    this.exemplars.show(this.shown);
    if (kept !== "top") this.showPart(kept);
  }

  async showPart(part) {
    const [turn, found] = [this.turn, this.shown];
    const sprite = part === "top" ? found.sprite : await spriteOf(this.base, this.layer, this.unit, part);
    if (turn !== this.turn || this.parts.value !== part) return;
    this.exemplars.show({ record: found.record, sprite }, part);
    this.paint();
  }

  // Whose heads are shown: the one chosen before, else the captioner with most heads.
  choose(record) {
    const most = [...record.captions].sort((a, b) => b.heads.length - a.heads.length)[0];
    const caption = record.captions.find((entry) => entry.captioner === this.captioner) ?? most;
    this.choice.replaceChildren(...record.captions.map((entry) => element("button", {
      type: "button", "aria-pressed": String(entry === caption),
      onclick: () => { this.captioner = entry.captioner; this.pinned = null; this.choose(record); this.paint(); },
    }, entry.captioner)));
    this.headCard.hidden = !caption;
    if (caption) this.heads.show(this.shown, caption);
  }

  setMode(mode) {
    this.mode = mode;
    this.pinned = null;
    this.paint();
  }

  onWord(word, kind) {
    if (kind === "pin") this.pinned = sameWord(this.pinned, word) ? null : word;
    else this.hovered = word;
    this.paint();
  }

  paint() {
    const started = performance.now();
    const word = this.hovered ?? this.pinned;
    const range = this.exemplars.paint(this.mode, this.opacity, this.exemplars.part === "top" ? word : null);
    this.heads.paint(0.75, word);
    this.heads.mark(this.pinned);
    for (const [mode, button] of Object.entries(this.modes)) button.setAttribute("aria-pressed", String(!word && mode === this.mode));
    for (const { words, caption, head } of this.captionCards ?? []) {
      words.forEach((button, i) => {
        button.classList.toggle("on", word?.caption === caption && word.index === i);
        if (head) button.setAttribute("aria-pressed", String(sameWord(this.pinned, { caption, head, index: i })));
      });
    }
    this.explain(this.exemplars.part === "top" ? word : null, range);
    this.root.dataset.script = (performance.now() - started).toFixed(2);
  }

  explain(word, range) {
    const ramp = range && (word || this.mode === "heat");
    const parts = ramp ? [element("span", {}, this.value(word, range.low)), bar(), element("span", {}, this.value(word, range.high))] : [];
    this.scale.replaceChildren(...parts, element("span", { class: "meaning" }, this.meaning(word)));
  }

  // A weight says little by itself: it is shown as a multiple of what even attention would give a region.
  value(word, level) {
    return word ? `${figure(level * word.head.step[word.index] * volume(word.head.grid), 1)}× even` : figure(level);
  }

  meaning(word) {
    if (word) return `attention of ${describeWord(word)}, smoothed; colours on a square-root scale`;
    const maps = this.shown?.record.maps[this.exemplars.part];
    if (!this.exemplars.count) return "This unit has no exemplars.";
    if (!maps) return "Activation maps were not kept.";
    const source = `upsampled from ${maps.grid[1]} × ${maps.grid[2]}`;
    if (this.mode === "mask") return `outlined: activation above ${figure(this.shown.record.statistics.threshold)} (threshold), ${source}; number: peak`;
    return this.mode === "heat" ? `activation, ${source}; number: peak` : "number: peak activation";
  }

  key(event) {
    if (!this.root.isConnected || isTyping(event) || this.full.open || this.keys.open) return;
    const actions = { j: () => this.step(1), k: () => this.step(-1), "?": () => this.keys.showModal(),
      ...Object.fromEntries(Object.entries(MODES).map(([mode, [, key]]) => [key, () => this.setMode(mode)])) };
    if (this.pinned) {
      Object.assign(actions, { escape: () => this.onWord(this.pinned, "pin"),
        arrowright: () => this.turnWord(1), arrowleft: () => this.turnWord(-1) });
    }
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  }

  turnWord(by) {
    const { caption, head, index } = this.pinned;
    const count = caption.words.length;
    this.pinned = { caption, head, index: (index + by + count) % count };
    this.hovered = null;
    this.paint();
  }

  link() {
    const link = new URL(location.pathname, location.origin);
    link.search = new URLSearchParams({ d: this.dissection, layer: this.layer, unit: this.unit });
    return link.href;
  }

  async copyText(button, text) {
    const name = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      window.prompt(name, text);
    }
    setTimeout(() => { button.textContent = name; }, 1500);
  }

  open(index) {
    const word = this.exemplars.part === "top" ? this.hovered ?? this.pinned : null;
    showFullSize(this.full, this.exemplars, index, { word, mode: this.mode, opacity: this.opacity, value: (level) => this.value(word, level) });
  }

  close() {
    clearTimeout(this.settled);
    this.sizes.disconnect();
    document.removeEventListener("keydown", this.onKey);
  }
}

// What a reviewer may see before judging: nothing that anybody said of the unit.
function withoutWords(record) {
  return { ...record, captions: [], references: [] };
}

function bar() {
  const made = element("span", { class: "ramp", role: "img", "aria-label": "colour scale, dark is low, yellow is high" });
  made.style.background = RAMP;
  return made;
}

function sameWord(one, other) {
  return Boolean(one && other) && one.caption === other.caption && one.head === other.head && one.index === other.index;
}

function isDark(root) {
  const [red, green, blue] = getComputedStyle(root).backgroundColor.match(/[\d.]+/g).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

const views = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".neuron");
  if (!root || !data) return undefined;
  if (!views.has(root)) views.set(root, new View(root));
  root.dataset.dark = String(isDark(root));
  views.get(root).receive(data, setStateValue);
  return () => {
    views.get(root)?.close();
    views.delete(root);
  };
}
