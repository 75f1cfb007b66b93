"""Pictures of every screen, for the documentation: python -m tests.people.page.pictures docs/pictures/people"""

import io
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import chelsea

from tests.people.page.participants import Mouse
from tests.people.page.servers import Server
from tests.people.page.sites import PAGE, write_experiment
from tests.people.page.tours import PHONE, SITES, TOURS
from tfmetamers.people.browser import open_browser

NODE_MODULES = PAGE.parent / "assets" / "node_modules"
DESKTOP = {"viewport": {"width": 960, "height": 640}}
COLOURS = 64


def save(page, path: Path, width: int) -> None:
    """What is on the screen, `width` pixels wide, in few colours."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    picture.quantize(COLOURS).save(path, optimize=True)


def furnish(site: Path) -> None:
    """A photograph for each image, and a mask whose amplitude falls with the square root of frequency."""
    photograph = Image.fromarray(chelsea()[:300, 75:375]).resize((224, 224))
    for path in (site / "stimuli").glob("*.png"):
        photograph.save(path)
    rows, columns = np.meshgrid(np.fft.fftfreq(224), np.fft.fftfreq(224), indexing="ij")
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = np.inf
    phases = np.exp(2j * np.pi * np.random.default_rng(0).random((224, 224)))
    noise = np.fft.ifft2(phases * frequency**-0.5).real
    mask = Image.fromarray(np.uint8(255 * (noise - noise.min()) / np.ptp(noise)))
    for path in (site / "masks").glob("*.png"):
        mask.save(path)


def stages(page, url: str, folder: Path) -> None:
    """Fixation, image and mask."""
    page.goto(f"{url}?preview&trial=1")
    person = Mouse(page)
    person.press("Start")
    person.press("Show the image")
    for name, selector in {"fixation": ".cross", "image": ".stage img >> nth=0", "mask": ".stage img >> nth=1"}.items():
        page.locator(selector).wait_for()
        save(page, folder / f"desktop-{name}.png", 480)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, open_browser() as browser:
        for task, tour in TOURS.items():
            changes = dict(SITES[task])
            if task == "images":
                slow = {"before": 100, "fixation": 5000, "stimulus": 5000, "mask": 5000, "response_limit": None}
                changes["timing_ms"] = slow
            out = write_experiment(Path(work) / task, NODE_MODULES, task, **changes)
            if task == "images":
                furnish(out / "site")
            for device, options in {"desktop": DESKTOP, "phone": PHONE}.items():
                server = Server(out)
                page = browser.new_context(**options).new_page()
                if task == "images" and device == "phone":
                    page.goto(server.url)
                    page.get_by_role("heading", name="Please use a computer").wait_for()
                    save(page, folder / "phone-refused.png", 300)
                else:
                    for screen in tour(page, server.url):
                        save(page, folder / f"{device}-{screen}.png", 480 if device == "desktop" else 300)
                    if task == "images":
                        stages(page, server.url, folder)
                page.context.close()
                server.kill()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
