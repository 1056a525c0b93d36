"""``report.html``: one file without scripts, with the results of a conversion as tables, plots and pictures."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from itertools import chain

from convert.conversion.attempts import Attempt
from convert.conversion.pipeline import Conversion
from convert.evaluation.accuracy import MEANING
from convert.evaluation.verify import Comparison
from convert.report import markup, sections, wording
from convert.report.json_report import figures, weights_bytes
from convert.results import HEAD
from edge.system.text import printable

MAX_TRIALS = 12
"""Number of ways to feed the model that are shown, best first; report.json has all."""


def html(conversion: Conversion) -> str:
    """The page, to be saved as UTF-8. If nothing could be compared, it says why."""
    shown = conversion.shown
    title = _title(conversion)
    body = [f"<h1>{escape(title)}</h1>"]
    kind = "next" if conversion.chosen else "next refused"
    body.append(markup.paragraph(wording.next_step(conversion), kind))
    body += [markup.paragraph(f"Check first: {remark}.") for remark in conversion.remarks()]
    if shown and shown.comparison and conversion.through_camera:
        both = {"MNIST": shown.comparison, "camera": conversion.through_camera}
        body += [
            _key(conversion, shown, shown.comparison, conversion.through_camera),
            sections.costs(shown.recipe, both),
        ]
        body += [
            _recipes(conversion),
            _input(conversion),
            sections.confusions(shown.recipe, both),
            sections.by_digit(both),
        ]
        body += [sections.reliability(shown.recipe, both), sections.misread(conversion, shown.recipe, both)]
    else:
        body += [_recipes(conversion), _input(conversion)]
    style = (files("convert.report") / "style.css").read_text("utf-8")
    return "\n".join(
        (
            f"{HEAD}{escape(title)}</title>",
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            *body,
            _method(conversion),
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )


def _title(conversion: Conversion) -> str:
    name, shown = printable(conversion.request.model.name), conversion.shown
    if shown is None or shown.comparison is None:
        return f"{name} cannot be converted"
    return f"{name} as {shown.recipe} {wording.loses(shown.comparison.drop)}"


def _key(conversion: Conversion, shown: Attempt, mnist: Comparison, camera: Comparison) -> str:
    weights = weights_bytes(conversion)
    pairs = [
        ("Accuracy on MNIST", f"{mnist.accuracy:.2%}", f"Keras {mnist.accuracy_float:.2%}"),
        ("Accuracy through the camera", f"{camera.accuracy:.2%}", f"Keras {camera.accuracy_float:.2%}"),
        ("Same answer as Keras", f"{mnist.agreement:.2%}", f"of {mnist.images:,} images"),
        (
            "Size",
            wording.size(shown.size_bytes),
            f"{weights / shown.size_bytes:.1f} times smaller than the Keras weights",
        ),
    ]
    if shown.times:
        pairs.append(("Time per digit", f"{shown.times.p50:,.0f} µs", "median, one thread, on this machine"))
    return markup.definitions("key", pairs)


def _recipes(conversion: Conversion) -> str:
    rows, kinds = [], []
    marks = wording.sample_marks(conversion)
    for attempt in conversion.attempts:
        comparison = attempt.comparison
        if comparison is None:
            continue
        star = marks.get(comparison.images, "")
        rows.append((
            attempt.recipe, _no_break(wording.size(attempt.size_bytes)),
            f"{comparison.accuracy:.2%} ({wording.interval(comparison.correct, comparison.images)}){star}",
            wording.signed(-comparison.drop), f"{comparison.agreement:.2%}",
            "" if attempt.times is None else wording.times(attempt.times), wording.runs_in(attempt.runtimes),
        ))  # fmt: skip
        kinds.append("chosen" if attempt is conversion.chosen else "")
    head = ("recipe", "size", "accuracy (95 %)", "change, points", "same answer", "p50 / p95, µs", "runs in")
    refused = [(str(one.recipe), one.problem) for one in conversion.attempts]
    refused += [(f"{one.recipe} in {by.name}", by.problem) for one in conversion.attempts for by in one.runtimes]
    notes = [
        markup.paragraph(wording.limits(conversion)),
        *(markup.paragraph(note, "note") for note in wording.sample_notes(conversion)),
        *(markup.paragraph(f"{what}: {wording.without_folders(why)}") for what, why in refused if why is not None),
    ]
    if not rows:
        return markup.section(wording.choice(conversion), *notes)
    parts = [markup.table(f"Runtimes: {wording.installed(conversion)}", head, rows, kinds)]
    parts += [markup.pair(sections.sizes(conversion), "\n".join(notes))] if len(rows) > 1 else notes
    return markup.section(wording.choice(conversion), *parts)


def _input(conversion: Conversion) -> str:
    detected = conversion.input_format
    rows = [
        (trial.name, f"{trial.images:,}", f"{trial.accuracy:.2%}", f"{trial.loss:.3f}")
        for trial in detected.trials[:MAX_TRIALS]
    ]
    shape = " x ".join(map(str, detected.shape))
    heading = f"The model's input: {detected.paper:g} for paper, {detected.ink:g} for ink"
    parts = [markup.paragraph(f"One input has {shape} values. The outputs are {detected.output}.")]
    if rows:
        kinds = ["chosen"] + [""] * (len(rows) - 1)
        caption = (
            f"{len(rows)} of {len(detected.trials)} combinations tried, the chosen one first; those that read clearly"
            " worse were tried on fewer digits"
        )
        parts.append(markup.table(caption, ("input values", "digits", "accuracy", "loss, nats"), rows, kinds))
    return markup.section(heading, *parts)


def _no_break(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _method(conversion: Conversion) -> str:
    content = figures(conversion)
    data, order, model = content["data"], content["order"], content["model"]
    own = f", {data['calibration_photographed']:,} of them your own" if conversion.request.calibrate else ""
    facts = [
        ("model", model["file"]),
        ("sha256 of the model", model["sha256"]),
        ("loaded by", model["loaded_by"]),
        ("protections", wording.protections(conversion.protections)),
        ("classes", ", ".join(model["labels"])),
        ("made with", ", ".join(f"{name} {version}" for name, version in content["versions"].items())),
        ("calibrated on", f"{data['calibration_images']:,} images{own}, seed {order['seed']}"),
        ("tested on", f"{data['test_images']:,} images, none of them used for calibration"),
        ("sha256 of the data", data["sha256"]),
    ]
    if conversion.shown and conversion.shown.micro:
        facts.insert(4, ("microcontroller", wording.micro(conversion.shown.micro)))
    if result := content["result"]:
        said = wording.temperature(result["temperature"], result["mnist"]["calibration_error"])
        facts.insert(4, ("temperature", said))
    terms = "\n".join(chain.from_iterable((f"<dt>{escape(a)}</dt>", f"<dd>{escape(b)}</dd>") for a, b in facts))
    method = (
        f"{MEANING} Intervals are 95 % confidence intervals (Wilson 1927). The camera is synthetic: it sees the same"
        " test images on paper, written with several pens, rotated, in shadow, out of focus and with noise. Times (p50:"
        " median, p95: 95th percentile) are from pixels to probabilities, on one thread of the machine that made this"
        " page. report.json contains these results and more."
    )
    return markup.section("How this was measured", markup.paragraph(method), f'<dl class="facts">\n{terms}\n</dl>')
