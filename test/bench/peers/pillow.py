"""Every picture decoded once, to WebP of 1200, 600 and 150 pixels across.

Arguments: folder, out, processes, and what makes each variant of the whole picture, `resize` or `thumbnail`; or `draft`,
to let the JPEG decoder scale down as far as the largest variant allows and make the smaller ones of it.
"""

import os
import sys
from multiprocessing import Pool

from PIL import Image, ImageOps

WIDTHS = (("large", 1200), ("medium", 600), ("thumbnail", 150))
folder, out, processes, mode = sys.argv[1:]


def make(name):
    with Image.open(os.path.join(folder, name)) as image:
        turned = image.getexif().get(0x0112, 1) > 4
        width, height = reversed(image.size) if turned else image.size
        least = sized(width, height, 1200)
        if mode == "draft":
            image.draft("RGB", least[::-1] if turned else least)
        pixels = ImageOps.exif_transpose(image).convert("RGB")
    for variant, most in WIDTHS:
        size = sized(width, height, most)
        if mode == "thumbnail":
            scaled = pixels.copy()
            scaled.thumbnail((most, height))
        else:
            scaled = pixels if pixels.size == size else pixels.resize(size, Image.LANCZOS)
        scaled.save(os.path.join(out, f"{os.path.splitext(name)[0]}_{variant}.webp"), quality=85, method=4)
        if mode == "draft" and variant == "large":
            pixels = scaled


def sized(width, height, most):
    across = min(most, width)
    return across, max(1, int(height * across / width + 0.5))


if __name__ == "__main__":
    names = [name for name in os.listdir(folder) if name.lower().endswith((".jpg", ".jpeg"))]
    names.sort(key=lambda name: -os.path.getsize(os.path.join(folder, name)))
    with Pool(int(processes)) as pool:
        for _ in pool.imap_unordered(make, names):
            pass
