// Build elements. Text goes in as text, never as markup: captions and file names come from outside.

export function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const MISSING = "not computed";
export const NOT_STORED = "not stored; caption again to have it";

// A number with about four figures; a missing one has its own words.
export function figure(value, digits = 2) {
  if (value === null || value === undefined) return MISSING;
  if (value !== 0 && (Math.abs(value) < 0.01 || Math.abs(value) >= 1e5)) return value.toExponential(1);
  return value.toFixed(digits).replace("-", "−");
}

export function percent(value) {
  return value === null || value === undefined ? MISSING : `${Math.round(value * 100)} %`;
}

// Typing in a field is not a shortcut.
export function isTyping(event) {
  const target = event.composedPath()[0];
  return event.ctrlKey || event.metaKey || event.altKey || target.isContentEditable ||
    (["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) && target.type !== "range");
}
