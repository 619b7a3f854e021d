"""The registry of operations."""

from __future__ import annotations

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from courier.images import arguments, contact_sheet, effects, logo, transforms, watermark
from courier.images.arguments import FITS, GRAVITIES, LINEAR, SAMPLINGS, Size, Values
from courier.images.formats import WRITTEN
from courier.images.geometry import planned_size, thumbnail_size, turned
from courier.images.operation import Box, Operation, always
from courier.text import one_of


def _rotated_size(size: Box, values: Values) -> Box:
    return turned(size, values["degrees"]) if values["degrees"] % 90 else size


def _bordered_size(size: Box, values: Values) -> Box:
    return size[0] + 2 * values["width"], size[1] + 2 * values["width"]


def _exactly(size: Box, values: Values) -> Values | None:
    """Return the arguments of a resize to the exact result size of a resize or thumbnail of an image of `size`."""
    # A reduced decode does not average in linear light.
    if values.get("fit") == "contain" or LINEAR in values:
        return None
    width, height = (planned_size if "fit" in values else thumbnail_size)(size, values)
    fit = "cover" if values.get("fit") == "cover" else "fill"
    return {"gravity": "center", **values, "size": Size(width=width, height=height), "fit": fit}


def _resize_words(_value: str, values: Values) -> list[str]:
    fit, gravity = values["fit"], values["gravity"]
    words = [values["size"].words, *[fit] * (fit != FITS[0]), *[gravity] * (gravity != GRAVITIES[0])]
    return [*words, *[LINEAR] * (LINEAR in values)]


def _written(*, with_quality: bool) -> str:
    return one_of([known.name.lower() for known in WRITTEN if known.has_quality is with_quality])


def _convert_words(_value: str, values: Values) -> list[str]:
    sampling = [SAMPLINGS[values["sampling"]]] if "sampling" in values else []
    limit = [f"max-{values['max_bytes'] / 1_000:.12g}kb"] if "max_bytes" in values else []
    quality = [f"q{values['quality']}"] if values["quality"] else []
    effort = [f"e{values['effort']}"] if "effort" in values else []
    return [*quality, *effort, *limit, *sampling]


_ALL = (
    Operation(
        name="grayscale", help="shades of gray", apply=effects.grayscale, keeps_depth=always, needs_only_gray=True,
    ),
    Operation(
        name="black-and-white", help="black and white dots (dithered)", apply=effects.black_and_white, target="PNG",
        opaque_note="its transparency became white: black and white has none",
    ),
    Operation(name="sepia", help="brown tones of old photographs", apply=effects.on_color(effects.sepia)),
    Operation(name="negate", help="replace every color by its opposite", apply=effects.on_color(ImageOps.invert)),
    Operation(
        name="posterize", value="[BITS]", example="1", help="reduce each color to a number of bits (3)",
        read=arguments.whole("bits", 1, 8, 3), apply=effects.with_value(ImageOps.posterize, "bits"),
    ),
    Operation(
        name="solarize", value="[LEVEL]", help="negate what is brighter (128)",
        read=arguments.whole("threshold", 0, 255, 128), apply=effects.with_value(ImageOps.solarize, "threshold"),
    ),
    Operation(name="equalize", help="spread brightness evenly", apply=effects.on_histogram(ImageOps.equalize)),
    Operation(
        name="normalize", help="stretch from black to white",
        apply=effects.on_histogram(ImageOps.autocontrast),
    ),
    Operation(
        name="brightness", value="FACTOR", example="1.6", help="brighter above 1, darker below",
        read=arguments.number("factor", 0, 10), apply=effects.enhanced(ImageEnhance.Brightness),
    ),
    Operation(
        name="contrast", value="FACTOR", example="0.4", help="more contrast above 1, less below",
        read=arguments.number("factor", 0, 10), apply=effects.contrast,
    ),
    Operation(
        name="saturation", value="FACTOR", example="0.2", help="more color above 1, none at 0",
        read=arguments.number("factor", 0, 10), apply=effects.enhanced(ImageEnhance.Color),
    ),
    Operation(
        name="blur", value="[RADIUS]", example="3", help="Gaussian blur, in pixels (2)",
        read=arguments.number("radius", 0.1, 100, 2), apply=effects.blur,
    ),
    Operation(
        name="sharpen", value="[PERCENT]", example="400", help="unsharp mask (150)",
        read=arguments.whole("percent", 1, 1_000, 150), apply=effects.on_neighbors(effects.sharpen),
    ),
    Operation(name="edges", help="edges only", apply=effects.filtered(ImageFilter.FIND_EDGES)),
    Operation(name="emboss", help="as if embossed in metal", apply=effects.filtered(ImageFilter.EMBOSS)),
    Operation(name="contour", help="outlines on white", apply=effects.filtered(ImageFilter.CONTOUR)),
    Operation(
        name="vignette", value="[PERCENT]", help="darker toward the corners, in percent (60)",
        read=arguments.whole("percent", 1, 100, 60), apply=effects.with_value(effects.vignette, "percent"),
    ),
    Operation(
        name="rotate", value="DEGREES[:COLOR]", example="20:gold", help="clockwise; corners in a color",
        read=arguments.rotate, apply=transforms.rotate, size=_rotated_size,
        keeps_color=True, keeps_depth=lambda values: values["degrees"] % 90 == 0,
    ),
    Operation(
        name="flip", help="upside down, as in water", keeps_color=True, keeps_depth=always,
        apply=lambda image, _values: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    ),
    Operation(
        name="flop", help="left to right, as in a mirror", keeps_color=True, keeps_depth=always,
        apply=lambda image, _values: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    ),
    Operation(
        name="crop", value="WxH[+X+Y|:GRAVITY]", example="60x50", help="cut out a part, from the middle or at X, Y",
        read=arguments.crop, apply=transforms.crop, keeps_color=True, keeps_depth=always,
    ),
    Operation(
        name="resize", value="WxH|N%[:FIT[:GRAVITY]][:linear]", example="60x80:cover",
        help=f"to a size or a part; fit {', '.join(FITS)}; in linear light",
        read=arguments.resize, apply=transforms.resize, size=planned_size, scale=_exactly, words=_resize_words,
        keeps_color=True, keeps_depth=lambda values: LINEAR not in values,
    ),
    Operation(
        name="thumbnail", value="[N|WxH]", example="60", help="to fit into N x N pixels (200), never larger",
        read=arguments.thumbnail, apply=transforms.thumbnail, size=thumbnail_size, scale=_exactly,
        words=lambda value, _values: [f"thumbnail-{value.replace('%', 'pc') or '200'}"],
        keeps_color=True, keeps_depth=always,
    ),
    Operation(
        name="border", value="N[:COLOR]", example="6:navy", help="a frame of N pixels (black)",
        read=arguments.border, apply=transforms.border, size=_bordered_size,
    ),
    Operation(
        name="watermark", value="TEXT[:GRAVITY][:FONT][:SIZE][:COLOR][:OPACITY%]", example="Courier:center",
        help="a line of text; fonts regular, bold, italic; sizes small, medium, large; colors by name or #rrggbb",
        read=watermark.read, apply=watermark.watermark, has_free_text=True,
    ),
    Operation(
        name="strip-metadata", help="remove EXIF, color profile and comments",
        strips_metadata=True, keeps_color=True, keeps_depth=always,
    ),
    Operation(
        name="convert", value="FORMAT[:QUALITY|EFFORT|max-200kB[:444]]", example="jpeg:5",
        help=f"{_written(with_quality=True)}, of quality 1 to 100 or the best that fits in a size; "
        f"{_written(with_quality=False)}; png of effort 1 (fast) to 9 (small)",
        read=arguments.convert, words=_convert_words,
        keeps_color=True, keeps_depth=always,
    ),
)  # fmt: skip
_SHEET = Operation(
    name="contact-sheet", help="what each operation but logo makes of it, side by side",
    apply=contact_sheet.sheet_of(_ALL), size=contact_sheet.size_of(_ALL),
)  # fmt: skip
_LOGO = Operation(
    name="logo", value="FILE[:GRAVITY][:OPACITY%]", example="sample.png",
    help="an image of yours in a corner, of at most a quarter of the width and the height",
    read=logo.read, apply=logo.lay, words=lambda _value, _values: ["logo"], has_free_text=True,
)  # fmt: skip
#: All operations, in the order of the help text.
OPERATIONS: dict[str, Operation] = {known.name: known for known in (*_ALL, _LOGO, _SHEET)}
