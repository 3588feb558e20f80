"""The web server around the pages: warm start, security headers, and what it does not tell strangers."""

import base64
import gc
import hashlib
import logging
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "lifespan", "middleware", "say_failed"]

_log = logging.getLogger(__name__)

_HIDDEN = "/_stcore/metrics"
# On a deep link the browser would otherwise ask for the server below the page's own path first, and fail loudly.
_BASE = """<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin + "/PATH"}</script>"""
_TITLE = (b"<title>Streamlit</title>", b"<title>Customer success</title>")
_PRELOADED_FONT = re.compile(rb"""<link\s+rel="preload"[^>]*as="font"[^>]*>""")  # the product has its own


def _inline_hashes(page: bytes) -> str:
    """Return the hashes of the scripts that a page carries inline: they, and no other, may run."""
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(one).digest()).decode() for one in scripts]
    return " ".join(f"'sha256-{one}'" for one in hashes)


def _policy(page: bytes) -> str:
    """Return the content security policy: everything from this server, nothing from elsewhere."""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {_inline_hashes(page)}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )


class Guard:
    """Puts the security headers on every answer, hides the server's own metrics, and names the server in the page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        path = str(st.get_option("server.baseUrlPath") or "").strip("/")
        self.base = _BASE.replace("/PATH", f"/{path}" if path else "/").encode()
        shipped = (Path(st.__file__).parent / "static" / "index.html").read_bytes()
        self.headers = (
            (b"content-security-policy", _policy(self.base + shipped).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"x-frame-options", b"SAMEORIGIN"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].rstrip("/").endswith(_HIDDEN):
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"Not Found"})
        else:
            # the outer layer compresses: a page that arrived here compressed could not be changed
            headers = [one for one in scope["headers"] if one[0] != b"accept-encoding"]
            await self.app({**scope, "headers": headers}, receive, _Answer(self, send))


class _Answer:
    """Passes one answer on with the headers; a page is held back until it is whole and the server is named in it."""

    def __init__(self, guard: Guard, send: Send) -> None:
        self.guard, self.send = guard, send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower(): value for name, value in message["headers"]}
            message["headers"] = [*message["headers"], *(one for one in self.guard.headers if one[0] not in given)]
            if message["status"] == 200 and given.get(b"content-type", b"").startswith(b"text/html"):
                self.start = message
                return
        elif message["type"] == "http.response.body" and self.start is not None:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self.start)
            return
        await self.send(message)

    async def _finish(self, start: Message) -> None:
        page = self.body.replace(b"<script", self.guard.base + b"<script", 1).replace(*_TITLE)
        page = _PRELOADED_FONT.sub(b"", page)
        left_out = (b"content-length", b"etag", b"last-modified")
        start["headers"] = [one for one in start["headers"] if one[0].lower() not in left_out]
        start["headers"].append((b"content-length", str(len(page)).encode()))
        await self.send(start)
        await self.send({"type": "http.response.body", "body": page})


def middleware() -> list[Middleware]:
    """Return the layers around the server, the outermost first."""
    return [Middleware(GZipMiddleware, minimum_size=1024, compresslevel=6), Middleware(Guard)]


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """Import what the pages need before the first visitor comes, and keep it out of later garbage collections."""
    import xlsxwriter  # noqa: F401

    import cs_metrics.ui.definitions
    import cs_metrics.ui.shell  # noqa: F401

    gc.collect()
    gc.freeze()
    yield {}


def say_failed(error: Exception) -> bool:
    """Log an error that nobody expected, and say on the page where to find it; what it says stays in the log."""
    reference = secrets.token_hex(3)
    _log.error("A page failed, reference %s", reference, exc_info=error)
    st.error(
        f"This page failed. The log of the server says why, under the reference {reference}.", icon=":material/error:"
    )
    return True
