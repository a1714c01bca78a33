"""From names that people choose, in any script, to Python names that work in a module class."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

# Every name of `dir(nn.Module)` and of its instances breaks a generated class when a child takes
# it; names that begin with an underscore are never made here. A test compares with torch.
_MODULE = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule
half ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters
parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict
to to_empty train training type xpu zero_grad
"""
_GENERATED = "torch nn F math Tensor self super cls annotations"
# Style checks take a call of `self.assert_` for a deprecated one of unittest.
_DEPRECATED = """
assert_ assertAlmostEquals assertEquals assertNotAlmostEquals assertNotEquals assertNotRegexpMatches
assertRaisesRegexp assertRegexpMatches failIf failIfAlmostEqual failIfEqual failUnless
failUnlessAlmostEqual failUnlessEqual failUnlessRaises
"""

RESERVED = frozenset(
    (
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
        *_MODULE.split(),
        *_GENERATED.split(),
        *_DEPRECATED.split(),
    )
)
"""Names that generated code may not use for a layer, an input or a variable."""

LONGEST = 40


def python_name(name: str, taken: Container[str] = ()) -> str:
    """A readable ASCII identifier for `name` that is neither reserved nor in `taken`.

    The same arguments give the same result.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^0-9A-Za-z]+", "_", plain).strip("_")[:LONGEST].rstrip("_") or "layer"
    if stem[0].isdigit():
        stem = f"layer_{stem}"
    if stem in RESERVED:
        stem = f"layer_{stem}" if f"{stem}_" in RESERVED else f"{stem}_"
    candidate, number = stem, 2
    while candidate in taken:
        candidate = f"{stem.rstrip('_')}_{number}"
        number += 1
    return candidate


def is_python_name(name: str) -> bool:
    """Whether `name` may stand in generated code as it is."""
    return (
        name.isidentifier()
        and name.isascii()
        and name not in RESERVED
        and not name.startswith("_")
        and len(name) <= LONGEST + 8
    )


AMBIGUOUS = frozenset("lOI")
"""Names that look like a digit; style checks refuse them for values."""

LONGEST_LOCAL = 20
"""A longer name of a value is cut, so that every line fits; attributes are kept as they are."""

LONGEST_ARGUMENT = 40
"""A variable with a longer name has a shorter one in code, so that every line fits."""


def local_name(name: str, taken: Container[str], longest: int = LONGEST_LOCAL) -> str:
    """A Python name for a value or an argument: short, and none that looks like a digit."""
    short = name[:longest].rstrip("_")
    return python_name(f"{short}_value" if short in AMBIGUOUS else short, taken)


def argument_names(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Variables as arguments of a class whose modules have the names `taken`."""
    used = set(taken)
    found: dict[str, str] = {}
    for name in names:
        found[name] = local_name(name, used, LONGEST_ARGUMENT)
        used.add(found[name])
    return found
