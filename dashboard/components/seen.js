// What a captioner says of a whole image, and where it looked for each word: Xu et al. 2015, figure 2.

import { NOT_STORED, element, figure } from "./element.js";
import { RAMP } from "./colour.js";
import { Layer, coloured, fitted, volume } from "./exemplars.js";
import { headName } from "./heads.js";
import { bytesOf, smooth } from "./maps.js";

const SIDE = 128;

class Seen {
  constructor(root) {
    this.root = root;
    this.layer = new Layer();
    this.words = element("div", { class: "words" });
    this.choice = element("span", { class: "segments", role: "group", "aria-label": "Head" });
    this.said = element("p", { class: "spoken" });
    this.facts = element("p", { class: "quiet" });
    root.replaceChildren(element("header", {}, this.said, this.choice), this.facts, this.words);
  }

  async receive({ image, caption }) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const picture = new Image();
    picture.src = image;
    await picture.decode();
    if (turn !== this.turn) return;
    this.picture = picture;
    this.caption = caption;
    this.said.textContent = caption.words.join(" ") || "The captioner said nothing.";
    const gate = caption.gate?.length ? "β: how much of what is attended to is let in" : `β ${NOT_STORED}`;
    const source = caption.simulated ? `${caption.captioner} (simulated)` : caption.captioner;
    this.facts.replaceChildren(`${source} · log p ${figure(caption.log_p_given_exemplars)} · ${gate} · attention is not proof of cause · nowhere `,
      this.ramp(), "the most that any word looked anywhere");
    this.head = caption.heads.find(({ head }) => head === this.head?.head) ?? caption.heads.at(-1);
    this.draw();
  }

  ramp() {
    const made = element("span", { class: "ramp", role: "img", "aria-label": "colour scale, dark is low, yellow is high" });
    made.style.background = RAMP;
    return made;
  }

  draw() {
    const { heads, words } = this.caption;
    this.choice.hidden = heads.length < 2;
    this.choice.replaceChildren(...heads.map((head) => element("button", { type: "button", "aria-pressed": String(head === this.head),
      onclick: () => { this.head = head; this.draw(); } }, headName(head.head))));
    this.words.replaceChildren(...words.map((text, index) => this.word(text, index)));
    this.root.dataset.ready = String(words.length);
  }

  word(text, index) {
    const canvas = element("canvas", { role: "img", "aria-label": `where it looked for “${text}”` });
    const size = fitted(canvas, SIDE);
    const context = canvas.getContext("2d");
    context.drawImage(this.picture, 0, 0, size, size);
    if (this.head) this.lay(context, index, size);
    const beta = this.caption.gate?.[index];
    return element("figure", {}, canvas, element("figcaption", {}, element("b", {}, text),
      beta === undefined ? null : element("span", { class: "quiet" }, `β ${figure(beta)}`)));
  }

  // One scale for all words, so that a word that looks nowhere stays dark.
  lay(context, index, size) {
    const { grid, levels, step } = this.head;
    const raw = bytesOf(levels);
    const [count, height, width] = grid;
    const weights = Float32Array.from({ length: volume(grid) }, (_, i) => raw[index * count * height * width + i] * step[index]);
    const scalars = new Float32Array(size * size);
    smooth(weights, 0, height, width, size, scalars);
    this.layer.resize(size);
    coloured(scalars, 0, 0, Math.max(...step) * 255, this.layer.pixels);
    this.layer.drawOn(context, 0.72, size);
  }
}

const views = new WeakMap();

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".seen");
  if (!root || !data) return undefined;
  if (!views.has(root)) views.set(root, new Seen(root));
  views.get(root).receive(data);
  return () => views.delete(root);
}
