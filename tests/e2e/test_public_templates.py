"""The built-in templates in a real browser, as narrow as phones get and as wide as a mail becomes."""

import pytest
from playwright.sync_api import Browser

from email_service.mail_templates.catalogue import BuiltIn, built_in
from email_service.mail_templates.rendering import preview, tidy_body

pytestmark = pytest.mark.e2e

WIDTHS = (320, 375, 640, 1024)
# With every word as long as it gets: what cannot be broken must not push the mail apart.
LONG = {
    "order_number": "9" * 40,
    "company_name": "Donaudampfschifffahrtsgesellschaft",
    "tracking_number": "X" * 40,
}
MEASURE = """() => {
    const frame = document.querySelector("table table");
    const shown = [...document.querySelectorAll("td, h1, h2, a")].filter((one) => one.innerText.trim());
    return {
        page: document.documentElement.scrollWidth,
        frame: Math.round(frame.getBoundingClientRect().width),
        beyond: shown.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.innerText),
        small: [...document.querySelectorAll("a")]
            .filter((one) => getComputedStyle(one).display === "inline-block")
            .filter((one) => one.closest("td").getBoundingClientRect().height < 44).map((one) => one.innerText),
    };
}"""


@pytest.mark.parametrize("built", built_in(), ids=lambda built: built.file)
@pytest.mark.parametrize("values", [{}, LONG], ids=["samples", "long"])
def test_a_mail_fits_every_width_and_loads_nothing(
    browser: Browser, built: BuiltIn, values: dict[str, str]
) -> None:
    draft = tidy_body(body_type="rich", body=built.body, can_unsubscribe=built.can_unsubscribe)
    page = browser.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.set_content(preview(draft, values))
        found = page.evaluate(MEASURE)

        assert found["page"] == width
        assert found["frame"] == min(600, width - 24)
        assert found["beyond"] == []
        assert found["small"] == []

    assert requests == []
    page.close()
