"""Reading a page as a tree, for the tests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "input", "br", "hr", "img", "path", "rect", "use"}


@dataclass
class Node:
    """An element: its attributes, and its children, which are elements or texts."""

    tag: str
    attributes: dict[str, str]
    children: list["Node | str"] = field(default_factory=list)

    def all(self, tag: str = "", **attributes: str) -> list["Node"]:
        """Return the elements below this one with that tag and these attributes (`class_` is a class)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [node for node in self._below() if (not tag or node.tag == tag) and node._has(wanted)]

    def one(self, tag: str = "", **attributes: str) -> "Node":
        """Return the only such element."""
        (node,) = self.all(tag, **attributes)
        return node

    @property
    def text(self) -> str:
        """All text below, with single spaces."""
        return " ".join(self._texts().split())

    def _has(self, wanted: dict[str, str]) -> bool:
        mine = self.attributes
        return all(
            value in mine.get(name, "").split() if name == "class" else mine.get(name) == value
            for name, value in wanted.items()
        )

    def _below(self) -> Iterator["Node"]:
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child._below()

    def _texts(self) -> str:
        return "".join(child if isinstance(child, str) else child._texts() for child in self.children)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        closed = self.open.pop()
        assert closed.tag == tag, f"</{tag}> closes <{closed.tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(path: Path) -> Node:
    """Parse a page, and refuse elements that are not closed in the order in which they were opened."""
    builder = _Builder()
    builder.feed(path.read_text(encoding="utf-8"))
    builder.close()
    assert len(builder.open) == 1, f"<{builder.open[-1].tag}> is not closed"
    return builder.open[0]


def number_in(text: str) -> float:
    """Read a Dutch number with or without a unit behind it."""
    return float(text.split(" ", maxsplit=1)[0].rstrip("%").replace(".", "").replace(",", "."))
