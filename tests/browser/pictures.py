"""Takes the README's pictures: the page in the middle of a call, light and dark, and on a small screen."""

import pathlib
import sys

from desk import Desk
from page_test import GREETING, asked, call, choose, press
from webdriver import Browser


def take(address, folder, name, dark, width=1320, height=1000):
    browser = Browser(scale=2)
    try:
        browser.screen(width, height)
        browser.open(address)
        browser.until("the handler is ready", lambda: browser.text("#build") == "ready", 120)
        browser.script(f"localStorage.setItem('hookswitch.theme', '{'dark' if dark else 'light'}')")
        browser.open(address)
        browser.until("the handler is ready", lambda: browser.text("#build") == "ready")
        call(browser)
        browser.sees(GREETING, "#transcript")
        browser.one("#say").write("sales, please")
        browser.keys("Enter")
        asked(browser, "rings")
        choose(browser, "No answer")
        asked(browser, "Recording")
        browser.script("document.getElementById('timeline').scrollTop = 0; document.activeElement.blur()")
        browser.picture(folder / f"{name}.png")
    finally:
        browser.close()


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    desk = Desk(binary)
    try:
        address = desk.dev("front-desk")
        take(address, folder, "phone-light", dark=False)
        take(address, folder, "phone-dark", dark=True)
        take(address, folder, "phone-small", dark=False, width=390, height=844)
    finally:
        desk.close()
    for picture in sorted(folder.glob("phone-*.png")):
        print(f"{picture}: {picture.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
