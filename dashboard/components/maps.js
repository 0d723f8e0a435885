// From stored bytes to scalars on the screen's own pixels. Values are interpolated, colours never are.

export function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const HALVES = Float32Array.from({ length: 65536 }, (_, half) => halfToFloat(half));

export function halves(text) {
  const raw = bytesOf(text);
  const values = new Float32Array(raw.length / 2);
  for (let i = 0; i < values.length; i++) values[i] = HALVES[raw[2 * i] | (raw[2 * i + 1] << 8)];
  return values;
}

// For each of `size` pixels, how much of which two cells it shows: bilinear, half-pixel centres (align_corners=False).
function taps(cells, size) {
  const low = new Int32Array(size);
  const high = new Int32Array(size);
  const share = new Float32Array(size);
  for (let pixel = 0; pixel < size; pixel++) {
    const place = Math.max(0, ((pixel + 0.5) * cells) / size - 0.5);
    low[pixel] = Math.min(cells - 1, Math.floor(place));
    high[pixel] = Math.min(cells - 1, low[pixel] + 1);
    share[pixel] = Math.min(1, place - low[pixel]);
  }
  return { low, high, share };
}

const kept = new Map();

function once(name, make) {
  if (!kept.has(name)) {
    if (kept.size > 64) kept.clear();
    kept.set(name, make());
  }
  return kept.get(name);
}

// Upsample one map (height × width, from `offset` in `values`) into `out`, size × size.
export function bilinear(values, offset, height, width, size, out) {
  const rows = once(`t${height}/${size}`, () => taps(height, size));
  const columns = once(`t${width}/${size}`, () => taps(width, size));
  const line = new Float32Array(width);
  for (let y = 0, at = 0; y < size; y++) {
    const top = offset + rows.low[y] * width;
    const bottom = offset + rows.high[y] * width;
    const down = rows.share[y];
    for (let x = 0; x < width; x++) line[x] = values[top + x] + (values[bottom + x] - values[top + x]) * down;
    for (let x = 0; x < size; x++, at++) {
      const left = line[columns.low[x]];
      out[at] = left + (line[columns.high[x]] - left) * columns.share[x];
    }
  }
  return true;
}

// Show, Attend and Tell, section 5.4: upsample, then a Gaussian. Theirs is 20 pixels at 24 a cell; 5/6 of a cell.
const SIGMA_CELLS = 20 / 24;

// Both steps are linear and separable, so one matrix (size × cells) does them; edges are mirrored.
function gaussianOfBilinear(cells, size) {
  const { low, high, share } = taps(cells, size);
  const sigma = (SIGMA_CELLS * size) / cells;
  const reach = Math.ceil(3 * sigma);
  const kernel = Float32Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  const matrix = new Float32Array(size * cells);
  for (let pixel = 0; pixel < size; pixel++) {
    for (let step = -reach; step <= reach; step++) {
      const source = mirrored(pixel + step, size);
      const weight = kernel[step + reach] / total;
      matrix[pixel * cells + low[source]] += weight * (1 - share[source]);
      matrix[pixel * cells + high[source]] += weight * share[source];
    }
  }
  return matrix;
}

function mirrored(index, size) {
  const period = 2 * size;
  const wrapped = ((index % period) + period) % period;
  return wrapped < size ? wrapped : period - 1 - wrapped;
}

// As `bilinear`, smoothed for attention. Most exemplars get none of a word's: they need no arithmetic, and get false.
export function smooth(values, offset, height, width, size, out) {
  out.fill(0, 0, size * size);
  if (values.subarray(offset, offset + height * width).every((value) => value === 0)) return false;
  const rows = once(`g${height}/${size}`, () => gaussianOfBilinear(height, size));
  const columns = once(`g${width}/${size}`, () => gaussianOfBilinear(width, size));
  const wide = new Float32Array(height * size); // (height, size)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < size; x++) {
      let sum = 0;
      for (let cell = 0; cell < width; cell++) sum += values[offset + y * width + cell] * columns[x * width + cell];
      wide[y * size + x] = sum;
    }
  }
  for (let y = 0; y < size; y++) {
    for (let cell = 0; cell < height; cell++) {
      const weight = rows[y * height + cell];
      if (weight < 1e-5) continue;
      for (let x = 0, at = y * size, from = cell * size; x < size; x++) out[at + x] += weight * wide[from + x];
    }
  }
  return true;
}

// Upsample all of a unit's maps at once; returns them one after the other with their lowest and highest value, and
// which of them are zero everywhere.
export function upsampledAll(values, offset, [count, height, width], size, method) {
  const all = new Float32Array(count * size * size);
  const empty = [];
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < count; i++) {
    const one = all.subarray(i * size * size, (i + 1) * size * size);
    empty[i] = !method(values, offset + i * height * width, height, width, size, one);
    for (const value of empty[i] ? [0] : one) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return { all, empty, low, high };
}
