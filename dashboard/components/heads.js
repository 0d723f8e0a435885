// One row per attention head: the caption's words, where the head looked for each, and what it says when left alone.

import { element, percent } from "./element.js";
import { ROOTED } from "./colour.js";
import { Layer, coloured, drawTile, fitted, volume } from "./exemplars.js";
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
    this.root.replaceChildren(...this.rows.map((row) => row.holder));
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
    const alone = head.caption.length ? head.caption.join(" ") : "not computed";
    const holder = element(
      "section", { class: `head ${head.head}`, "aria-label": `${headName(head.head)} head` },
      element("header", {}, element("i", { class: "dot" }), element("b", {}, headName(head.head)), facts),
      element("div", { class: "words" }, ...words),
      element("div", { class: "strip" }, ...canvases),
      head.head === "combined" ? null : element("p", { class: "alone" }, element("span", {}, "alone: "), alone),
    );
    return { head, words, facts, holder, contexts: canvases.map((canvas) => canvas.getContext("2d")) };
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
    for (const row of this.rows) {
      this.say(row, word, index);
      const size = fitted(row.contexts[0].canvas, css);
      const key = `${row.head.head}/${index}/${size}`;
      const { values, offset } = this.values(row.head, index);
      this.kept[key] ??= upsampledAll(values, offset, row.head.grid, size, smooth);
      this.layer.resize(size);
      row.contexts.forEach((context, i) => {
        fitted(context.canvas, css);
        drawTile(context, this.sprite, i, size);
        coloured(this.kept[key].all, i * size * size, 0, this.kept[key].high, this.layer.pixels, ROOTED);
        this.layer.drawOn(context, opacity, size);
      });
    }
  }

  say({ head, words, facts }, word, index) {
    const share = index === null ? mean(head.share) : head.share[index];
    const overlap = index === null ? mean(head.mask_overlap) : head.mask_overlap[index];
    const shared = head.head === "combined" ? "" : `share ${percent(share)} · `;
    facts.textContent = `${shared}on mask ${percent(overlap)}`;
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
