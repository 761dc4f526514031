"""An S3 server on loopback in a process of its own, spoken to over HTTP as any other."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import boto3

from tests.faults.servers import free_port, wait_for_port

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "for-tests",
    "AWS_SECRET_ACCESS_KEY": "for-tests",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def object_store() -> Iterator[str]:
    """Run a server, and say its address."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait(10)


def new_bucket(endpoint: str) -> str:
    """Make an empty bucket, and say what MEDIA_STORAGE is for it."""
    bucket = f"uploads-{secrets.token_hex(4)}"
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="for-tests",
        aws_secret_access_key="for-tests",
    ).create_bucket(Bucket=bucket)
    return f"s3://{bucket}/koomessage?endpoint={endpoint}&region=us-east-1"
