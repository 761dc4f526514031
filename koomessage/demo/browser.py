"""A browser without a window: pages, links and forms over HTTP, as somebody without JavaScript uses them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html

Files = Mapping[str, tuple[str, bytes, str]]


class NotAsExpected(Exception):
    """A page does not say or hold what it should; the message shows what it says."""


@dataclass(frozen=True)
class Page:
    """One answer, parsed."""

    address: str
    status: int
    body: bytes

    @property
    def tree(self) -> Any:
        return html.document_fromstring(
            self.body or b"<html></html>", parser=html.HTMLParser(encoding="utf-8")
        )

    @property
    def path(self) -> str:
        return urlsplit(self.address).path

    @property
    def text(self) -> str:
        """What a reader sees, on one line a run of spaces."""
        return " ".join(" ".join(self.tree.xpath("//body//text()[not(ancestor::script)]")).split())

    def texts(self, xpath: str) -> list[str]:
        return [" ".join(node.text_content().split()) for node in self.tree.xpath(xpath)]

    def form(self, action: str) -> Any:
        """Return the form whose action ends so."""
        for form in self.tree.forms:
            if urlsplit(form.action or self.address).path.endswith(action):
                return form
        raise NotAsExpected(f"{self.address} holds no form for {action}.\n{self.text[:1500]}")

    def expect(self, *words: str) -> "Page":
        """Return the page when it says all of these."""
        for word in words:
            if word not in self.text:
                raise NotAsExpected(f"{self.address} does not say “{word}”. It says:\n{self.text[:2500]}")
        return self


class Browser:
    def __init__(self, base: str) -> None:
        self.client = httpx.Client(base_url=base, follow_redirects=True, timeout=60)

    def open(self, address: str, **query: str) -> Page:
        return self._page(self.client.get(address, params=query or None))

    def download(self, address: str, **query: str) -> bytes:
        answer = self.client.get(address, params=query or None)
        if answer.status_code != 200:
            raise NotAsExpected(f"{answer.url} answers {answer.status_code}.")
        return answer.content

    def submit(
        self, page: Page, action: str, values: Mapping[str, str] | None = None, *, files: Files | None = None
    ) -> Page:
        """Fill the page's form in, press its button, and return where that leads."""
        form = page.form(action)
        for name in (*(values or {}), *(files or {})):
            if name not in form.fields and not form.xpath(".//button[@name=$name]", name=name):
                raise NotAsExpected(f"The form at {page.address} has no field “{name}”: {list(form.fields)}")
        sent = {**dict(form.form_values()), **(values or {})}
        answer = self.client.post(
            urljoin(page.address, form.action or page.address),
            data={name: value for name, value in sent.items() if value is not None},
            files=dict(files) if files else None,
            headers={"Referer": page.address},
        )
        return self._page(answer)

    def wait_for(self, address: str, place: str, words: str, *, within: float) -> Page:
        """Look at the page again and again until its place (an XPath) says exactly these words."""
        deadline = time.monotonic() + within
        while True:
            page = self.open(address)
            if words in page.texts(place):
                return page
            if time.monotonic() > deadline:
                raise NotAsExpected(
                    f"{page.address} did not say “{words}” within {within:.0f} s:\n{page.text[:2500]}"
                )
            time.sleep(0.3)

    @staticmethod
    def _page(answer: httpx.Response) -> Page:
        page = Page(str(answer.url), answer.status_code, answer.content)
        if answer.status_code != 200:
            raise NotAsExpected(
                f"{answer.request.method} {answer.url} answers {answer.status_code}:\n{page.text[:2500]}"
            )
        return page
