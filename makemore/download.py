"""Fetching the lecture's list of names."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from .errors import MakemoreError
from .files import write

URL = "https://raw.githubusercontent.com/karpathy/makemore/master/names.txt"
SHA256 = "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"
TIMEOUT = 30  # seconds
LARGEST = 10_000_000  # bytes


def download(url: str, path: Path) -> None:
    """Fetch the names to `path`; nothing is written unless all has come and its SHA-256 is right.

    Raises MakemoreError where there is no answer, the answer is cut off, or it is something else.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise MakemoreError(f"--url {url}: must begin with http:// or https://")
    if not url.isascii():
        raise MakemoreError(f"--url {url}: must be in ASCII; write other letters as %XX, and those of a host as xn--")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            body = response.read(LARGEST)
            if response.length and len(body) < LARGEST:
                raise http.client.IncompleteRead(body)
    except urllib.error.HTTPError as error:
        error.close()
        raise MakemoreError(f"{url}: the server answered {error.code} {error.reason}") from None
    except http.client.IncompleteRead as error:
        raise MakemoreError(f"{url}: cut off after {len(error.partial)} bytes; try again") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise MakemoreError(f"{url}: no answer: {reason}") from None
    digest = hashlib.sha256(body).hexdigest()
    if digest != SHA256:
        raise MakemoreError(
            f"{url}: these {len(body)} bytes are not the lecture's names: their SHA-256 is {digest}, not {SHA256}"
        )
    write(path, body, makes_folder=True)
