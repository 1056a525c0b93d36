"""``report.html``: one file without scripts that shows what a conversion costs, in figures, plots and pictures."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from itertools import chain

from convert.conversion.attempts import Attempt
from convert.conversion.pipeline import Done
from convert.evaluation.verify import Comparison
from convert.report import markup, views, words
from convert.report.facts import figures, weights_bytes

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with the page: nothing but show it."""


def html(done: Done) -> str:
    """The page, UTF-8. Where nothing could be compared, it says why."""
    shown = done.shown
    title = _title(done)
    body = [f"<h1>{escape(title)}</h1>"]
    if said := words.problem(done):
        body.append(markup.paragraph(said, "refused"))
    if shown and shown.comparison and done.through_camera:
        both = {"MNIST": shown.comparison, "camera": done.through_camera}
        body += [_key(done, shown, shown.comparison, done.through_camera), views.costs(shown.recipe, both)]
        body += [_recipes(done), _input(done), views.confusions(shown.recipe, both), views.by_digit(both)]
        body += [views.reliability(shown.recipe, both), views.misread(done, shown.recipe, both)]
    else:
        body += [_recipes(done), _input(done)]
    style = (files("convert.report") / "style.css").read_text("utf-8")
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            *body,
            _made_of(done),
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )


def _title(done: Done) -> str:
    name, shown = done.order.model.name, done.shown
    if shown is None or shown.comparison is None:
        return f"{name} cannot be converted"
    return f"{name} as {shown.recipe} {words.loses(shown.comparison.drop)}"


def _key(done: Done, shown: Attempt, mnist: Comparison, camera: Comparison) -> str:
    weights = weights_bytes(done)
    pairs = [
        ("Accuracy on MNIST", f"{mnist.accuracy:.2%}", f"Keras {mnist.accuracy_float:.2%}"),
        ("Through the camera", f"{camera.accuracy:.2%}", f"Keras {camera.accuracy_float:.2%}"),
        ("Same answer", f"{mnist.agreement:.2%}", f"of {mnist.images:,} images"),
        ("Size", words.size(shown.size_bytes), f"{weights / shown.size_bytes:.1f} times smaller than its weights"),
    ]
    if shown.times:
        pairs.append(("Time", f"{shown.times.p50:,.0f} µs", "a digit, median, one thread here"))
    return markup.definitions("key", pairs)


def _recipes(done: Done) -> str:
    rows, kinds = [], []
    for tried in done.attempts:
        found = tried.comparison
        if found is None:
            continue
        star = "*" if words.surveyed(done, tried) else ""
        rows.append((
            tried.recipe, _unbroken(words.size(tried.size_bytes)),
            f"{found.accuracy:.2%} ({words.interval(found.correct, found.images)}){star}",
            words.signed(-found.drop), f"{found.agreement:.2%}",
            "" if tried.times is None else _unbroken(words.times(tried.times)), words.runs_in(tried.runtimes),
        ))  # fmt: skip
        kinds.append("chosen" if tried is done.chosen else "")
    head = ("recipe", "size", "accuracy (95 %)", "change, points", "same answer", "p50 / p95, µs", "runs in")
    parts = [markup.paragraph(words.asked(done))]
    if rows:
        parts.append(markup.table(f"Runtimes: {words.installed(done)}", head, rows, kinds))
        parts += [markup.paragraph(said, "note") for said in (words.fewer(done),) if said]
    if len(rows) > 1:
        parts.append(views.sizes(done))
    refused = [(str(one.recipe), one.problem) for one in done.attempts]
    refused += [(f"{one.recipe} in {by.name}", by.problem) for one in done.attempts for by in one.runtimes]
    parts += [markup.paragraph(f"{what}: {words.placeless(why)}") for what, why in refused if why is not None]
    return markup.section(words.choice(done), *parts)


def _input(done: Done) -> str:
    found = done.convention
    rows = [(trial.name, f"{trial.accuracy:.2%}", f"{trial.loss:.3f}") for trial in found.trials]
    shape = " x ".join(map(str, found.shape))
    heading = f"It wants paper as {found.paper:g} and ink as {found.ink:g}"
    parts = [markup.paragraph(f"One input is {shape}; its outputs are taken as {found.output}.")]
    if rows:
        kinds = ["chosen"] + [""] * (len(rows) - 1)
        caption = f"Tried on {done.convention.images:,} digits, the one taken first"
        parts.append(markup.table(caption, ("fed with", "reads right", "loss, nats"), rows, kinds))
    parts += [markup.paragraph(f"Note: {remark}.") for remark in found.remarks()]
    return markup.section(heading, *parts)


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _made_of(done: Done) -> str:
    said = figures(done)
    data, order, model = said["data"], said["order"], said["model"]
    photographed = f", {data['calibration_photographed']:,} of them photographed" if done.order.calibrate else ""
    facts = [
        ("model", model["file"]),
        ("its sha256", model["sha256"]),
        ("loaded by", model["loaded_by"]),
        ("it tells apart", ", ".join(model["labels"])),
        ("made with", ", ".join(f"{name} {version}" for name, version in said["versions"].items())),
        ("calibrated on", f"{data['calibration_images']:,} images{photographed}, seed {order['seed']}"),
        ("tested on", f"{data['test_images']:,} images that it was not calibrated on"),
        ("data's sha256", data["sha256"]),
    ]
    if said["result"]:
        facts.insert(4, ("temperature", words.temperature(said["result"]["temperature"])))
    terms = "\n".join(chain.from_iterable((f"<dt>{escape(a)}</dt>", f"<dd>{escape(b)}</dd>") for a, b in facts))
    method = (
        "Intervals hold 95 % (Wilson 1927). The camera is synthetic: it sees the same test images written on paper by"
        " several pens, turned, in shadow, out of focus and with noise. Times are from pixels to probabilities, on one"
        " thread of the machine that made this page. The same figures, and more, are in report.json."
    )
    return markup.section("How this was measured", markup.paragraph(method), f'<dl class="facts">\n{terms}\n</dl>')
