"""Seeded damage to the bytes of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Kind = Callable[[bytes, int, np.random.Generator], bytes]


def damaged(content: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """Yield ``count`` variants: of five, two flip the next byte, two cut at the next length."""
    rng = np.random.default_rng(seed)
    for case in range(count):
        five, place = divmod(case, 5)
        if place < 4:
            yield IN_TURN[place % 2](content, 2 * five + place // 2, rng)
        else:
            yield ANYWHERE[five % 4](content, five // 4, rng)


def _place(content: bytes, turn: int, rng: np.random.Generator) -> int:
    return turn if turn < len(content) else int(rng.integers(len(content)))


def flipped_in_turn(content: bytes, turn: int, rng: np.random.Generator) -> bytes:
    """One bit of one byte, the bytes in turn from the first."""
    place = _place(content, turn, rng)
    return content[:place] + bytes([content[place] ^ 1 << int(rng.integers(8))]) + content[place + 1 :]


def cut_in_turn(content: bytes, turn: int, rng: np.random.Generator) -> bytes:
    """The first bytes alone: none, one, two and so on."""
    return content[: _place(content, turn, rng)]


def flipped(content: bytes, turn: int, rng: np.random.Generator) -> bytes:
    """One bit of a byte anywhere."""
    return flipped_in_turn(content, len(content), rng)


def scattered(content: bytes, turn: int, rng: np.random.Generator) -> bytes:
    """Two to eight bytes anywhere become others."""
    variant = bytearray(content)
    for place in rng.integers(len(content), size=rng.integers(2, 9)):
        variant[place] ^= int(rng.integers(1, 256))
    return bytes(variant)


def _stretch(content: bytes, rng: np.random.Generator) -> slice:
    start = int(rng.integers(len(content)))
    return slice(start, start + 1 + int(len(content) * rng.random() ** 3))


def spliced(content: bytes, turn: int, rng: np.random.Generator) -> bytes:
    """A stretch becomes zeros, comes twice, is lost, or is shuffled, or bytes are put in, or come after the end."""
    where = _stretch(content, rng)
    before, piece, after = content[: where.start], content[where], content[where.stop :]
    noise = rng.bytes(int(rng.integers(1, 65)))
    pieces = (bytes(len(piece)), piece + piece, b"", bytes(rng.permutation(list(piece)).tolist()), noise + piece)
    return (*(before + new + after for new in pieces), content + noise)[turn % 6]


def swapped(content: bytes, turn: int, rng: np.random.Generator) -> bytes:
    """Two stretches of one length change places."""
    size = 1 + int(rng.integers(max(1, len(content) // 3)))
    a, b = sorted(rng.integers(len(content) - size + 1, size=2).tolist())
    b = min(max(b, a + size), len(content) - size)
    if b < a + size:
        return flipped(content, turn, rng)
    return b"".join(
        (content[:a], content[b : b + size], content[a + size : b], content[a : a + size], content[b + size :])
    )


IN_TURN: tuple[Kind, ...] = (flipped_in_turn, cut_in_turn)
ANYWHERE: tuple[Kind, ...] = (flipped, scattered, spliced, swapped)
