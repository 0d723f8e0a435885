// Fetch a unit's record and pictures once, keep the last ones, and decode arrays when they arrive.

const KEPT = 64;
const units = new Map();

export function unitAt(base, layer, unit) {
  const key = `${base}/${layer}/${unit}`;
  if (!units.has(key)) {
    if (units.size >= KEPT) units.delete(units.keys().next().value);
    const loading = fetched(new URL(`${base}/${layer.split("/").map(encodeURIComponent).join("/")}/${unit}`, document.baseURI));
    units.set(key, loading.catch((problem) => { units.delete(key); throw problem; }));
  }
  return units.get(key);
}

async function fetched(address) {
  const sprite = picture(`${address.href}.jpg`); // both on their way at once
  const answer = await fetch(`${address.href}.json`);
  if (!answer.ok) throw new Error(await answer.text());
  return decoded(await answer.json(), await sprite);
}

// The picture of another set of a unit's exemplars.
export function spriteOf(base, layer, unit, part) {
  const place = layer.split("/").map(encodeURIComponent).join("/");
  return picture(new URL(`${base}/${place}/${unit}.jpg?set=${encodeURIComponent(part)}`, document.baseURI).href);
}

// The same, where the server sends the data itself because it does not answer our addresses.
export async function unitFrom({ record, sprite }) {
  return decoded(record, sprite ? await picture(sprite) : null);
}

// A unit may have no exemplars: then there is no picture, and the record alone is shown.
async function picture(address) {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
  } catch {
    return null;
  }
  return image;
}

function decoded(record, sprite) {
  for (const maps of Object.values(record.maps)) maps.values = halves(maps.float16);
  for (const caption of record.captions) {
    for (const head of caption.heads) head.values = bytesOf(head.levels);
  }
  return { record, sprite };
}
