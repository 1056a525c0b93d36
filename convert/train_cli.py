"""The command ``edge-train``."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from convert.system import command_line
from edge.errors import ConvertError


def main(arguments: Sequence[str]) -> int:
    """Run ``edge-train`` with these arguments. Returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.output.suffix != ".h5":
        parser.error(f"-o {options.output}: the file to write must end in .h5")

    def work(stderr: TextIO) -> None:
        from convert import load
        from convert.data import corrections, mnist
        from convert.evaluation import accuracy
        from convert.system import files, progress
        from convert.training import train

        started = time.monotonic()
        checkpoint, figures = (options.output.with_suffix(end) for end in (".checkpoint.keras", ".progress.jsonl"))
        for path in (options.output, checkpoint, figures):
            files.check_writable(path)
        if options.resume and not checkpoint.exists():
            raise _nothing_to_resume(checkpoint, options.output)
        data = mnist.load_mnist(options.data)
        if options.limit:
            data = data.limited(options.limit)
        also = corrections.load(options.also) if options.also else None
        start = load.load(options.start) if options.start else None
        with progress.counted("epoch", options.epochs, stderr) as show:
            trained = train.train(
                data,
                epochs=options.epochs,
                seed=options.seed,
                on_epoch=lambda one: show(int(one["epoch"]), train.words(one)),
                on_resume=lambda done: show(done, f"continued from {checkpoint}"),
                patience=options.patience,
                start=start,
                checkpoint_file=checkpoint,
                progress=figures,
                also=also,
                marks_folder=options.marks,
            )
        share = train.reads(trained.model, data.test, data.test_labels)
        train.save(trained.model, options.output)
        checkpoint.unlink()
        if options.patience:
            best = train.words(trained.epochs[trained.kept - 1])
            command_line.say(f"Weights of epoch {trained.kept}, the best of {len(trained.epochs)}: {best}")
        command_line.say(
            f"{options.output}: {trained.model.count_params():,} parameters, {accuracy.words(share, len(data.test))},"
            f" trained in {command_line.time_since(started)}"
        )

    return command_line.run("edge-train", options.debug, work)


def _nothing_to_resume(checkpoint: Path, out: Path) -> ConvertError:
    if not out.exists():
        return ConvertError(f"{checkpoint}: no such file, so nothing can be continued; leave out --resume")
    # It is deleted when the training is done.
    return ConvertError(
        f"{out}: is finished, it has no checkpoint to continue; train it further with --start"
        f" {shlex.quote(str(out))} instead of --resume, or leave out --resume to train anew"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-train",
        usage="%(prog)s [options]\n       %(prog)s belief --marks FOLDER [options]",
        description="Train a Keras model for edge-convert: on MNIST and generated handwriting, both varied and partly"
        " seen through a virtual camera, and on marks that are not digits. One in eleven of MNIST's training images is"
        " held out: how it reads those is shown after each epoch, and written with the rest to OUT.progress.jsonl."
        " After each epoch a checkpoint is saved as OUT.checkpoint.keras; the same command continues from it, also"
        " after Ctrl-C. 'edge-train belief' makes the file that says how far a reading of that model can be believed.",
        epilog=command_line.EXIT_STATUS,
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT.h5", type=Path, default=Path("models/mnist.h5"),
        help="Keras file to write (default: %(default)s)",
    )  # fmt: skip
    command_line.add_data(parser)
    parser.add_argument(
        "--epochs",
        metavar="N",
        type=command_line.whole_number(1),
        default=40,
        help="number of epochs (default: %(default)s)",
    )
    parser.add_argument(
        "--patience", metavar="N", type=command_line.whole_number(1),
        help="stop when the held-out digits have not been read better for N epochs, and keep the best epoch's weights;"
        " this saves time, but the learning rate falls until --epochs, and much is gained at its end (default: train"
        " all epochs, and keep the last one's weights)",
    )  # fmt: skip
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue from the checkpoint, and fail if there is none (default: begin then)",
    )
    parser.add_argument(
        "--start",
        metavar="MODEL.h5",
        type=Path,
        help="train this model further; edge-train must have made it (default: start untrained)",
    )
    parser.add_argument(
        "--also", metavar="FOLDER", type=Path,
        help="also train on your own digits, a folder that edge corrections export wrote (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--marks", metavar="FOLDER", type=Path,
        help="also train on digits, letters and symbols of many writers, a folder of .npz files; only with it the model"
        " learns minus, slash, plus, equals, bracket, percent, times and letter (default: none)",
    )  # fmt: skip
    command_line.add_seed(parser, "seed of the initial weights and of all random variation")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=command_line.whole_number(1),
        help="take only the first N training images, for a quick test",
    )
    command_line.add_debug(parser)
    return parser
