"""An S3 object store for uploads, out of one address: s3://bucket/prefix?endpoint=…&region=…&addressing=…"""

import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ENDPOINT = re.compile(r"https?://[^/?#@\s]+/?")
_KNOWN = {"endpoint", "region", "addressing"}
# Larger files pass through the temporary folder, not through memory.
_IN_MEMORY = 2**20


def storage(address: str) -> dict[str, Any]:
    """Return the entry of Django's STORAGES; ValueError says what is odd about the address.

    Who may enter is said in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or known to the machine (a role).
    """
    parts = urlsplit(address)
    if parts.scheme != "s3":
        raise ValueError("must be empty or look like s3://bucket/prefix?endpoint=https://store.example.com")
    if "@" in parts.netloc:
        raise ValueError("may hold no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if not _BUCKET.fullmatch(parts.netloc):
        raise ValueError(f"names the bucket {parts.netloc!r}, which no bucket is called")
    prefix = unquote(parts.path).strip("/")
    if parts.fragment or ".." in prefix.split("/"):
        raise ValueError("must not hold # or ..")
    options = _options(parts.query)
    if missing := [name for name in ("storages", "boto3") if find_spec(name) is None]:
        raise ValueError(f"needs {' and '.join(missing)}: install requirements/s3.txt")
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": prefix,
            "endpoint_url": options.get("endpoint"),
            "region_name": options.get("region"),
            # None is private, and what buckets without access lists take; links, if any, are signed.
            "default_acl": None,
            "querystring_auth": True,
            "file_overwrite": False,
            "max_memory_size": _IN_MEMORY,
            "client_config": _client(options),
        },
    }


def _options(query: str) -> dict[str, str]:
    found = parse_qsl(query, strict_parsing=True) if query else []
    options = dict(found)
    if odd := sorted(set(options) - _KNOWN):
        raise ValueError(f"holds {', '.join(odd)}, which means nothing here")
    if len(options) < len(found):
        raise ValueError("says the same thing twice")
    if "endpoint" in options and not _ENDPOINT.fullmatch(options["endpoint"]):
        raise ValueError(
            f"names the endpoint {options['endpoint']!r}, but it must look like https://host:port"
        )
    if options.get("addressing", "path") not in ("path", "virtual"):
        raise ValueError(f"holds addressing={options['addressing']}, but it must be path or virtual")
    return options


def _client(options: dict[str, str]) -> Any:
    """Answer a page in time though the store does not, and speak as stores other than Amazon's understand."""
    addressing = options.get("addressing", "path" if "endpoint" in options else "auto")
    # Installed only where uploads are kept there.
    return import_module("botocore.config").Config(
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 2},
        s3={"addressing_style": addressing},
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
