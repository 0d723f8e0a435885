// One row per attention head: the caption's words, where the head looked for each, and what it says when left alone.

import { NOT_STORED, element, figure, percent } from "./element.js";
import { ROOTED } from "./colour.js";
import { Layer, drawTile, fitted, layHeat, volume } from "./exemplars.js";
import { smooth, upsampledAll } from "./maps.js";

const NAMES = { bahdanau: "Bahdanau", luong: "Luong", self: "Self-attention", combined: "Combined" };

export function headName(head) {
  return NAMES[head] ?? head;
}

function mean(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

export class Heads {
  constructor(onWord) {
    this.onWord = onWord; // (word or null, kind) with kind "hover" or "pin"
    this.root = element("div", { class: "heads" });
    this.layer = new Layer();
    this.rows = [];
  }

  show({ sprite }, caption) {
    this.sprite = sprite;
    this.caption = caption;
    this.kept = {};
    this.rows = caption.heads.map((head) => this.row(head));
    this.gate = this.gateRow();
    this.root.replaceChildren(...this.rows.map((row) => row.holder), ...[this.gate?.holder].filter(Boolean));
    if (!this.rows.length) this.root.append(element("p", { class: "quiet" }, this.absence(caption)));
  }

  absence(caption) {
    return caption.state === "ok" ? "This captioner keeps no attention." : "No caption, so no attention.";
  }

  row(head) {
    const words = this.caption.words.map((text, index) => wordButton(text, { caption: this.caption, head, index }, this.onWord));
    words.forEach((button, index) => button.style.setProperty("--share", head.share[index] ?? 0));
    const count = Math.min(head.grid[0], 15);
    const canvases = Array.from({ length: count }, () => element("canvas", { "aria-hidden": "true" }));
    const facts = element("span", { class: "figures" });
    const holder = element(
      "section", { class: `head ${head.head}`, "aria-label": `${headName(head.head)} head` },
      element("header", {}, element("i", { class: "dot" }), element("b", {}, headName(head.head)), facts),
      element("div", { class: "words" }, ...words),
      element("div", { class: "strip" }, ...canvases),
      element("div", { class: "ablated" }, ...this.ablated(head)),
    );
    return { head, words, facts, holder, contexts: canvases.map((canvas) => canvas.getContext("2d")) };
  }

  // What is said with this head alone, and by the others without it.
  ablated(head) {
    if (head.head === "combined") return [];
    const line = (name, words) => element("p", { class: "alone" }, element("span", {}, `${name}: `),
      words.length ? words.join(" ") : element("span", {}, NOT_STORED));
    const others = this.caption.heads.length > 1;
    return [line("alone", head.caption), others ? line("without it", head.without) : null].filter(Boolean);
  }

  // β, how much of the attended context is let into the decoder, word by word. A decoder may have no gate.
  gateRow() {
    const { gate = [], gated, words, state } = this.caption;
    if (state !== "ok" || gated === false || !words.length) return null;
    const facts = element("span", { class: "figures" });
    const shown = gate.length ? words.map((text, index) => element("span", { class: "beta" }, element("span", {}, text),
      element("i", { style: `--beta: ${gate[index] ?? 0}` }), element("span", { class: "figures" }, figure(gate[index])))) : [];
    const holder = element("section", { class: "head gate", "aria-label": "Gate β by word" },
      element("header", {}, element("i", { class: "dot" }), element("b", {}, "Gate β"), facts),
      gate.length ? element("div", { class: "betas" }, ...shown) : element("p", { class: "alone" }, element("span", {}, NOT_STORED)));
    facts.textContent = gate.length ? `mean ${figure(mean(gate))} · how much of what is attended to is let in` : "";
    return { holder, words: shown };
  }

  // A head's weights for one word, or their mean over the words.
  values(head, index) {
    const regions = volume(head.grid);
    if (index !== null) return { values: head.values, offset: index * regions };
    const sum = new Float32Array(regions);
    this.caption.words.forEach((_, word) => {
      for (let i = 0; i < regions; i++) sum[i] += head.values[word * regions + i] * head.step[word];
    });
    return { values: sum, offset: 0 };
  }

  paint(opacity, word) {
    if (!this.rows.length || !this.sprite) return;
    const index = word && word.caption === this.caption ? word.index : null;
    const css = this.rows[0].contexts[0].canvas.clientWidth;
    this.gate?.words.forEach((entry, i) => entry.classList.toggle("on", i === index));
    for (const row of this.rows) {
      this.say(row, word, index);
      const size = fitted(row.contexts[0].canvas, css);
      const key = `${row.head.head}/${index}/${size}`;
      const { values, offset } = this.values(row.head, index);
      this.kept[key] ??= upsampledAll(values, offset, row.head.grid, size, smooth);
      row.contexts.forEach((context, i) => {
        fitted(context.canvas, css);
        drawTile(context, this.sprite, i, size);
        layHeat(context, this.layer, this.kept[key], i, 0, { size, width: size, opacity, palette: ROOTED });
      });
    }
  }

  say({ head, words, facts }, word, index) {
    const share = index === null ? mean(head.share) : head.share[index];
    const overlap = index === null ? mean(head.mask_overlap) : head.mask_overlap[index];
    const entropy = !head.entropy.length ? null : index === null ? mean(head.entropy) : head.entropy[index];
    const shared = head.head === "combined" ? "" : `share ${percent(share)} · `;
    const spread = entropy === null ? "" : ` · entropy ${entropy.toFixed(1)} of ${Math.log(volume(head.grid)).toFixed(1)}`;
    facts.textContent = `${shared}on mask ${percent(overlap)}${spread}`;
    facts.title = spread ? "entropy of the weights in nats, of what even attention would have" : "";
    words.forEach((button, i) => {
      button.classList.toggle("same", i === index);
      button.classList.toggle("on", i === index && word.head === head);
    });
  }

  mark(pinned) {
    for (const { head, words } of this.rows) {
      words.forEach((button, i) => {
        button.setAttribute("aria-pressed", String(Boolean(pinned) && pinned.head === head && pinned.index === i));
      });
    }
  }
}

// A word that shows its attention while it is pointed at or focused, and keeps it when clicked.
export function wordButton(text, word, onWord) {
  return element("button", {
    class: "word", type: "button", "aria-pressed": "false",
    title: "Show where the head looked; click to keep",
    onmouseenter: () => onWord(word, "hover"), onmouseleave: () => onWord(null, "hover"),
    onfocus: () => onWord(word, "hover"), onblur: () => onWord(null, "hover"),
    onclick: () => onWord(word, "pin"),
  }, text);
}
