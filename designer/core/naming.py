"""The edits of names: variables, free dimensions, and the title of a design."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core import expression
from designer.core.block import BLOCK, has_meaning
from designer.core.document import inside
from designer.core.drafting import Refused
from designer.core.expression import Expression
from designer.core.kinds import uses_of
from designer.core.message import message
from designer.core.option import AXIS_LIMIT, names_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.document import Dimension, Draft, Edit, Variable
    from designer.core.graph import NodeId
    from designer.core.option import Raw


def set_variable(name: str, variable: Variable) -> Edit:
    """Declare a variable, or give a declared one another value, note or assumption."""

    def edit(draft: Draft) -> None:
        if name not in draft.document.variables:
            _check_name(draft, name)
        _check_text(variable.note)
        _check_range(name, variable)
        draft.put("variable", name, variable)

    return edit


def _check_range(name: str, variable: Variable) -> None:
    least, most = variable.least, variable.most
    for limit in (least, most):
        if limit is not None and (isinstance(limit, bool) or not abs(limit) <= AXIS_LIMIT):
            text = "{name} needs a range of numbers up to {limit}, got {got}."
            raise Refused(message(text, name=name, limit=AXIS_LIMIT, got=limit))
    if least is not None and most is not None and least > most:
        text = "The range of {name} goes from {least} to {most}: it is empty."
        raise Refused(message(text, name=name, least=least, most=most))


def set_dimension(name: str, dimension: Dimension) -> Edit:
    """Declare a free dimension, or change what is said of it."""

    def edit(draft: Draft) -> None:
        if name not in draft.document.dimensions:
            _check_name(draft, name)
        _check_text(dimension.meaning)
        if not (1 <= dimension.trial <= AXIS_LIMIT and 1 <= dimension.multiple <= AXIS_LIMIT):
            raise Refused(
                message("{name} needs sizes from 1 to {limit}.", name=name, limit=AXIS_LIMIT)
            )
        draft.put("dimension", name, dimension)

    return edit


TEXT_LIMIT = 100_000


def _check_text(text: str) -> None:
    """Titles and notes may be long and hold any script, but nothing that a file cannot."""
    if len(text) > TEXT_LIMIT or any(not c.isprintable() and c not in "\n\t" for c in text):
        raise Refused(
            message("A text has at most {limit} characters, all of them visible.", limit=TEXT_LIMIT)
        )


def _check_name(draft: Draft, name: str) -> None:
    problem = expression.check_name(name)
    if problem is not None:
        raise Refused(problem)
    if name in draft.document.variables or name in draft.document.dimensions:
        raise Refused(message("{name} is declared already.", name=name))
    if draft.level and has_meaning(name):
        raise Refused(message("Every block has {name} already.", name=name))


def _section(draft: Draft, name: str) -> str:
    """Where a name is declared; Refused where it is not."""
    if name in draft.document.variables:
        return "variable"
    if name in draft.document.dimensions:
        return "dimension"
    raise Refused(message("{name} is not declared.", name=name))


def remove_name(name: str) -> Edit:
    """Remove a variable or free dimension that nothing uses; refused with its uses otherwise."""

    def edit(draft: Draft) -> None:
        section, used = _section(draft, name), uses(draft, name)
        if used:
            raise Refused(message("{name} is used by {uses}.", name=name, uses=", ".join(used[:8])))
        draft.put(section, name, None)
        if section == "variable" and not draft.level:
            _forget_in_presets(draft, name)
        elif section == "variable":
            _forget_argument(draft, name)

    return edit


def uses(draft: Draft, name: str) -> list[str]:
    """What uses a name: `layer.option` and variables, in stored order."""
    seen = {level: draft.whole.at(level).graph for level in _levels(draft, name)}
    found = [
        f"{graph.nodes[id].name}.{option}"
        for graph in seen.values()
        for id in graph.ids()
        for option, raw in graph.nodes[id].options
        if name in names_in(raw)
    ]
    for other, variable in draft.document.variables.items():
        if name in names_in(variable.value) or name in variable.divisors:
            found.append(other)
    return found


def _levels(draft: Draft, name: str) -> list[str]:
    """Where a name means what it means here: a dimension in all blocks without such an argument."""
    if name in draft.document.variables:
        return [draft.level]
    blocks = draft.whole.blocks.items()
    return ["", *(level for level, block in blocks if name not in block.arguments)]


def rename_name(old: str, new: str) -> Edit:
    """Rename a variable or free dimension wherever it is used; as one edit."""

    def edit(draft: Draft) -> None:
        section, levels = _section(draft, old), _levels(draft, old)
        _check_name(draft, new)
        names: Mapping[str, object] = getattr(draft.document, f"{section}s")
        order = tuple(new if name == old else name for name in names)
        draft.put(section, new, names[old])
        draft.put(section, old, None)
        draft.put(f"{section} order", None, order)
        for level in levels:
            inside(level, _rename_uses(old, new))(draft)
        if section == "variable" and not draft.level:
            _rename_in_presets(draft, old, new)
        elif section == "variable":
            _rename_argument(draft, old, new)

    return edit


def _rename_uses(old: str, new: str) -> Edit:
    def edit(draft: Draft) -> None:
        _rename_in_variables(draft, old, new)
        _rename_in_nodes(draft, old, new)

    return edit


def _rename_in_presets(draft: Draft, old: str, new: str) -> None:
    for name, preset in draft.whole.presets.items():
        if old in preset:
            values = {new if key == old else key: value for key, value in preset.items()}
            draft.put("preset", name, values)


def _forget_in_presets(draft: Draft, name: str) -> None:
    for title, preset in draft.whole.presets.items():
        if name in preset:
            draft.put("preset", title, {key: raw for key, raw in preset.items() if key != name})


def _rename_argument(draft: Draft, old: str, new: str) -> None:
    """Rename an argument where the block that is being edited is used."""
    for level, id in uses_of(draft.whole, f"{BLOCK}{draft.level}"):
        node = draft.whole.at(level).graph.nodes[id]
        options = tuple((new if key == old else key, raw) for key, raw in node.options)
        _put_options(draft, level, id, options)


def _forget_argument(draft: Draft, name: str) -> None:
    """Take an argument that the block being edited has no more from its uses."""
    for level, id in uses_of(draft.whole, f"{BLOCK}{draft.level}"):
        node = draft.whole.at(level).graph.nodes[id]
        kept = tuple((key, raw) for key, raw in node.options if key != name)
        _put_options(draft, level, id, kept)


def _put_options(
    draft: Draft, level: str, id: NodeId, options: tuple[tuple[str, Raw], ...]
) -> None:
    def edit(draft: Draft) -> None:
        draft.put_node(id, replace(draft.graph.nodes[id], options=options))

    inside(level, edit)(draft)


def _rename_in_variables(draft: Draft, old: str, new: str) -> None:
    for name, variable in draft.document.variables.items():
        divisors = tuple(new if divisor == old else divisor for divisor in variable.divisors)
        changed = replace(variable, value=_renamed(variable.value, old, new), divisors=divisors)
        if changed != variable:
            draft.put("variable", name, changed)


def _rename_in_nodes(draft: Draft, old: str, new: str) -> None:
    for id, node in draft.graph.nodes.items():
        options = {
            name: _renamed(raw, old, new) for name, raw in node.options if old in names_in(raw)
        }
        if options:
            draft.put_node(id, node.with_options(options))


def _renamed(raw: Raw, old: str, new: str) -> Raw:
    if isinstance(raw, tuple):
        return tuple(_renamed(part, old, new) for part in raw)
    if isinstance(raw, Expression) and old in names_in(raw):
        return Expression(expression.rename(raw.text, old, new))
    return raw


def set_title(title: str) -> Edit:
    """Give the design a title."""

    def edit(draft: Draft) -> None:
        _check_text(title)
        draft.put("title", None, title)

    return edit


def unify(keep: str, gone: str) -> Edit:
    """Make two free dimensions one: every use of `gone` becomes `keep`."""

    def edit(draft: Draft) -> None:
        if keep == gone or {_section(draft, keep), _section(draft, gone)} != {"dimension"}:
            raise Refused(
                message("{keep} and {gone} are not two dimensions.", keep=keep, gone=gone)
            )
        for level in _levels(draft, gone):
            inside(level, _rename_uses(gone, keep))(draft)
        draft.put("dimension", gone, None)

    return edit
