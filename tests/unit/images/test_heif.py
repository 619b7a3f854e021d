"""HEIC where pillow-heif is installed, which the tests do not ask for; and what is said where it is not."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images import probe
from courier.images.formats import FORMATS, HEIF, READS_HEIF, named_by
from courier.images.probe import Bounds
from courier.images.processor import Processed, process
from courier.images.sources import find_sources

BOUNDS = Bounds(megapixels=50, frames=300)
#: 32 x 16 pixels, blue on the left and red on the right, to be turned by 90 degrees; EXIF data have a maker.
HEIC = base64.b85decode(
    "0000SW^{RQXk}?*00000ZE0pPXk}?*ZE0a<0005UZDn*}000000000XXk=`10000000000aA{+700000000000000000000G-+&aV*mg"
    "E07O6l0ssL300001>i_`&000000080u0ssI200PYb0RR9100000HUIzsIB98aW&i*H00062000$fZf0cy000000RRAKc4ILB0000LX>M"
    "j^0ssI300IC2MR;ju000004sdC7Z2$lO00031009PRaB^?}008A_aAR)(004Dpc4I>U18@KU0FVFx0000U@BsY%`1k+-4+CHT0RR|40S"
    "p2E{{wIU00RJ!0009300RIXx&lC90096gLID8-Z~y=U0FVFx0{{R603M(qfd!W8uA1iHA)vs3000bt00093gkk^z00u+>!E?ch0000JV"
    "{dG7ZewhC0096E00w{n000zeb8uw<00000002M$002M$001asY+-N!001BW00031000mG00061|Nr0s00092|Nqbc00062000nhX?SS>"
    "000032nYxO000STa&L440000PX>e^}0000000001009Pp0s{qvh5!Hn8fkK6W&i*H000004r63<V*mmG0RRC200AIvWMOmw007=70j~+"
    "jXa4RvBUgX_?h*b+^XEVRzWa*2ezgbx`jFYb@&-@kI{!fK+C=D<$1W~R1QB}#j>DF*%a|%&rGUhPv&Md1e3+bc563_mdVnr?+wNGwJtH"
    "DD_=e(w<rCQoq0>BhW$42{lItXtSXT)v%5(#XXGp_G0Aug~@cA@6U;r8>M_xaCh(Jd@(;9Tqg(TfcS{t-yY(F;;Svyp{cR-?X5u>luE0"
    "OJ}d}z5<ro3EPVh2+L+=bL6(S3$w{{{Nr*Qq%Y;gdvP0A}ayv!H~{)kL7Cmg3;YfB*mh21R&jW&i+9O#mtY000O80s#*I0ssI21^@s6C"
    "IJ!v0{{R30RRR70000008L?QWpV%"
)
needs_package = pytest.mark.skipif(not READS_HEIF, reason="pillow-heif is an extra")


def processed(content: bytes, operations: str) -> Processed:
    return process(io.BytesIO(content), name="a.heic", operations=operations, bounds=BOUNDS)


@needs_package
def test_a_heic_becomes_an_upright_jpeg_and_keeps_its_exif_data() -> None:
    made = processed(HEIC, "strip-metadata")
    kept = Image.open(io.BytesIO(processed(HEIC, "saturation=1").content))

    assert (made.name, made.media_type) == ("a.heic.strip-metadata.jpg", "image/jpeg")
    assert (made.width, made.height) == (16, 32)
    image = Image.open(io.BytesIO(made.content))
    is_bright = [[level > 150 for level in image.crop((8, y, 9, y + 1)).tobytes()] for y in (6, 26)]
    assert is_bright == [[False, False, True], [True, False, False]]
    exif = kept.getexif()
    assert (exif[0x10F], exif.get(0x112, 1)) == ("Maker", 1)


@needs_package
def test_a_heic_is_sized_before_it_is_decoded() -> None:
    with pytest.raises(NotAnImage) as caught:
        process(io.BytesIO(HEIC), name="a.heic", operations="flip", bounds=Bounds(megapixels=0.0001, frames=1))

    assert caught.value.reason == Reason.TOO_LARGE


@needs_package
@pytest.mark.parametrize("length", [40, 300, len(HEIC) - 150, len(HEIC) - 1])
def test_a_heic_that_is_cut_short_is_damaged(length: int) -> None:
    with pytest.raises(NotAnImage) as caught:
        processed(HEIC[:length], "flip")

    assert caught.value.reason == Reason.CORRUPT


@pytest.mark.skipif(READS_HEIF, reason="pillow-heif is installed")
def test_without_the_package_a_heic_is_called_that_and_the_hint_says_what_to_install() -> None:
    with pytest.raises(NotAnImage, match="This is a HEIC image") as caught:
        processed(HEIC, "flip")

    assert caught.value.reason == Reason.UNSUPPORTED_FORMAT
    assert "pillow-heif" in caught.value.hint
    assert named_by(".heic") is None


def test_with_the_package_a_broken_heic_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, HEIF.name, HEIF)

    error = probe._unknown(io.BytesIO(HEIC[:100]))

    assert error.message.startswith("This is a HEIC image that cannot be read")
    assert error.reason == Reason.CORRUPT


@pytest.mark.parametrize(("reads", "is_taken"), [(True, True), (False, False)])
def test_a_folder_s_heic_is_taken_where_it_can_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, reads: bool, is_taken: bool
) -> None:
    monkeypatch.delitem(FORMATS, HEIF.name, raising=False)
    if reads:
        monkeypatch.setitem(FORMATS, HEIF.name, HEIF)
    for name in ("a.HEIC", "b.png"):
        (tmp_path / name).write_bytes(b"")

    sources = find_sources([str(tmp_path)])

    assert ("a.HEIC" in [Path(source.path).name for source in sources.found]) is is_taken
    assert is_taken or "without the package pillow-heif" in sources.notes()[0]
