"""The plot is a whole SVG with a line for each switch, or a PNG of the same."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.tui.crowd_reports import a_report
from tui.crowd import plot as crowd_plot
from tui.crowd.plot import MODEL_LINES, CannotDraw

PNG = b"\x89PNG\r\n\x1a\n"


def test_it_draws_three_curves_and_marks_each_switch_in_the_colour_of_its_model() -> None:
    svg = crowd_plot.draw(a_report())

    paths = ET.fromstring(svg).findall(".//{http://www.w3.org/2000/svg}path")
    dashed = [path.get("stroke") for path in paths if path.get("stroke-dasharray")]
    assert dashed == [MODEL_LINES["process"], MODEL_LINES["thread"]]
    assert len(paths) == 5
    assert "now by process" in svg
    assert "10 ms" in svg


def test_it_draws_a_single_sample() -> None:
    assert crowd_plot.draw(a_report(samples=1))


def test_nothing_delivered_is_nothing_to_plot() -> None:
    with pytest.raises(CannotDraw, match="nothing was delivered"):
        crowd_plot.draw(a_report(samples=0))


@pytest.mark.parametrize("name", ["plot.svg", "plot.SVG"])
def test_it_writes_svg(name: str, tmp_path: Path) -> None:
    crowd_plot.write(a_report(), tmp_path / name)

    assert ET.parse(tmp_path / name).getroot().tag.endswith("svg")


def test_it_writes_png(tmp_path: Path) -> None:
    crowd_plot.write(a_report(), tmp_path / "plot.png")

    assert (tmp_path / "plot.png").read_bytes().startswith(PNG)


def test_png_without_its_library_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)

    with pytest.raises(CannotDraw, match="pip install"):
        crowd_plot.check(Path("plot.png"))


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotDraw, match=r"neither in \.svg nor in \.png"):
        crowd_plot.write(a_report(), tmp_path / "plot.jpeg")
