"""Make a screenshot small enough to keep: WebP by Pillow, scaled down where it is wide."""

from io import BytesIO

from PIL import Image

WIDEST = 880
QUALITY = 45


def smaller(png: bytes) -> bytes:
    """Return a picture as a small WebP."""
    image = Image.open(BytesIO(png)).convert("RGB")
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)
    out = BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=6)
    return out.getvalue()
