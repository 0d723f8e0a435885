// The cards of the neuron view: captions side by side, references, how the unit's activations are spread.

import { element, figure, MISSING, percent } from "./element.js";
import { headName, wordButton } from "./heads.js";

const UNSPOKEN = {
  failed: "Captioning failed for this unit.",
  dead_unit: "No caption: the unit never fires.",
  not_captioned: "Not captioned.",
};

export function badge(text, kind = "") {
  return element("span", { class: `badge ${kind}` }, text);
}

function pairs(entries) {
  return element("dl", { class: "pairs" }, ...entries.map(([name, value, title]) =>
    element("div", { title }, element("dt", {}, name), element("dd", { class: value === MISSING ? "quiet" : null }, value))));
}

// The head whose attention a word of the card shows: the combined one where there are several.
function speaker(caption) {
  return caption.heads.find((head) => head.head === "combined") ?? caption.heads[0];
}

export function captionCard(caption, onWord) {
  const head = speaker(caption);
  const words = caption.words.map((text, index) =>
    head ? wordButton(text, { caption, head, index }, onWord) : element("span", { class: "word" }, text));
  words.forEach((word) => word.classList.toggle("mark", /^[.,;:]$/.test(word.textContent)));
  const text = caption.state === "ok" ? words : [element("span", { class: "quiet" }, UNSPOKEN[caption.state] ?? caption.state)];
  const card = element(
    "article", { class: "card caption", "aria-label": `Caption by ${caption.captioner}` },
    element("header", {}, element("b", {}, caption.captioner), caption.simulated ? badge("simulated", "sim") : null,
      element("span", { class: "figures" }, caption.decoding)),
    element("p", { class: "spoken" }, ...text),
  );
  if (caption.state === "ok") card.append(figures(caption));
  if (caption.alternatives?.length > 1) card.append(alternatives(caption));
  if (caption.warning) card.append(element("p", { class: "warning" }, caption.warning));
  return { card, words, caption, head };
}

function figures(caption) {
  return pairs([
    ["log p(d | E)", figure(caption.log_p_given_exemplars), "natural log, given the exemplars, summed over the words"],
    ["log p(d)", figure(caption.log_p), "natural log, under the captioner's language model"],
    ["PMI", figure(caption.pmi), "log p(d | E) − log p(d); comparable only within one captioner"],
    ["words", String(caption.words.filter((word) => /\w/.test(word)).length)],
  ]);
}

function alternatives(caption) {
  const rows = caption.alternatives.slice(0, 10).map(([text, score]) =>
    element("li", {}, element("span", {}, text), element("span", { class: "figures" }, figure(score))));
  return element("details", { class: "more" }, element("summary", {}, `${rows.length} candidates`), element("ol", {}, ...rows));
}

export function referencesCard(record) {
  const sets = record.references.map(({ set, texts }) => element(
    "div", { class: "references" }, element("h4", {}, set),
    element("ul", {}, ...texts.map((text) => element("li", {}, text))),
  ));
  const source = record.simulated && sets.length ? badge("simulated", "sim") : null;
  return card("References", source, ...(sets.length ? sets : [element("p", { class: "quiet" }, "No references for this unit.")]));
}

function card(title, aside, ...children) {
  return element("section", { class: "card" }, element("header", {}, element("h3", {}, title), aside), ...children);
}

export function activationCard(record) {
  const found = record.statistics;
  const level = record.quantile ? `${Number((record.quantile * 100).toFixed(3))} % quantile` : "quantile";
  const deviation = found.variance === null ? null : Math.sqrt(found.variance);
  return card("Activation", null,
    record.histogram ? histogram(record.histogram, found.threshold) : element("p", { class: "quiet" }, `Histogram ${MISSING}.`),
    pairs([
      ["threshold", figure(found.threshold), level], ["maximum", figure(found.maximum)], ["mean", figure(found.mean)],
      ["std. dev.", figure(deviation)], ["skewness", figure(found.skewness)],
      ["kurtosis", figure(found.kurtosis), "excess: 0 for a normal distribution"], ["positive", percent(found.fraction_positive)],
    ]));
}

const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Counts on a log scale, or the zeros of a rectified unit would hide everything else.
function histogram({ counts, low, high, of }, threshold) {
  const [width, height] = [300, 72];
  const top = Math.log1p(Math.max(1, ...counts));
  const step = width / counts.length;
  const bars = counts.map((count, i) => {
    const tall = (Math.log1p(count) / top) * height;
    const middle = low + ((i + 0.5) * (high - low)) / counts.length;
    const kind = threshold !== null && middle > threshold ? "bar above" : "bar";
    return drawn("rect", { class: kind, x: i * step + 0.4, y: height - tall, width: Math.max(0.5, step - 0.8), height: tall });
  });
  const plot = drawn("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `Histogram of activations from ${figure(low)} to ${figure(high)}, threshold ${figure(threshold)}` }, ...bars);
  const place = threshold === null || high <= low ? null : (threshold - low) / (high - low);
  if (place !== null) plot.append(drawn("line", { class: "threshold", x1: place * width, x2: place * width, y1: 0, y2: height }));
  return element("figure", { class: "histogram" }, plot, element("figcaption", {},
    element("span", {}, figure(low)), element("span", {}, `${of === "peaks" ? "peaks, one an image" : "activations"}, log count; line: threshold`), element("span", {}, figure(high))));
}

const KEYS = [
  ["J / K", "next / previous unit"], ["M  H  P", "mask, heatmap, plain"], ["Tab, Enter", "walk to a word, keep it"],
  ["← →", "step through the words of a kept one"], ["Esc", "let go, close"], ["?", "these keys"],
];

export function keysDialog() {
  const rows = KEYS.map(([key, meaning]) => element("div", {}, element("dt", {}, key), element("dd", {}, meaning)));
  const dialog = element("dialog", { class: "keys", "aria-label": "Keys" }, element("h3", {}, "Keys"), element("dl", {}, ...rows));
  dialog.append(element("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Close"));
  return dialog;
}

export function describeWord({ caption, head, index }) {
  return `${caption.captioner}, ${headName(head.head)} head, “${caption.words[index]}”`;
}
