"""How large an arena a model needs in TFLM: the memory for its tensors while it runs, and for what TFLM knows of them.

TFLM takes both from the arena: from its start the tensors, of which those share memory that are not needed at the same
time, and from its end what stays. What follows does the same, with the sizes that TFLM's structures have where a
pointer has 64 bits; on microcontrollers, where it has 32, they take about half. Sources, in tensorflow/lite/micro of
https://github.com/tensorflow/tflite-micro: micro_allocator.cc, micro_allocation_info.cc (lifetimes) and
memory_planner/greedy_memory_planner.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

from convert.tflite.layout import Layout, Operator

ALIGNMENT = 16
"""Bytes: what TFLM aligns buffers to."""
FIXED_BYTES = 512
"""What TFLM keeps for any model. Measured with tflite-micro of 2026-10-23: 488 and the gaps of alignment."""
TENSOR_BYTES, OPERATOR_BYTES, END_BYTES = 24, 64, 96
"""sizeof TfLiteEvalTensor, sizeof NodeAndRegistration; TfLiteTensor and its quantisation, for each input and output."""
PARAMETER_BYTES = 160
"""What an operator keeps at most besides its channels: its options and its kernel's data. Measured, as above: 152."""
PLANNED_BYTES = 80
"""What the planner needs for each tensor, before the first run: AllocationInfo, and its own entry."""
PREPARATION_BYTES = 768
"""What is needed besides channels while a kernel prepares: 12 requests of memory, and four quantised tensors."""
PER_CHANNEL = {"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"}
"""Operators whose kernel keeps a multiplier and a shift, of 4 bytes each, for each channel of its weights."""


@dataclass(frozen=True, slots=True)
class _Buffer:
    size_bytes: int
    """A multiple of ALIGNMENT."""
    first: int
    """The number of the operator, from 1, that writes it; 0 for the input."""
    last: int
    """That of the last operator that reads it."""


def estimate(layout: Layout) -> int:
    """The size of the arena in bytes: enough for TFLM's reference kernels.

    Kernels made for a processor, such as CMSIS-NN's, may need more for themselves.
    """
    channels = [_channels(layout, one) for one in layout.operators]
    kept = (
        FIXED_BYTES
        + TENSOR_BYTES * len(layout.tensors)
        + (OPERATOR_BYTES + PARAMETER_BYTES) * len(layout.operators)
        + END_BYTES * (len(layout.inputs) + len(layout.outputs))
        + sum(2 * _aligned(4 * count) for count in channels)
    )
    planning = PLANNED_BYTES * (len(layout.tensors) + len(layout.operators))
    preparing = PREPARATION_BYTES + 8 * max(channels, default=0)
    # And what is lost where the arena itself is not aligned.
    return _aligned(kept) + max(planned(layout), planning, preparing) + ALIGNMENT


def planned(layout: Layout) -> int:
    """The size of all tensors together in bytes as TFLM's greedy planner places them: each, the largest first, in the
    first gap that is free for as long as it is needed.
    """
    placed: list[tuple[int, _Buffer]] = []
    # TFLM sorts what it has put in from the end, and keeps the order of equals.
    for buffer in sorted(reversed(_buffers(layout)), key=lambda one: -one.size_bytes):
        offset = 0
        for start, other in sorted(placed, key=lambda pair: pair[0]):
            if other.first > buffer.last or buffer.first > other.last:
                continue
            if start - offset >= buffer.size_bytes:
                break
            offset = max(offset, start + other.size_bytes)
        placed.append((offset, buffer))
    return max((offset + buffer.size_bytes for offset, buffer in placed), default=0)


def _buffers(layout: Layout) -> list[_Buffer]:
    """The tensors that need memory, in their order, then what kernels need while they run."""
    first = dict.fromkeys(layout.inputs, 0)
    last = dict(first)
    for at, operator in enumerate(layout.operators, 1):
        for index in operator.outputs:
            first.setdefault(index, at)
        last.update(dict.fromkeys((*operator.inputs, *operator.outputs), at))
    last.update(dict.fromkeys(layout.outputs, len(layout.operators)))
    tensors = [
        _Buffer(_aligned(tensor.size_bytes), first[index], last[index])
        for index, tensor in enumerate(layout.tensors)
        if index in first and not tensor.is_constant and tensor.values
    ]
    own = [
        _Buffer(_aligned(size), at, at)
        for at, operator in enumerate(layout.operators, 1)
        for size in _scratch(layout, operator)
    ]
    return tensors + own


def _scratch(layout: Layout, operator: Operator) -> list[int]:
    """What a reference kernel needs while it runs, in bytes."""
    read, written = ([layout.tensors[i] for i in indices] for indices in (operator.inputs, operator.outputs))
    if operator.name in ("MEAN", "TRANSPOSE_CONV"):
        # Sums in 32 bits.
        return [4 * written[0].values]
    if operator.name in ("REDUCE_MAX", "REDUCE_MIN"):
        return [4 * len(read[0].shape), 4 * read[1].values]
    if operator.name == "BATCH_MATMUL":
        # Both, perhaps transposed.
        return [one.size_bytes for one in read]
    return []


def _channels(layout: Layout, operator: Operator) -> int:
    """How many channels the weights have of an operator that keeps something for each."""
    if operator.name not in PER_CHANNEL:
        return 0
    return max(len(layout.tensors[i].scales) for i in operator.inputs)


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // ALIGNMENT) * ALIGNMENT
