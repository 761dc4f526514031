"""Static files out of node_modules: an allow-list, for whole packages hold broken and non-free files."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

ALLOWED = (
    "@tabler/core/dist/css/tabler.min.css",
    "@tabler/core/dist/css/tabler.min.css.map",  # named by the style, so that collectstatic asks for it
    "echarts/dist/echarts.common.min.js",
    "jodit/es2021/jodit.min.css",
    "jodit/es2021/jodit.min.js",
)


class NodePackagesFinder(BaseFinder):
    """Serve the allowed files under `npm/`, e.g. `{% static "npm/echarts/dist/echarts.common.min.js" %}`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(location=settings.BASE_DIR / "node_modules")
        self.storage.prefix = "npm"  # type: ignore[attr-defined]

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        name = path.removeprefix("npm/")
        known = path.startswith("npm/") and name in ALLOWED and self.storage.exists(name)
        found = self.storage.path(name) if known else None
        return ([found] if found else []) if find_all else (found or [])

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        return ((name, self.storage) for name in ALLOWED if self.storage.exists(name))
