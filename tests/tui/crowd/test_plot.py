"""The plot is a complete SVG with a line for each switch, or a PNG of it."""

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.tui.crowd_reports import a_report
from tui.crowd import plot as crowd_plot
from tui.crowd.plot import CannotDraw
from tui.style import MODELS

SVG = "{http://www.w3.org/2000/svg}"
PNG = b"\x89PNG\r\n\x1a\n"


def test_it_draws_three_curves_and_names_its_axes() -> None:
    svg = crowd_plot.draw(a_report())

    assert len(ET.fromstring(svg).findall(f".//{SVG}path")) == 3
    for words in ("10 ms", "from being said to being heard", "seconds since the talk began"):
        assert words in svg


def test_plot_has_a_labelled_band_for_each_model() -> None:
    marks = ET.fromstring(crowd_plot.draw(a_report())).find(f".//{SVG}g[@class='models']")

    assert marks is not None
    models = ["event", "process", "thread"]
    assert [band.get("fill") for band in marks.findall(f"{SVG}rect")] == [MODELS[model].light for model in models]
    assert [line.get("stroke") for line in marks.findall(f"{SVG}line")] == [MODELS[model].light for model in models[1:]]
    words = [text.text for text in marks.findall(f"{SVG}text")]
    assert words == ["↻ event", "▣ process", "pause 412 ms", "≋ thread", "pause 112 ms"]


def test_many_switches_are_marked_without_words_over_words() -> None:
    report = a_report()
    report.switches[:] = [replace(report.switches[0], at=0.1 * number) for number in range(99)]

    marks = ET.fromstring(crowd_plot.draw(report)).find(f".//{SVG}g[@class='models']")

    assert marks is not None
    assert not any(text.text for text in marks.findall(f"{SVG}text"))


def test_without_a_switch_no_model_is_named() -> None:
    report = a_report()
    report.switches.clear()

    assert "pause" not in crowd_plot.draw(report)


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


def test_write_into_a_pipe_is_refused_and_never_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plot.svg")
    with pytest.raises(CannotDraw, match="is not a regular file"):
        crowd_plot.write(a_report(), tmp_path / "plot.svg")


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotDraw, match=r"neither in \.svg nor in \.png"):
        crowd_plot.write(a_report(), tmp_path / "plot.jpeg")
