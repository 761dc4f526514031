"""Read the source of the house: what the architecture tests judge."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).resolve().parents[2]
APPS = ("koomessage", "iam", "billing", "email_service")
MOST_LINES = 300
MOST_VIEW_LINES = 25
WRITES = {
    "save", "create", "acreate", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create",
    "save_base", "execute", "executemany",
}  # fmt: skip


def tracked(*suffixes: str) -> list[Path]:
    """The project's own files with these endings, new ones included."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    paths = [ROOT / name for name in names if name.endswith(suffixes)]
    return [path for path in paths if path.is_file()]


def modules(*names: str) -> Iterator[Path]:
    """Modules of our apps whose name is one of these, or one of these and a noun (views, views_orders)."""
    for path in tracked(".py"):
        top = path.relative_to(ROOT).parts[0]
        if top in APPS and any(path.stem == name or path.stem.startswith(f"{name}_") for name in names):
            yield path


def long_views(source: str) -> list[str]:
    """Functions of a views module that are longer than a view may be."""
    return [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MOST_VIEW_LINES
    ]  # fmt: skip


def class_views(source: str) -> list[str]:
    return [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name.endswith("View")
    ]


def writes(source: str) -> list[str]:
    """Calls that change rows: what views, forms and the admin leave to services."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = node.func.attr
        if isinstance(node.func.value, ast.Name) and node.func.value.id.endswith("services"):
            continue
        if isinstance(node.func.value, ast.Call) and ast.unparse(node.func.value) == "super()":
            continue  # a settings row that the admin itself saves
        if name in WRITES or (name == "update" and node.keywords):
            found.append(f"line {node.lineno}: {ast.unparse(node)[:60]}")
    return found


def inner_imports(source: str) -> list[int]:
    """Lines of imports inside functions, which hide what a module stands on."""
    return [
        child.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(node)
        if isinstance(child, ast.Import | ast.ImportFrom)
    ]


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the console with its pattern; Django's own admin has rights of its own."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from routes(pattern, address)
        else:
            yield address, pattern
