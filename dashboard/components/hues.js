// Colours for points: ordered layers and figures on viridis (even in lightness), groups on Tol's muted set and its like.

const VIRIDIS = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [240, 229, 60]];
const APART = [[51, 102, 204], [221, 119, 40], [34, 150, 110], [204, 62, 80], [136, 92, 190], [150, 110, 60], [214, 90, 170],
  [90, 160, 220], [170, 160, 40], [40, 120, 130], [240, 150, 130], [110, 130, 80]];
export const NOTHING = [128, 132, 145];

// The ends of the ramp are left out: one cannot be seen on a dark page, the other on a light one.
function along(share) {
  const place = (0.2 + 0.72 * Math.min(1, Math.max(0, share))) * (VIRIDIS.length - 1), low = Math.min(VIRIDIS.length - 2, Math.floor(place));
  return [0, 1, 2].map((c) => Math.round(VIRIDIS[low][c] + (VIRIDIS[low + 1][c] - VIRIDIS[low][c]) * (place - low)));
}

export const RAMP_OF_FIGURES = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map((share) => `rgb(${along(share).join(",")})`).join(", ")})`;

// A colour for each name: along the ramp where the names have an order, else as far apart as can be.
export function coloursOf(names, ordered) {
  return names.map((_, i) => (ordered ? along(names.length > 1 ? i / (names.length - 1) : 0.5) : APART[i % APART.length]));
}

// A figure's colours between its 2nd and 98th percentile, counts by their logarithm; those that have none are grey.
export function colouredFigures(values, counts) {
  const scaled = counts ? Math.log : (value) => value;
  const known = Float32Array.from(values).filter(Number.isFinite).sort();
  const [low, high] = [0.02, 0.98].map((share) => known[Math.floor(share * (known.length - 1))] ?? 0);
  const colours = Array.from(values, (value) => (Number.isFinite(value) ? along(high > low ? (scaled(value) - scaled(low)) / (scaled(high) - scaled(low)) : 0.5) : NOTHING));
  return { colours, low, high };
}
