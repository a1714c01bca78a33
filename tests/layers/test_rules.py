"""Windows take the places that can be counted one by one, also on axes that are free."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designer.core.layer import LayerError
from designer.core.size import UNKNOWN, Size, free, substitute
from designer.core.tensor import ANYTHING
from designer.layers.rules import FLOATS, Window, check_dtype, divides, per_axis
from tests.layers.oracle import made, t

small = st.integers(1, 9)
windows = st.builds(Window, small, small, st.integers(0, 4), st.integers(1, 3))


def starts(window: tuple[int, int, int, int], size: int) -> list[int]:
    """Where the window starts and ends within the padded axis, counted from its left edge."""
    kernel, stride, padding, dilation = window
    last = size + 2 * padding - (dilation * (kernel - 1) + 1)
    return [start for start in range(0, size + 2 * padding, stride) if start <= last]


def starts_up(window: tuple[int, int, int, int], size: int) -> list[int]:
    """The same, and one more place that hangs over, if it starts before the right padding."""
    kernel, stride, padding, dilation = window
    whole = starts(window, size)
    after = len(whole) * stride
    last = size + 2 * padding - (dilation * (kernel - 1) + 1)
    hangs = last % stride != 0 and after < size + padding
    return [*whole, after] if hangs else [s for s in whole if s < size + padding]


@given(windows, st.integers(1, 40))
def test_places(window: Window, size: int) -> None:
    numbers: tuple[int, int, int, int] = tuple(window)  # type: ignore[assignment]
    fits = bool(starts(numbers, size))
    assert window.fits(size) is fits
    if fits:
        assert window.places(size) == len(starts(numbers, size))
        assert window.places_up(size) == len(starts_up(numbers, size))


@given(windows, st.integers(1, 40))
def test_a_free_axis_gives_the_same_when_its_size_is_known(window: Window, size: int) -> None:
    axis: Size = free("H")
    assert window.fits(axis)
    assert substitute(window.places(axis), {"H": size}) == window.places(size)
    assert substitute(window.places_up(axis), {"H": size}) == window.places_up(size)


def test_an_unknown_axis_stays_unknown() -> None:
    window = Window(3, 2, 1, 1)
    assert window.fits(UNKNOWN)
    assert window.places(UNKNOWN) is UNKNOWN
    assert window.places_up(UNKNOWN) is UNKNOWN


def test_one_value_holds_for_all_axes() -> None:
    assert per_axis(made("Conv3d", stride=2), "stride", 3) == (2, 2, 2)
    assert per_axis(made("Conv3d", stride=(2,)), "stride", 3) == (2, 2, 2)
    assert per_axis(made("Conv3d", stride=(1, 2, 3)), "stride", 3) == (1, 2, 3)
    with pytest.raises(LayerError, match="takes 3 values of stride, got 1"):
        per_axis(made("Conv3d", stride=(2,)), "stride", 3, exactly=True)


def test_divisibility_that_cannot_be_known_is_granted() -> None:
    assert divides(4, 8)
    assert not divides(3, 8)
    assert divides(3, 0)
    assert divides(4, UNKNOWN)
    assert divides(4, free("C"))


def test_the_dtype_of_what_is_not_known_is_not_refused() -> None:
    layer = made("Linear")
    check_dtype(layer, ANYTHING.with_dtype("int64"), FLOATS)
    with pytest.raises(LayerError, match=r"Linear takes floats, got int64\."):
        check_dtype(layer, t(2, dtype="int64"), FLOATS)
