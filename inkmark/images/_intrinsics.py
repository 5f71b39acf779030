"""Operations that kernels are made of, where the compiler finds no fast ones by itself.

numba keeps the machine code of `_kernels.py` and `_byte_kernels.py`, which have these baked in,
until the file itself changes: after a change here, it has to be touched, or the old code runs on.
"""

from __future__ import annotations

from typing import Any

from llvmlite.ir import Constant, IntType, Undefined, VectorType
from numba import types
from numba.extending import intrinsic

__all__ = ["add_eight", "copy_eight", "eight_bytes"]


def _load(_context: Any, data: Any, _place: Any) -> Any:
    """Make the code that loads the 64 bits from a byte on, first byte highest."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        first = builder.gep(array.data, [arguments[1]])
        word = context.get_value_type(types.uint64).as_pointer()
        return builder.bswap(builder.load(builder.bitcast(first, word), align=1))

    return types.uint64(data, types.uint64), generate


eight_bytes: Any = intrinsic(_load)
"""The 64 bits from a byte on, in one load; written out in Python it would be eight."""


def _copy(_context: Any, source: Any, _at: Any, target: Any, _to: Any) -> Any:
    """Make the code that copies the 64 bits from a byte on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = context.get_value_type(types.uint64).as_pointer()
        places = []
        for k in (0, 2):
            array = context.make_array(signature.args[k])(context, builder, arguments[k])
            place = builder.gep(array.data, [arguments[k + 1]])
            places.append(builder.bitcast(place, word))
        copied = builder.load(places[0], align=1)
        builder.store(copied, places[1], align=1)
        return copied

    return types.uint64(source, types.uint64, target, types.uint64), generate


copy_eight: Any = intrinsic(_copy)
"""``target[to : to + 8] = source[at : at + 8]``; gives the bytes as one number, in any order."""


def _add_along(_context: Any, rows: Any, _at: Any, _along: Any, _k: Any, _level: Any) -> Any:
    """Make the code that adds a row of eight numbers, times a level, to another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, at, along, k, level = arguments
        eight = VectorType(level.type, 8)
        places = []
        for kind, array, index in ((signature.args[0], rows, at), (signature.args[2], along, k)):
            start = context.make_array(kind)(context, builder, array).data
            place = builder.gep(start, [builder.shl(index, index.type(3))])
            places.append(builder.bitcast(place, eight.as_pointer()))
        total, share = (builder.load(place, align=4) for place in places)
        nothing, number = Constant(eight, Undefined), IntType(32)
        one = builder.insert_element(nothing, level, number(0))
        levels = builder.shuffle_vector(one, nothing, Constant(VectorType(number, 8), None))
        builder.store(builder.fadd(total, builder.fmul(levels, share)), places[0], align=4)
        return context.get_dummy_value()

    return types.void(rows, types.uint64, _along, types.uint64, types.float32), generate


add_eight: Any = intrinsic(_add_along)
"""``rows[at] += level * along[k]``, in rows of eight; the compiler would do one by one."""
