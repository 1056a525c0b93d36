"""The command ``edge-train belief``."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from convert.system import command_line

PAGES = 12_000
"""Default number of generated pages to fit on."""
EPOCHS = 12
"""Default number of epochs of the network that looks at views."""
THREADS = 4
"""TensorFlow's threads while it trains. The order of its sums depends on them: always as many, so that the same seed
gives the same file whatever the number of cores. Chosen: most workstations have as many cores."""


def main(arguments: Sequence[str]) -> int:
    """Run ``edge-train belief``. Returns the exit status: 0 done, 1 failed, 130 interrupted; argparse exits with 2."""
    options = _parser().parse_args(arguments)

    def work(stderr: TextIO) -> None:
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(THREADS)
        from convert.system import files, progress
        from convert.training import belief, belief_card
        from convert.training.belief_samples import Pages, Place, Samples, collect

        started = time.monotonic()
        files.check_writable(options.output)
        place = Place(options.model, options.marks, options.data)
        place.check()
        sets = belief.page_sets(options.pages, options.seed)
        views, weights, held_out = sets

        def gather(*wanted: Pages) -> list[Samples]:
            with progress.counted("page", sum(pages.count for pages in wanted), stderr) as show_pages:
                done = 0

                def count(more: int) -> None:
                    nonlocal done
                    done += more
                    show_pages(done, "")

                return [collect(place, pages, count) for pages in wanted]

        seen, judged_by = gather(views, held_out)
        with progress.counted("epoch", options.epochs, stderr) as show_epoch:
            model = belief.fit_views(seen, judged_by, epochs=options.epochs, seed=options.seed, on_epoch=show_epoch)
        network = belief.quantised(model, seen["view"], options.seed)
        # What the first network says is part of the evidence that the second one weighs.
        place = replace(place, network=network)
        samples, judged_by = gather(weights, held_out)
        # Without folders: they are this machine's.
        command = f"edge-train belief --pages {options.pages} --epochs {options.epochs} --seed {options.seed}"
        content, card = belief_card.finished(network, command, place, sets, samples, judged_by, options.seed)
        with files.atomic_write(options.output) as temporary:
            temporary.write_bytes(content)
        for line in belief_card.table(card):
            print(line)
        print(f"{options.output}: {len(content):,} bytes, fitted in {command_line.time_since(started)}")

    return command_line.run("edge-train", options.debug, work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-train belief",
        usage="%(prog)s --marks FOLDER [options]",
        description="Make the file that says how far a reading can be believed: fit two small networks to what a"
        " model makes of generated pages, written by many writers, with the truth known. At the end a table shows how"
        " well they judge pages of other writers. The file is of that model: make it again when the model changes.",
        epilog=command_line.EXIT_STATUS,
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT.tflite", type=Path, default=Path("models/belief.tflite"),
        help="file to write (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--model", metavar="MODEL.tflite", type=Path, default=Path("models/mnist.tflite"),
        help="model that reads, with a class for what is no digit (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--marks", metavar="FOLDER", type=Path, required=True,
        help="digits, letters and symbols of many writers, a folder of .npz files with backgrounds/",
    )  # fmt: skip
    command_line.add_data(parser)
    parser.add_argument(
        "--pages", metavar="N", type=command_line.whole_number(20), default=PAGES,
        help="number of pages to fit on, at least 20; an eighth as many are kept to judge by (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--epochs", metavar="N", type=command_line.whole_number(1), default=EPOCHS,
        help="number of epochs of the network that looks at views (default: %(default)s)",
    )  # fmt: skip
    command_line.add_seed(parser, "seed of the pages, the initial weights and of all random variation")
    command_line.add_debug(parser)
    return parser
