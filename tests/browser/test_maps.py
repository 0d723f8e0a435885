"""Maps are upsampled as scalars, exactly: the browser's arithmetic against torch and scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from dashboard.scripts import FOLDER

pytestmark = pytest.mark.browser

CALL = """([method, values, height, width, size]) => {
  const out = new Float32Array(size * size);
  window.maps[method](Float32Array.from(values), 0, height, width, size, out);
  return Array.from(out);
}"""


@pytest.fixture(scope="module")
def computed(browser):
    page = browser.new_page()
    text = (FOLDER / "maps.js").read_text() + "\nwindow.maps = { bilinear, smooth, halves };"
    page.add_script_tag(content=text, type="module")
    page.wait_for_function("window.maps !== undefined")
    yield page
    page.close()


def upsampled(values: np.ndarray, size: int) -> np.ndarray:
    """Return what torch makes of it."""
    interpolated = torch.nn.functional.interpolate(
        torch.from_numpy(values)[None, None], size=(size, size), mode="bilinear", align_corners=False
    )
    return interpolated[0, 0].numpy()


@pytest.mark.parametrize(
    ("height", "width", "size"), [(7, 7, 112), (14, 14, 113), (56, 56, 118), (1, 1, 20), (3, 9, 50)]
)
def test_bilinear_is_torchs_half_pixel_bilinear(computed, height, width, size):
    values = np.random.default_rng(height * size).normal(size=(height, width)).astype(np.float32)
    found = computed.evaluate(CALL, ["bilinear", values.ravel().tolist(), height, width, size])
    assert np.reshape(found, (size, size)) == pytest.approx(upsampled(values, size), abs=2e-5)


@pytest.mark.parametrize(("cells", "size"), [(7, 112), (14, 56), (1, 30)])
def test_smooth_is_bilinear_then_a_gaussian_of_twenty_pixels_at_twentyfour_a_cell(computed, cells, size):
    values = np.random.default_rng(cells).random((cells, cells)).astype(np.float32)
    found = computed.evaluate(CALL, ["smooth", values.ravel().tolist(), cells, cells, size])
    sigma = 20 / 24 * size / cells
    reach = int(np.ceil(3 * sigma))
    expected = upsampled(values, size).astype(np.float64)
    for axis in (0, 1):
        expected = gaussian_filter1d(expected, sigma, axis=axis, mode="reflect", radius=reach)
    assert np.reshape(found, (size, size)) == pytest.approx(expected, abs=1e-4)


def test_half_floats_are_read_to_the_bit(computed):
    raw = np.arange(65536, dtype="<u2")
    text = __import__("base64").b64encode(raw.tobytes()).decode()
    found = computed.evaluate("(text) => Array.from(window.maps.halves(text), (v) => Number.isFinite(v) ? v : 0)", text)
    expected = raw.view("<f2").astype(np.float64)
    assert (np.array(found) == np.where(np.isfinite(expected), expected, 0)).all()
