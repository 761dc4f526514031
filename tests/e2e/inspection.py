"""What is wrong with a page as it stands in the window."""

from collections.abc import Iterator

from playwright.sync_api import Page

from koomessage.demo.environment import BASE_DIR

AXE = (BASE_DIR / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
# axe would wait for an answer from inside the sandboxed frames, which run no script.
RUN_AXE = """() => axe.run(document, {
  iframes: false, preload: false, resultTypes: ["violations"],
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
}).then((found) => found.violations
  .filter((rule) => ["serious", "critical"].includes(rule.impact))
  .map((rule) => `${rule.id}: ` + rule.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ")))"""
TWICE = """() => [...document.querySelectorAll("[id]")].map((part) => part.id)
  .filter((id, place, all) => all.indexOf(id) !== place)"""


def faults(page: Page) -> Iterator[str]:
    """Yield what lies beside the window or bears another's id, and each barrier of barriers()."""
    yield from misplaced(page)
    yield from barriers(page)


def misplaced(page: Page) -> Iterator[str]:
    if too_wide := page.evaluate("document.documentElement.scrollWidth - innerWidth"):
        yield f"{too_wide} px too wide"
    if twice := page.evaluate(TWICE):
        yield f"ids used twice: {', '.join(twice)}"


def barriers(page: Page) -> Iterator[str]:
    """Yield what axe calls serious or critical."""
    page.evaluate(f"{AXE}; 0")
    yield from page.evaluate(RUN_AXE)
