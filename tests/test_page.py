"""The page that explore writes, in a real browser: what it shows is what the engine has, at every step."""

from __future__ import annotations

import os
import re
import shutil

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.describe import describe
from tinygrad_lite.drawing import decimal
from tinygrad_lite.engine import Value
from tinygrad_lite.page import write
from tinygrad_lite.page.steps import steps_of

from .test_drawing import HOSTILE, needs_dot

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
try:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

pytestmark = [
    needs_dot,
    pytest.mark.skipif(webdriver is None, reason="needs the Python package selenium"),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs the programs chromium and chromedriver"),
]
FLAGS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
# All that is shown: the texts of each box, the panel's numbers by name, and where the reader is.
LOOK = """
const texts = (node) => [...node.querySelectorAll("text")].map((line) => line.textContent);
return {
  boxes: boxes.map((_, i) => texts(document.getElementById(`box${i}`))),
  panel: [...document.querySelectorAll("#panel dd")].map((cell) => [cell.dataset.name,
    [...cell.querySelectorAll(".number, td")].map((each) => each.title || each.textContent)]),
  words: document.getElementById("panel").innerText,
  rule: document.getElementById("rule")?.textContent ?? "",
  phase: document.documentElement.dataset.phase,
  count: document.getElementById("count").textContent,
  slider: document.getElementById("slider").value,
  marked: [...document.querySelectorAll(".source, .target, .active")].map((node) => node.id).sort(),
};
"""


@pytest.fixture(scope="module")
def browser():
    os.environ["SE_OFFLINE"] = "true"
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, "--window-size=1400,900"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def visit(browser, tmp_path):
    """Writes the page of a root and opens it; afterwards nothing was said on the console."""

    def open_page(root, names=None):
        browser.get_log("browser")
        browser.get(write(root, tmp_path / "page.html", names).as_uri())
        return browser

    yield open_page
    assert browser.get_log("browser") == []


def press(browser, *keys):
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def look(browser):
    return browser.execute_script(LOOK)


def numbers(text):
    return [float(each) for each in re.findall(r"-?(?:\d[\d.]*(?:e[-+]?\d+)?|inf)|nan", text)]


@np.errstate(all="ignore")
def summary(value):
    """What a box says of an array: its one number, or mean and standard deviation."""
    array = np.asarray(value, np.float64)
    return [array.item()] if array.size == 1 else [array.mean(), array.std()]


def is_shown(texts, word, value, came=""):
    """Whether a line of a box is that of `value`: four decimals."""
    if value is None or not np.size(value):
        return texts == ("" if value is None else f"{word} empty")
    assert texts.startswith(f"{word} ")
    assert texts.endswith(came)
    shown = numbers(texts.removesuffix(came))
    return np.allclose(shown, summary(value), rtol=1e-3, atol=6e-5, equal_nan=True)


def check_every_step(visit, root):
    """Step forward to the end, comparing all that is shown, and back again."""
    diagram = describe([root], {})
    steps = steps_of(root, diagram)
    browser = visit(root)
    seen = []
    grads, came = [None] * len(diagram.boxes), [0] * len(diagram.boxes)
    total = [sum(step.target == i and step.part is not None for step in steps) for i in range(len(diagram.boxes))]
    for now in range(1 + len(diagram.calls) + len(steps)):
        shown = look(browser)
        seen.append(shown)
        step = steps[now - 1 - len(diagram.calls)] if now > len(diagram.calls) else None
        assert shown["count"] == f"{now} of {len(diagram.calls) + len(steps)}"
        assert shown["phase"] == ("forward" if step is None else "backward")
        if step is not None and step.part is not None:
            grads[step.target], came[step.target] = step.total, came[step.target] + 1
        for i, box in enumerate(diagram.boxes):
            texts = shown["boxes"][i]
            if box.kind == "constant":
                continue
            there = box.call is None or box.call < now
            assert is_shown(texts[1], "data", box.data if there else None)
            part = f"  {came[i]}/{total[i]}" if total[i] > 1 else ""
            assert is_shown(texts[2], "grad", grads[i], part)
        if step is not None:
            check_panel(shown, step)
        press(browser, Keys.ARROW_RIGHT)
    assert look(browser) == seen[-1]
    for before in seen[-2::-1]:
        press(browser, Keys.ARROW_LEFT)
        assert look(browser) == before
    press(browser, Keys.ARROW_LEFT)
    assert look(browser) == seen[0]
    return diagram, seen


def check_panel(shown, step):
    """The numbers of a step, with all their digits."""
    panel = dict(shown["panel"])
    assert shown["rule"] == (step.rule if step.kind == "rule" else "")
    expected = {"g": step.g, **dict(step.reads)}
    if step.kind != "seed":
        expected[f"g_{step.parameter}" if step.parameter else "gives"] = step.raw
    expected["= total"] = step.total if step.part is not None else None
    for name, value in expected.items():
        if value is None and name not in dict(step.reads):
            assert name not in panel, name
        elif isinstance(value, (np.ndarray, np.floating, float)):
            told, known = ([float(str(each)) for each in np.ravel(numbers)] for numbers in (panel[name], value))
            assert np.array_equal(told, known, equal_nan=True), name
        else:
            assert panel[name] == [repr(value)]


def final(seen, diagram, thing, word="grad"):
    """The gradient that stands in the box of a leaf in the end."""
    line = seen[-1]["boxes"][diagram.places[thing]][2]
    return numbers(re.sub(r"  \d+/\d+$", "", line.removeprefix(word)))


def test_every_step_of_a_graph_of_values(visit):
    """b = a + a, and tanh: the sum at a shared node."""
    a = Value(0.5, label="a")
    b = a + a
    b.label = "b"
    root = (b * a).tanh() + b
    diagram, seen = check_every_step(visit, root)
    root.backward()
    assert np.allclose(final(seen, diagram, a), a.grad, atol=6e-5)
    assert "g * (1 - out * out)" in [each["rule"] for each in seen]
    assert "a is used 3 times, so its gradient is a sum: this is part 3 of 3." in " ".join(seen[-1]["words"].split())


def test_every_step_of_a_graph_of_tensors(visit):
    """A shared node, and a broadcast, whose sum is a step of its own."""
    w = tg.tensor(np.linspace(-1, 1, 12).reshape(3, 4), requires_grad=True, dtype=np.float32)
    bias = tg.tensor([0.1, -0.2, 0.3, 0.0], requires_grad=True)
    x = np.linspace(0, 1, 15, dtype=np.float32).reshape(5, 3)
    h = np.tanh(x @ w + bias)
    root = (h * h).mean() + h.sum(axis=0).max() * 0.1
    diagram, seen = check_every_step(visit, root)
    root.backward()
    for leaf in (w, bias):
        assert np.allclose(final(seen, diagram, leaf), summary(leaf.grad.data), atol=6e-5)
    (step,) = [
        each for each in seen if each["words"].split("\n")[1:2] and "Sum over what was broadcast" in each["words"]
    ]
    words = " ".join(step["words"].split())
    assert "bias has the shape [4] and was broadcast to [5, 4]" in words
    assert len(dict(step["panel"])["g_y"]) == 20
    assert [float(each) for each in dict(step["panel"])["= total"]] == [float(str(each)) for each in bias.grad.data]


def test_a_root_with_several_elements_nan_and_empty_arrays(visit):
    x = tg.tensor([1.0, float("nan"), float("inf"), -2.0], requires_grad=True)
    with np.errstate(all="ignore"):
        root = x * x[:0].sum()
    diagram, seen = check_every_step(visit, root)
    assert "stands for their sum" in " ".join(seen[len(diagram.calls) + 1]["words"].split())


def small(visit):
    x, y = tg.tensor(2.0, requires_grad=True), tg.tensor(3.0, requires_grad=True)
    return visit(x * y + x**2)


def test_keys_buttons_and_slider(visit):
    browser = small(visit)
    start = look(browser)
    press(browser, Keys.END)
    end = look(browser)
    assert (start["count"], end["count"]) == ("0 of 9", "9 of 9")
    press(browser, Keys.HOME)
    assert look(browser) == start
    for button, count in (("next", 1), ("next", 2), ("back", 1), ("last", 9), ("first", 0)):
        browser.find_element(By.ID, button).click()
        assert look(browser)["count"] == f"{count} of 9"
    slider = browser.find_element(By.ID, "slider")
    slider.click()  # in the middle
    middle = look(browser)
    assert middle["count"] in ("4 of 9", "5 of 9")
    assert middle["slider"] == middle["count"][0]
    slider.send_keys(Keys.ARROW_RIGHT)
    assert int(look(browser)["slider"]) == int(middle["slider"]) + 1
    slider.send_keys(Keys.END)
    assert look(browser) == end
    assert slider.get_attribute("aria-valuetext") == "step 9 of 9, backward"


def test_play_goes_on_by_itself_and_stops(visit):
    browser = small(visit)
    browser.execute_script("const set = setInterval; setInterval = (f) => set(f, 5);")
    play = browser.find_element(By.ID, "play")
    play.click()
    done = (
        "const [end] = arguments; (function wait() { now === 9 && timer === null ? end(now) : setTimeout(wait, 5); })()"
    )
    assert browser.execute_async_script(done) == 9
    assert play.text == "Play"


def test_hover_shows_the_whole_array(visit):
    w = tg.tensor(np.arange(100.0).reshape(20, 5), requires_grad=True)
    large = tg.tensor(np.linspace(-1, 1, 1500).reshape(30, 50), requires_grad=True)
    browser = visit(np.tanh(w).sum() + np.tanh(large).sum() * 0.5, {w: "w", large: "large"})
    press(browser, Keys.END)
    names = browser.execute_script("return boxes.map((box) => box.name)")
    tip = browser.find_element(By.ID, "tip")
    assert not tip.is_displayed()

    def hover(thing):
        ActionChains(browser).move_to_element(browser.find_element(By.ID, thing)).perform()
        assert tip.is_displayed()
        return [each.get_attribute("title") for each in tip.find_elements(By.TAG_NAME, "td")]

    cells = hover(f"box{names.index('w')}")
    assert [float(each) for each in cells[:100]] == w.data.ravel().tolist()
    assert len(cells) == 200  # and the gradient
    assert np.allclose([float(each) for each in cells[100:]], 1 - np.tanh(w.data.ravel()) ** 2)
    cells = hover(f"box{names.index('large')}")
    assert np.allclose([float(each) for each in cells[:256]], large.data[:16, :16].ravel())
    assert "the first 16 x 16 of 1,500 elements" in tip.text
    assert f"std {decimal(large.data.std())} from -1.0000 to 1.0000" in tip.text
    assert hover("call0") == []
    assert "g * (1 - out * out)" in tip.text
    ActionChains(browser).move_to_element(browser.find_element(By.TAG_NAME, "h1")).perform()
    assert not tip.is_displayed()


def test_search(visit):
    browser = small(visit)
    press(browser, "/")
    field = browser.switch_to.active_element
    assert field.get_attribute("id") == "search"
    marked = "return [...document.querySelectorAll('.match')].map((node) => node.id)"
    field.send_keys("mult")
    assert browser.execute_script(marked) == ["call0"]
    assert browser.find_element(By.ID, "found").text == "1 found"
    field.clear()
    field.send_keys("float32")
    assert len(browser.execute_script(marked)) == 5
    assert browser.find_element(By.ID, "found").text == "1 of 5"
    field.send_keys(Keys.ENTER)
    assert browser.find_element(By.ID, "found").text == "2 of 5"
    field.send_keys(Keys.ARROW_LEFT, Keys.HOME)
    assert look(browser)["count"] == "0 of 9"
    field.clear()
    field.send_keys("nothing of the kind")
    assert browser.find_element(By.ID, "found").text == "0 found"
    assert browser.execute_script(marked) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(visit, browser, scheme):
    """As the system says; the button changes it. Text can be read in both."""
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    small(visit)
    other = "dark" if scheme == "light" else "light"
    for theme in (scheme, other):
        assert browser.execute_script("return document.documentElement.dataset.theme") == theme
        worst = browser.execute_script(CONTRAST)
        assert worst[0] >= 4.5, worst
        browser.find_element(By.ID, "theme").click()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


# The least contrast (WCAG) of texts to what they stand on, at the last step.
CONTRAST = """
go(frames.length - 1);
const paint = (css) => css.match(/[\\d.]+/g).map(Number);
const light = (css) => paint(css).slice(0, 3).map((c) => c / 255)
  .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
const ground = (node) => {
  while (paint(getComputedStyle(node).backgroundColor)[3] === 0) node = node.parentElement;
  return getComputedStyle(node).backgroundColor;
};
const found = [];
for (const text of document.querySelectorAll("#graph .node text")) {
  const shape = text.parentElement.querySelector("polygon, ellipse");
  found.push([ratio(getComputedStyle(text).fill, getComputedStyle(shape).fill), text.textContent]);
}
const others = "h1, h2, h3, p, dt, .number, button:not(:disabled), .phase, #count, code, label, #legend li";
for (const node of document.querySelectorAll(others)) {
  found.push([ratio(getComputedStyle(node).color, ground(node)), node.textContent]);
}
return found.sort((a, b) => a[0] - b[0])[0];
"""


def test_what_can_be_used_has_a_name_and_takes_the_focus(visit):
    browser = small(visit)
    for control in browser.find_elements(By.CSS_SELECTOR, "button, input"):
        assert control.accessible_name, control.get_attribute("id")
    reached = []
    for _ in range(14):
        press(browser, Keys.TAB)
        reached.append(browser.switch_to.active_element.get_attribute("id"))
    assert {"search", "smaller", "fit", "larger", "theme", "graph", "play", "next", "last", "slider"} <= set(reached)


def test_names_are_shown_and_never_interpreted(visit):
    """Whatever is in them, of HTML, of the DOT language, or of the page's own template."""
    labels = [each for each in HOSTILE if each.strip() and "\n" not in each] + [
        "</script><script>window.broken = 1</script>",
        "<img src=x onerror=window.broken=1>",
        "<!-- <script>",
        "{{data}}",
        "${1}",
        "&quot;",
    ]
    leaves = [Value(1.0, label=label) for label in labels]
    root = Value(2.0, leaves, "<b onclick='x'>|{op}", "<svg onload=window.broken=1>")
    browser = visit(root)
    shown = look(browser)["boxes"]
    for label, texts in zip(labels, shown, strict=False):
        wanted = " ".join(label.split())
        wanted = wanted if len(wanted) <= 28 else f"{wanted[:24]} ..."
        assert texts[0].replace("\xa0", " ").strip() == wanted
    press(browser, Keys.END)
    assert "<svg onload=window.broken=1>" in browser.find_element(By.ID, "panel").text
    assert browser.title == "Backpropagation: <svg onload=window.broken=1>"
    ActionChains(browser).move_to_element(browser.find_element(By.ID, "box1")).perform()
    assert labels[1] in browser.find_element(By.ID, "tip").text
    press(browser, "/")
    browser.switch_to.active_element.send_keys("window.broken")
    assert browser.find_element(By.ID, "found").text == "1 of 3"
    assert browser.execute_script("return window.broken") is None
    assert browser.find_elements(By.CSS_SELECTOR, "img, b, #graph script") == []


def test_four_hundred_nodes(visit):
    """It opens, goes to the end and back, and brings what happens into view."""
    generator = np.random.default_rng(0)
    known = [tg.tensor(generator.normal(size=(8, 8)), requires_grad=True, dtype=np.float32) for _ in range(10)]
    while len(known) < 400:
        one, other = (known[-int(i)] for i in generator.integers(1, min(len(known), 12), 2))
        known.append(np.tanh(one + other) if len(known) % 2 else one * other)
    root = known[-1].sum()
    browser = visit(root)
    assert browser.execute_script("return boxes.length") >= 400
    press(browser, Keys.END)
    (count,) = {*look(browser)["count"].split(" of ")}
    assert int(count) > 800
    in_view = """
    const pane = document.getElementById("graph").getBoundingClientRect();
    const spot = document.querySelector(".target").getBoundingClientRect();
    return spot.left >= pane.left && spot.right <= pane.right && spot.top >= pane.top && spot.bottom <= pane.bottom;
    """
    for _ in range(5):
        assert browser.execute_script(in_view)
        press(browser, Keys.ARROW_LEFT)
    root.backward()
    press(browser, Keys.END)
    place = browser.execute_script("return steps[steps.length - 1].target")
    leaf = [each for each in known if each.is_leaf and each.grad is not None]
    means = [round(float(each.grad.data.mean(dtype=np.float64)), 3) for each in leaf]
    text = look(browser)["boxes"][place][2]
    assert round(numbers(text)[0], 3) in means
