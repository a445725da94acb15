"""Fetching the lecture's names, from a server on this machine: only what is right and whole is kept."""

import hashlib
import http.server
import socket
import sys
import threading

import pytest

from makemore import download, words
from makemore.__main__ import main

from .commands import full_disk

BODY = "\n".join(["emma", "olivia", "ava", "isabella", "sophia", "charlotte", "mia", "amelia"] * 4).encode() + b"\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by what the path says."""

    def do_GET(self):
        status, length, body = {
            "/names.txt": (200, len(BODY), BODY),
            "/other.txt": (200, 5, b"wrong"),
            "/empty.txt": (200, 0, b""),
            "/cut.txt": (200, len(BODY), BODY[:20]),
            "/broken.txt": (500, 0, b""),
        }.get(self.path, (404, 0, b""))
        if self.path == "/moved.txt":
            self.send_response(302)
            self.send_header("Location", "/names.txt")
        elif self.path == "/loop.txt":
            self.send_response(302)
            self.send_header("Location", "/loop.txt")
        elif self.path == "/nonsense.txt":
            self.wfile.write(b"hello\r\n\r\n")
            return
        elif self.path == "/silent.txt":
            return
        elif self.path == "/slow.txt":
            SLOW.wait(30)
            return
        else:
            self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


SLOW = threading.Event()


@pytest.fixture(scope="module")
def url():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        SLOW.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where the names go, in these tests; and the body that is the right one."""
    path = tmp_path / "cache" / "makemore" / "names.txt"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "SHA256", hashlib.sha256(BODY).hexdigest())
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert words.lecture_names() == path
    return path


def refusal(capsys, *flags):
    assert main(["download", *flags]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("makemore: error: ")
    assert err.count("\n") == 1
    return err.removeprefix("makemore: error: ").rstrip("\n")


@pytest.mark.parametrize("page", ["names.txt", "moved.txt"])
def test_download(url, cache, capsys, page):
    assert main(["download", "--url", f"{url}/{page}"]) == 0
    assert capsys.readouterr() == (
        f"The lecture's names are in {cache}. Train on them: makemore train --data lecture\n",
        "",
    )
    assert cache.read_bytes() == BODY
    assert list(cache.parent.iterdir()) == [cache]


def test_training_uses_it(url, cache, tmp_path, capsys):
    out = tmp_path / "out"
    train = ["train", "--data", "lecture", "--out", str(out), "--steps", "20", "--hidden", "8"]
    assert main(train) == 2
    message = "makemore: error: --data lecture: not downloaded yet; run `makemore download` first\n"
    assert capsys.readouterr() == ("", message)
    assert not out.exists()
    assert main(["download", "--url", f"{url}/names.txt"]) == 0
    assert main(train) == 0
    assert "32 words, " in capsys.readouterr().out


def test_default_is_the_lecture():
    assert download.URL == "https://raw.githubusercontent.com/karpathy/makemore/master/names.txt"
    assert download.SHA256 == "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"


def test_digest_is_that_of_the_lecture(lecture_names):
    raw = lecture_names.read_bytes()
    assert hashlib.sha256(raw).hexdigest() == download.SHA256
    assert len(raw) < download.LARGEST
    assert len(words.read_words(lecture_names)) == 32_033


FAILURES = {
    "other.txt": "these 5 bytes are not the lecture's names: their SHA-256 is 8810ad58",
    "empty.txt": "these 0 bytes are not the lecture's names: their SHA-256 is e3b0c442",
    "cut.txt": "cut off after 20 bytes; try again",
    "none.txt": "the server answered 404 Not Found",
    "broken.txt": "the server answered 500 Internal Server Error",
    "loop.txt": "the server answered 302 ",
    "nonsense.txt": "no answer: ",
    "silent.txt": "no answer: Remote end closed connection without response",
}


@pytest.mark.parametrize("before", [None, b"what was there before"])
@pytest.mark.parametrize("page", FAILURES)
def test_what_is_not_right_is_not_kept(url, cache, capsys, page, before):
    if before:
        cache.parent.mkdir(parents=True)
        cache.write_bytes(before)
    message = refusal(capsys, "--url", f"{url}/{page}")
    assert message.startswith(f"{url}/{page}: {FAILURES[page]}")
    if before:
        assert cache.read_bytes() == before
        assert list(cache.parent.iterdir()) == [cache]
    else:
        assert not cache.parent.exists()


def test_too_long(url, cache, capsys, monkeypatch):
    """What does not end is not read for ever."""
    monkeypatch.setattr(download, "LARGEST", 10)
    assert f"{url}/names.txt: these 10 bytes are not the lecture's names" in refusal(
        capsys, "--url", f"{url}/names.txt"
    )


def test_time_out(url, cache, capsys, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    assert refusal(capsys, "--url", f"{url}/slow.txt") == f"{url}/slow.txt: no answer: timed out"


def test_no_server(cache, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/names.txt"
        assert refusal(capsys, "--url", url).startswith(f"{url}: no answer: ")


def test_unknown_host(cache, capsys, monkeypatch):
    def getaddrinfo(*arguments, **keywords):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    url = "http://nowhere.invalid/names.txt"
    assert refusal(capsys, "--url", url) == f"{url}: no answer: [Errno -2] Name or service not known"


@pytest.mark.parametrize("bad", ["nonsense", "", "file:///etc/passwd", "ftp://127.0.0.1/names.txt", "/etc/passwd"])
def test_only_http(cache, capsys, bad):
    assert refusal(capsys, "--url", bad) == f"--url {bad}: must begin with http:// or https://"
    assert not cache.parent.exists()


@pytest.mark.parametrize("bad", ["http://", "http://[", "http://a b/", "http://127.0.0.1:x/", "http://e\n/"])
def test_bad_url(cache, capsys, bad):
    assert "no answer: " in refusal(capsys, "--url", bad)


@pytest.mark.parametrize("bad", ["http://é.invalid/", "http://127.0.0.1/ß"])
def test_other_letters_than_ascii(cache, capsys, bad):
    message = refusal(capsys, "--url", bad)
    assert message == f"--url {bad}: must be in ASCII; write other letters as %XX, and those of a host as xn--"


def test_cache_cannot_be_made(url, cache, capsys):
    cache.parents[1].write_text("a file")
    assert refusal(capsys, "--url", f"{url}/names.txt") == f"{cache}: can't be written: Not a directory"


def test_disk_full(url, cache, capsys, monkeypatch):
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"before")
    with full_disk(monkeypatch):
        message = refusal(capsys, "--url", f"{url}/names.txt")
    assert message == f"{cache}: can't be written: No space left on device"
    assert list(cache.parent.iterdir()) == [cache]
    assert cache.read_bytes() == b"before"
