"""Names on the map without overlap: the most important first, what finds no room is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nbb_opt.report.charts.svg import text_width

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass
class Room:
    """The room of a drawing that is already taken."""

    width: float
    height: float
    taken: list[Box] = field(default_factory=list)

    def free(self, box: Box) -> bool:
        """Say whether a box lies in the drawing and touches nothing."""
        left, top, right, bottom = box
        if left < 2 or top < 2 or right > self.width - 2 or bottom > self.height - 2:
            return False
        return not any(left < b[2] and right > b[0] and top < b[3] and bottom > b[1] for b in self.taken)

    def block(self, x: float, y: float, radius: float) -> None:
        """Take the room of a symbol."""
        self.taken.append((x - radius, y - radius, x + radius, y + radius))

    def place(self, x: float, y: float, *, width: float, height: float, gaps: Iterable[float]) -> Box | None:
        """Take room for a box beside a point, as near as can be; None if there is none."""
        for gap in gaps:
            slant = gap * 0.75
            middle_x, middle_y = x - width / 2, y - height / 2
            for left, top in (
                (x + gap, middle_y),
                (x - gap - width, middle_y),
                (middle_x, y - gap - height),
                (middle_x, y + gap),
                (x + slant, y - slant - height),
                (x + slant, y + slant),
                (x - slant - width, y - slant - height),
                (x - slant - width, y + slant),
            ):
                box = (left, top, left + width, top + height)
                if self.free(box):
                    self.taken.append(box)
                    return box
        return None

    def place_words(self, content: str, x: float, y: float, *, size: float, gaps: Iterable[float]) -> Box | None:
        """Take room for a line of text beside a point."""
        return self.place(x, y, width=text_width(content, size) + 4, height=size * 1.15, gaps=gaps)
