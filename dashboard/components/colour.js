// One colour scale for every map: inferno (Smith and van der Walt 2015), even in lightness, safe for colour-blind eyes.

const STOPS = [
  [0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85],
  [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164],
];

function colourAt(share) {
  const place = share * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(place));
  return [0, 1, 2].map((c) => Math.round(STOPS[low][c] + (STOPS[low + 1][c] - STOPS[low][c]) * (place - low)));
}

// 256 colours, packed as the canvas stores them. Low values let more of the picture through.
function paletteOf(alphaAt) {
  const bytes = new Uint8ClampedArray(1024);
  for (let level = 0; level < 256; level++) bytes.set([...colourAt(level / 255), alphaAt(level / 255)], level * 4);
  return new Uint32Array(bytes.buffer);
}

export const PALETTE = paletteOf((share) => 255 * Math.min(1, 0.25 + 1.2 * share));
// The same colours on a square-root scale, finer at its low end: for attention, which is peaked, so that on a linear
// scale all but a few regions would be dark.
export const ROOTED = Uint32Array.from({ length: 1024 }, (_, level) => PALETTE[Math.round(255 * Math.sqrt(level / 1023))]);
export const RAMP = `linear-gradient(90deg, ${STOPS.map((stop) => `rgb(${stop.join(",")})`).join(", ")})`;

function packed(red, green, blue, alpha) {
  return new Uint32Array(new Uint8ClampedArray([red, green, blue, alpha]).buffer)[0];
}

export const OUTLINE = packed(255, 214, 10, 255);
export const SHADE = packed(8, 9, 14, 255);
