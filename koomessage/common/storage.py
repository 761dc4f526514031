"""Where uploaded files are kept."""

from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class WholeFiles(FileSystemStorage):
    """Files of a folder, each whole or not there: what a full disk cut short would only keep it full."""

    def _save(self, name: str, content: "File[Any]") -> str:
        is_ours = not self.exists(name)
        try:
            return super()._save(name, content)  # type: ignore[misc]  # the stubs leave it out
        except OSError:
            if is_ours:
                Path(self.path(name)).unlink(missing_ok=True)
            raise
