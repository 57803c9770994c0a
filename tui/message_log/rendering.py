"""Renders rows of the pane as Strips. RowCache keeps them until their look changes.

Text of others becomes segments unchanged, and is never read as markup.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.selection import Selection
from textual.strip import Strip

from tui.message_log.entries import PEOPLE, Entry, Flag, Kind, links
from tui.message_log.layout import Columns, Row, cells, rows
from tui.message_log.search import Search
from tui.message_log.selection import HEADER, beside_x, point, row_x
from tui.message_log.store import EntryStore
from tui.style import MODELS, RGB, is_dark, nick_colour, parse_colour, readable

Layer = list[tuple[int, int, Style]]
"""Ranges of an entry's text with the style that is added there, in order and without overlap."""

MENTION_BAR = "▌"
NOTHING = Style.null()
MAX_CACHED_ENTRIES = 1024
"""Entries whose rows are kept: several screens."""


class ThemeStyles(NamedTuple):
    """The styles of the theme. `roles` has a style for each role of `layout`; `text` is for all other roles."""

    text: Style
    roles: dict[str, Style]
    link: Style
    match: Style
    current: Style
    selection: Style
    mention: Style
    mention_bar: Style
    background: RGB


def switch_styles(base: Style, background: RGB) -> dict[str, Style]:
    """The style of each model's switch line, readable on `background`."""
    dark = is_dark(background)
    styles = {}
    for model, one in MODELS.items():
        colour = readable(parse_colour(one.dark if dark else one.light), background)
        styles[f"switch-{model}"] = base + Style(color=colour, bold=True)
    return styles


def layers(entry: Entry, shown: int, styles: ThemeStyles) -> list[Layer]:
    """The styles within the first `shown` characters of the text: the nickname in an action, and links."""
    made: list[Layer] = []
    if entry.kind is Kind.ACTION:
        style = _nick_style(entry, styles)
        # Without its background: the row may be tinted.
        made.append([(0, len(entry.nick), Style(color=style.color, bold=style.bold, italic=style.italic))])
    if entry.kind in PEOPLE or entry.kind is Kind.NOTICE:
        found = links(entry.text[:shown])
        made.append([(link.start, link.end, styles.link + Style(meta={"url": link.url})) for link in found])
    return made


def render_row(
    entry: Entry,
    serial: int,
    row: Row,
    width: int,
    styles: ThemeStyles,
    over: Sequence[Layer] = (),
    selected: tuple[int, int] | None = None,
    nick_style: Style = NOTHING,
) -> Strip:
    """The row, exactly `width` cells wide, with the layers `over` it. The segments have their positions in the entry's
    text as meta data, for selection. `selected` is a range of that text, which begins with HEADER if the nickname is
    selected too. `nick_style` is added to the style of the nickname."""
    base = styles.roles.get(row.role, styles.text)
    tint = styles.mention if entry.flags & Flag.MENTION and not row.words else Style.null()
    pieces = _gutter(entry, row, styles, tint, nick_style)
    if row.words:
        pieces.append(Segment(row.words, base))
        x = beside = beside_x(row.start)
    else:
        x, beside = row_x(row.start, sum(len(piece.text) for piece in pieces)), beside_x(row.end)
        body = _body(entry, row, base + tint, over)
        pieces = pieces + body if selected is None else _select(pieces, row, body, selected, styles.selection)
    used = sum(cells(piece.text) for piece in pieces)
    blank = max(width - used, 0)
    filler = " " + "─" * (blank - 2) + " " if row.rule and blank > 2 else " " * blank
    segments = [*_with_positions(pieces, x, serial), *_with_positions([Segment(filler, base + tint)], beside, serial)]
    strip = Strip(segments, used + blank)
    return strip if used <= width else strip.crop(0, width)


def _with_positions(pieces: list[Segment], x: int, y: int) -> list[Segment]:
    """The pieces with their positions, like the result of `Strip.apply_offsets` but without intermediate strips."""
    segments = []
    for words, style, _ in pieces:
        segments.append(Segment(words, (style or Style.null()) + Style.from_meta({"offset": (x, y)})))
        x += len(words)
    return segments


def _gutter(entry: Entry, row: Row, styles: ThemeStyles, tint: Style, nick_style: Style) -> list[Segment]:
    pieces = []
    for words, role in row.gutter:
        style = styles.roles.get(role, styles.text)
        if role == "nick":
            pieces.append(Segment(words, _nick_style(entry, styles) + tint + nick_style))
            continue
        pieces.append(Segment(words, style + tint))
    if entry.flags & Flag.MENTION and not row.words and pieces:
        first = pieces[0]
        pieces[:1] = [Segment(MENTION_BAR, styles.mention_bar + tint), Segment(first.text[1:], first.style)]
    return pieces


def _nick_style(entry: Entry, styles: ThemeStyles) -> Style:
    if entry.flags & Flag.PENDING:
        return styles.roles["pending"]
    return styles.text + Style(color=nick_colour(entry.nick, styles.background), bold=bool(entry.flags & Flag.OWN))


def _body(entry: Entry, row: Row, base: Style, over: Sequence[Layer]) -> list[Segment]:
    """The row's part of the entry's text, divided where a style begins or ends."""
    inside: Layer = []
    for layer in over:
        for start, end, style in layer[max(bisect_right(layer, row.start, key=_start) - 1, 0) :]:
            if start >= row.end:
                break
            if end > row.start:
                inside.append((max(start, row.start), min(end, row.end), style))
    cuts = sorted({row.start, row.end, *(a for a, _, _ in inside), *(b for _, b, _ in inside)})
    segments = []
    for start, end in pairwise(cuts):
        style = base
        for a, b, added in inside:
            if a <= start and end <= b:
                style += added
        segments.append(Segment(entry.text[start:end], style))
    return segments


def _start(span: tuple[int, int, Style]) -> int:
    return span[0]


def _select(
    gutter: list[Segment], row: Row, body: list[Segment], selected: tuple[int, int], style: Style
) -> list[Segment]:
    """The whole row, with the style of the selection on the selected part."""
    start, end = selected
    text_at = sum(len(piece.text) for piece in gutter)
    first = max(start, row.start) - row.start + text_at
    if start == HEADER and row.start == 0:
        first = text_at - _header_length(gutter)
    last = min(end, row.end) - row.start + text_at
    segments, at = [], 0
    for words, old, _ in [*gutter, *body]:
        low = min(max(first - at, 0), len(words))
        high = min(max(last - at, low), len(words))
        parts = (words[:low], old), (words[low:high], (old or NOTHING) + style), (words[high:], old)
        segments += [Segment(part, part_style) for part, part_style in parts if part]
        at += len(words)
    return segments


def _header_length(gutter: list[Segment]) -> int:
    """The number of characters of the header in a selection: the nickname with the blanks after it, or a sign."""
    if len(gutter) >= 3:
        return len(gutter[-2].text) + len(gutter[-1].text)
    return len("".join(piece.text for piece in gutter).lstrip())


class _Drawn(NamedTuple):
    """An entry with its layout. Its rows are rendered one by one: of a huge entry only those that are shown."""

    entry: Entry
    rows: list[Row]
    strips: list[Strip | None]
    over: list[Layer]
    nick_style: Style
    """The style that is added to the nickname."""
    selected: tuple[int, int] | None


class RowCache:
    """After a change of `columns`, `search` or `selection`, call `clear`."""

    def __init__(self, store: EntryStore, styles: Callable[[], ThemeStyles]) -> None:
        """`styles` returns the styles of the theme; it is called when they are needed."""
        self.columns = Columns(80, 7, 10)
        self.search: Search | None = None
        self.selection: Selection | None = None
        self._store = store
        self._make_styles = styles
        self._styles: ThemeStyles | None = None
        self._drawn: LRUCache[int, _Drawn] = LRUCache(MAX_CACHED_ENTRIES)

    def clear(self, *, styles: bool = False) -> None:
        """Forget all rows; with `styles`, also the styles of the theme."""
        self._drawn.clear()
        if styles:
            self._styles = None

    def forget(self, first: int) -> None:
        """Forget the rows of the entries from `first` on."""
        for serial in list(self._drawn.keys()):
            if serial >= first:
                self._drawn.discard(serial)

    def strip(self, y: int) -> Strip:
        """Row `y` of the store. Rows after its end are blank."""
        if self._styles is None:
            self._styles = self._make_styles()
        serial, row = self._store.locate(y)
        drawn = self._drawn.get(serial)
        if drawn is None:
            entry = self._store.entry(serial)
            if entry is None:
                return Strip.blank(self.columns.width, self._styles.text)
            drawn = self._drawn[serial] = self._lay_out(entry, serial, self._styles)
        if row >= len(drawn.rows):
            return Strip.blank(self.columns.width, self._styles.text)
        strip = drawn.strips[row]
        if strip is None:
            strip = drawn.strips[row] = self._draw(drawn, serial, row, self._styles)
        return strip

    def _lay_out(self, entry: Entry, serial: int, styles: ThemeStyles) -> _Drawn:
        made = rows(entry, self.columns, new=serial == self._store.mark)
        shown = max(row.end for row in made)
        over = layers(entry, shown, styles)
        nick_style = Style.null()
        if self.search is not None:
            hit = styles.current if serial == self.search.current else styles.match
            over.append([(start, end, hit) for start, end in self.search.spans(entry.text[:shown])])
            nick_style = hit if self.search.names(entry) else nick_style
        return _Drawn(entry, made, [None] * len(made), over, nick_style, self._selected(entry, serial))

    def _draw(self, drawn: _Drawn, serial: int, row: int, styles: ThemeStyles) -> Strip:
        width = self.columns.width
        return render_row(
            drawn.entry, serial, drawn.rows[row], width, styles, drawn.over, drawn.selected, drawn.nick_style
        )

    def _selected(self, entry: Entry, serial: int) -> tuple[int, int] | None:
        span = self.selection.get_span(serial) if self.selection is not None else None
        if span is None:
            return None
        start, end = span
        return (point(start) if start else HEADER), (len(entry.text) if end == -1 else point(end))
