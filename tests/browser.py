"""Home Assistant in a real browser: Debian's Chromium, headless, which may talk to loopback and to nobody else."""

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.home_assistant_client import TOKEN, URL
from tests.waiting import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

playwright = pytest.importorskip("playwright.sync_api", reason="NO BROWSER: `make e2e` installs what drives it")
expect = playwright.expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDS_BROWSER = pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER: install Debian's chromium")
LOADS_MS = 60_000
_WIDE = (1400, 1000)
_FLAGS = (
    "--no-sandbox",  # root, as in containers, has none
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-features=LocalNetworkAccessChecks",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_LOGIN = """\
localStorage.setItem("hassTokens", JSON.stringify({
  hassUrl: %(url)s, clientId: null, refresh_token: "", token_type: "Bearer",
  access_token: %(token)s, expires_in: 86400, expires: Date.now() + 86400000,
}));
localStorage.setItem("dockedSidebar", '"always_hidden"');
"""
"""As its login page keeps what it was given."""

_READ = """\
view => {
  const found = [];
  const read = node => {
    if (node.nodeType === Node.TEXT_NODE && node.textContent.trim()) found.push(node.textContent.trim());
    if (["STYLE", "SCRIPT"].includes(node.nodeName)) return;
    for (const child of [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes]) read(child);
  };
  read(view);
  return found;
}
"""
"""Through every shadow root, of which its pages are made."""
_APP = """\
<!DOCTYPE html><title>Home Assistant</title><home-assistant></home-assistant><script type="module">
window.latestJS = true;
const files = await (await fetch("/frontend_latest/manifest.json")).json();
for (const name of ["core.js", "app.js"]) import(files[name]);
</script>
"""
"""Its own programs in a page of ours."""


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Until the end of the block."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        yield browser
        browser.close()


def _page_without_questions(route: "Route") -> None:
    """One made for tests has left its first questions open: an answer would send it to the internet for the weather.

    Until they are answered it leads each page to them.
    """
    answer = route.fetch(max_redirects=0)
    if answer.headers.get("location", "").endswith("/onboarding.html"):
        route.fulfill(body=_APP, content_type="text/html")
    else:
        route.fulfill(response=answer)


class Window:
    """One page of Home Assistant, logged in."""

    def __init__(self, browser: "Browser") -> None:
        width, height = _WIDE
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        context.add_init_script(_LOGIN % {"url": json.dumps(URL), "token": json.dumps(TOKEN)})
        context.route(re.compile(rf"^{re.escape(URL)}/[\w-]+/[\w-]+$"), _page_without_questions)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(LOADS_MS)

    def open(self, path: str) -> "Page":
        """A page of it by its path, once its cards are there."""
        self.page.goto(f"{URL}{path}")
        self.page.locator("hui-view ha-card").first.wait_for()
        return self.page

    def lines(self) -> list[str]:
        """All that can be read in the cards, in the order of the page."""
        found = self.page.locator("hui-view").evaluate(_READ)
        assert isinstance(found, list)
        return found

    def reads(self, wanted: Iterable[str], seconds: float = 20) -> bool:
        """Whether each of these comes to stand in a line of its own."""
        return eventually(lambda: set(wanted) <= set(self.lines()), seconds)

    def refused(self) -> list[str]:
        """The cards that Home Assistant could not make, by what stands in their place."""
        found: list[str] = self.page.locator("hui-error-card, hui-warning").all_inner_texts()
        return found
