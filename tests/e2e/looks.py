"""How a document looks in a browser: each word, link, cell and picture with its box, its colours and its type."""

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from playwright.sync_api import Page, Route

ADDRESS = "https://mail.example/"
TOLERANCE = 2  # px
STYLES = ("color", "background-color", "font-size", "font-weight", "text-align")
_SIZE = re.compile(r"/(\d+)x(\d+)/")
_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}">'
    '<rect width="100%" height="100%" fill="#9ab"/></svg>'
)

LOOKS = """() => {
  const found = [];
  const visible = (element) => element.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const painted = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const note = (name, element, box) => {
    const style = getComputedStyle(element);
    if (box.width < 1 || box.height < 1) return;
    found.push({name, x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height,
      "color": style.color, "background-color": painted(element), "font-size": style.fontSize,
      "font-weight": style.fontWeight, "text-align": style.textAlign});
  };
  // A box that hides what is larger than it (a hidden preheader) shows no words.
  const hidden = (element) => {
    for (; element; element = element.parentElement) {
      const box = element.getBoundingClientRect();
      if (getComputedStyle(element).overflow === "hidden" && (box.height < 2 || box.width < 2)) return true;
    }
    return false;
  };
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (!visible(node.parentElement) || hidden(node.parentElement)) return;
      for (const word of node.data.matchAll(/[^\\s\\u00a0\\u200b-\\u200f]+/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        note(word[0], node.parentElement, range.getBoundingClientRect());
      }
    } else if (node.nodeType === Node.ELEMENT_NODE && !["STYLE", "SCRIPT", "HEAD", "TITLE"].includes(node.tagName)) {
      const name = node.localName;
      const says = node.textContent.trim().replace(/\\s+/g, " ").slice(0, 30);
      if (visible(node) && !hidden(node) && (name === "img" || says && ["a", "td", "th"].includes(name)))
        note(`<${name}> ${says || (node.getAttribute("src") || "").slice(0, 60)}`, node, node.getBoundingClientRect());
      node.childNodes.forEach(walk);
    }
  };
  walk(document.body);
  return found;
}"""


def show(page: Page, document: str) -> list[dict[str, Any]]:
    """Show the document without any network, pictures as grey areas of their size; return what is to be seen."""

    def answer(route: Route) -> None:
        url = route.request.url
        if url == ADDRESS:
            # The mark says the charset, whatever a meta element says.
            route.fulfill(body=b"\xef\xbb\xbf" + document.encode(), content_type="text/html")
        elif route.request.resource_type == "image" and (size := _SIZE.search(url)):
            route.fulfill(body=_PICTURE.format(*size.groups()), content_type="image/svg+xml")
        else:
            route.abort()

    page.route("**/*", answer)
    page.goto(ADDRESS, wait_until="load")
    looks: list[dict[str, Any]] = page.evaluate(LOOKS)
    page.unroute("**/*")
    return looks


def differences(
    before: list[dict[str, Any]], after: list[dict[str, Any]], boxes: bool = True
) -> Iterator[str]:
    """Yield a line for each thing that is missing, stands elsewhere or looks different.

    Without boxes only words, links, colours and type are compared.
    """
    if not boxes:
        before, after = (
            [look for look in looks if not look["name"].startswith(("<img>", "<td>"))]
            for looks in (before, after)
        )
    for old, new in zip_longest(before, after):
        if old is None or new is None or old["name"] != new["name"]:
            yield f"{old and old['name']!r} became {new and new['name']!r}; the rest was not compared"
            return
        moved = [
            f"{key} {old[key]:.0f} → {new[key]:.0f}"
            for key in ("x", "y", "width", "height")
            if boxes and abs(old[key] - new[key]) > TOLERANCE
        ]
        changed = [f"{key} {old[key]} → {new[key]}" for key in STYLES if old[key] != new[key]]
        if moved or changed:
            yield f"{old['name']!r}: {', '.join(moved + changed)}"
