"""Custom layers in a design: declared, changed, named and removed, and analysed where used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from designer.core import edits
from designer.core.analysis import Analysis
from designer.core.custom import Custom, CustomInput, CustomOption, CustomOutput
from designer.core.custom_edits import remove_custom, rename_custom, set_custom
from designer.core.document import Block, inside
from designer.core.edits import Refused
from tests.core.customs import GATED, PAIRS
from tests.core.drawing import Drawing


@pytest.fixture
def drawing() -> Drawing:
    """A design with a use of GatedScale."""
    made = Drawing(d_model=64)
    made.do(set_custom(GATED))
    made.add("custom:GatedScale", made.input("B", "T", "d_model"), name="scale")
    return made


def use(drawing: Drawing) -> int:
    """The id of the only use."""
    nodes = drawing.editor.document.graph.nodes
    return next(id for id, node in nodes.items() if node.kind.startswith("custom:"))


def test_a_use_is_counted_like_any_layer(drawing: Drawing) -> None:
    node = use(drawing)
    assert drawing.shape(node) == "[B, T, d_model]"
    assert drawing.parameters == 64 + 64 + 2 * 32
    assert drawing.editor.analysis.totals().buffers == 1
    assert drawing.editor.analysis.problems() == []
    drawing.do(edits.set_options([node], {"bias": False, "groups": 4}))
    assert drawing.parameters == 64 + 4 * 16
    fresh = Analysis(drawing.editor.document)
    assert fresh.totals() == drawing.editor.analysis.totals()


def test_a_new_use_is_named_after_the_class_and_has_the_defaults(drawing: Drawing) -> None:
    node = drawing.add("custom:GatedScale")
    made = drawing.editor.document.graph.nodes[node]
    assert made.name == "gated_scale1"
    assert made.options == (
        *(("width", None), ("groups", 2), ("eps", 1e-5)),
        *(("bias", True), ("mode", "mul")),
    )
    with pytest.raises(Refused, match="no layer of kind custom:Other"):
        drawing.add("custom:Other")


def test_a_changed_declaration_changes_its_uses(drawing: Drawing) -> None:
    node = use(drawing)
    drawing.do(edits.set_options([node], {"groups": 4}))
    options = (*GATED.options[1:], CustomOption("width", "size", 64))
    drawing.do(set_custom(replace(GATED, options=options, params=GATED.params[:1])))
    assert drawing.parameters == 64
    made = drawing.editor.document.graph.nodes[node]
    assert dict(made.options)["groups"] == 4
    assert [name for name, _ in made.options] == ["groups", "eps", "bias", "mode", "width"]
    drawing.editor.undo()
    assert drawing.parameters == 64 + 64 + 4 * 16
    drawing.do(set_custom(replace(GATED, source="class Gated(")))
    (problem,) = drawing.editor.analysis.problems()
    assert problem.node == node
    assert str(problem.message) == "Line 1 of the source: '(' was never closed."
    assert drawing.parameters == 64 + 64 + 4 * 16


def test_a_port_that_is_gone_leaves_its_wire_as_a_problem(drawing: Drawing) -> None:
    inputs = (replace(GATED.inputs[0], name="y"),)
    drawing.do(set_custom(replace(GATED, inputs=inputs)))
    found = {(p.severity, p.node) for p in drawing.editor.analysis.problems()}
    assert ("error", use(drawing)) in found


def test_another_name_is_taken_over_by_uses_and_source(drawing: Drawing) -> None:
    more = '\ndef made() -> object:\n    "GatedScale"\n    return GatedScale.GatedScale\n'
    drawing.do(set_custom(replace(GATED, source=GATED.source + more)))
    drawing.do(rename_custom("GatedScale", "Scale"))
    document = drawing.editor.document
    assert list(document.customs) == ["Scale"]
    custom = document.customs["Scale"]
    assert custom.name == "Scale"
    assert "class Scale(nn.Module):" in custom.source
    assert '    "GatedScale"\n    return Scale.GatedScale\n' in custom.source
    assert document.graph.nodes[use(drawing)].kind == "custom:Scale"
    assert drawing.editor.analysis.problems() == []
    drawing.editor.undo()
    assert list(drawing.editor.document.customs) == ["GatedScale"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class Old:\r\n\tx = 'Old'\r\nOld.Old()", "class N:\r\n\tx = 'Old'\r\nN.Old()"),
        ("x = '\u2028'; Old\nOld", "x = '\u2028'; N\nN"),
        ("\t\nOld = Older", "\t\nN = Older"),
        ("Old = (", "Old = ("),
        ("全 = Old; Old", "全 = N; N"),
    ],
)
def test_a_class_is_renamed_as_a_word_of_python(source: str, expected: str) -> None:
    drawing = Drawing()
    drawing.do(set_custom(Custom("Old", source=source)))
    drawing.do(rename_custom("Old", "N"))
    assert drawing.editor.document.customs["N"].source == expected


def test_what_is_used_is_not_removed(drawing: Drawing) -> None:
    with pytest.raises(Refused, match=r"GatedScale is used by scale\."):
        drawing.do(remove_custom("GatedScale"))
    drawing.do(edits.remove_nodes([use(drawing)]))
    drawing.do(remove_custom("GatedScale"))
    assert drawing.editor.document.customs == {}
    for edit in (remove_custom("GatedScale"), rename_custom("GatedScale", "Scale")):
        with pytest.raises(Refused, match="not declared"):
            drawing.do(edit)


def test_names_that_are_taken_or_impossible_are_refused(drawing: Drawing) -> None:
    drawing.do(set_custom(PAIRS))
    with pytest.raises(Refused, match="GatedScale is declared already"):
        drawing.do(rename_custom("PairsOfTokens", "GatedScale"))
    for name in ("", "class", "nn", "2nd", "a b", "x" * 60):
        with pytest.raises(Refused, match="cannot be the name of a class"):
            drawing.do(rename_custom("PairsOfTokens", name))
    for odd in ("\0", "\f", "\x1b", "\ud800"):
        with pytest.raises(Refused, match="Line 2 of the source holds a character"):
            drawing.do(set_custom(replace(PAIRS, source=f"\n#{odd}")))
    for n in range(10):
        drawing.do(set_custom(Custom(f"C{n}", source="#" * 99_000)))
    with pytest.raises(Refused, match="All sources together are longer than 1,000,000"):
        drawing.do(set_custom(Custom("Last", source="#" * 99_000)))
    with pytest.raises(Refused, match="longer than 100,000"):
        drawing.do(set_custom(replace(PAIRS, source="#" * 100_001)))


def test_a_use_within_a_block(drawing: Drawing) -> None:
    inner = Drawing()
    inner.do(set_custom(GATED))
    x = inner.input("B", "T", 8)
    inner.add("Output", inner.add("custom:GatedScale", x))
    graph = inner.editor.document.graph
    drawing.do(lambda draft: draft.put("block", "Gate", Block(graph)))
    x = drawing.input("B", "T", "d_model")
    block = drawing.add("block:Gate", x)
    assert drawing.shape(block) == "[B, T, d_model]"
    assert drawing.parameters == 2 * (64 + 64 + 64)
    drawing.do(edits.remove_nodes([use(drawing)]))
    with pytest.raises(Refused, match="GatedScale is used by"):
        drawing.do(remove_custom("GatedScale"))
    drawing.do(set_custom(replace(GATED, params=GATED.params[:1])))
    assert drawing.parameters == 64
    assert Analysis(drawing.editor.document).totals().parameters == 64
    drawing.do(rename_custom("GatedScale", "Scale"))
    assert drawing.parameters == 64
    wide = replace(
        PAIRS,
        inputs=(CustomInput("tokens", ("B", "2*B"), dtype="int64"),),
        outputs=(CustomOutput("out", ("count",)),),
        params=(),
    )
    drawing.do(set_custom(wide))
    drawing.do(inside("Gate", edits.add_node("custom:PairsOfTokens", (0.0, 0.0))))
    assert any("Inside" in str(p.message) for p in drawing.editor.analysis.problems())
