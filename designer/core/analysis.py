"""The one analysis from which shapes, counts, problems and code derive; it follows Deltas."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

from designer.core import expression, size
from designer.core.building import Built, build, names_of
from designer.core.document import Delta, Document
from designer.core.finding import Finding, Problem
from designer.core.graph import EMPTY, ParamRef
from designer.core.kinds import Kinds, is_declared
from designer.core.layer import (
    CATALOGUE,
    Examined,
    Inputs,
    Layer,
    Port,
    Result,
    examine,
)
from designer.core.message import message
from designer.core.network import Network
from designer.core.offered import unknown_kind
from designer.core.param import Tally, tally
from designer.core.ranges import beyond_range
from designer.core.sharing import meant, misfit, owner_of, without_module
from designer.core.size import Verdict, compare
from designer.core.tensor import ANYTHING, Tensor
from designer.core.wiring import Wiring, wiring

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from designer.core.expression import Scope
    from designer.core.frame import Frame
    from designer.core.graph import Node, NodeId, Source
    from designer.core.message import Message
    from designer.core.param import Param


class Recipe(NamedTuple):
    """What a node's layer is built from: its options, and the names whose values they need."""

    spelling: str
    names: tuple[str, ...]


class Memo(NamedTuple):
    """What is the same wherever it is met: layers by how they are spelled, results by layer."""

    layers: dict[object, Built]
    results: dict[object, Examined]


class Analysis:
    """Findings of all nodes of a document, and running totals.

    `update` follows a Delta; the work grows with what the Delta affects. `examined` counts the
    nodes that were looked at and `inferred` the rules that were run, since the start.
    """

    def __init__(
        self, document: Document, frame: Frame | None = None, memo: Memo | None = None
    ) -> None:
        """`frame` is what a block's graph is examined with, `memo` that of the whole design."""
        self.document = document
        self.frame = frame
        self.kinds = Kinds(self._within)
        self.network = Network.of(document.graph)
        self.findings: dict[NodeId, Finding] = {}
        self.problems_by_node: dict[NodeId, tuple[Problem, ...]] = {}
        self.counted = Tally()
        self.trainable = 0
        self.examined = 0
        self.inferred = 0
        self._users: dict[str, set[NodeId]] = {}
        """Of names and of declared kinds the nodes that use them."""
        self._alike: dict[NodeId, set[NodeId]] = {}
        """Of layers those that are other calls of their modules."""
        self._memo = memo or Memo({}, {})
        self._plain: dict[object, Finding] = {}
        """Findings without problems or ties: those of all nodes with this layer and inputs."""
        self._recipes: dict[NodeId, Recipe] = {}
        self._wirings: dict[NodeId, Wiring] = {}
        self._tying = {param.node for param in document.graph.ties}
        self._begin()

    def _begin(self) -> None:
        """Examine all there is."""
        self._declare()
        if self.frame is None:
            self.kinds.follow(self.document)
        for id, node in self.document.graph.nodes.items():
            self._register(id, node)
        self._propagate(self.network.rank)
        self._settle_ties(set(self.findings), Delta({}))

    def _within(self, document: Document, frame: Frame) -> Analysis:
        """The Analysis of a block's graph: equal layers and inputs are examined once in all."""
        return Analysis(document, frame, self._memo)

    def kind(self, name: str) -> type[Layer] | None:
        """The class of a kind of layer in this graph; None where it is not known."""
        if self.frame is not None:
            return CATALOGUE.get(name) or self.frame.kinds.get(name)
        return self.kinds.get(name)

    # Following edits

    def update(self, document: Document, delta: Delta) -> set[NodeId]:
        """Follow an edit; returns the nodes whose findings have changed or are gone.

        Raises CycleError, and has then changed nothing.
        """
        for level in delta.levels() & document.blocks.keys():
            Network.of(document.blocks[level].graph)
        self.network.patch(delta)
        self.document = document
        changed: set[NodeId] = set()
        stale = self.kinds.follow(document)
        dirty = self._redeclared(delta).union(*(self._users.get(kind, ()) for kind in stale))
        if next(iter(delta.of("tie")), None) is not None:
            self._tying = {param.node for param in document.graph.ties}
        for id, old, new in self._changed_nodes(delta):
            self._forget(id, old)
            if new is None:
                changed.add(id)
                self._drop(id)
            else:
                self._register(id, new)
                dirty.add(id)
        for target, _ in delta.of("edge"):
            self._wirings.pop(target.node, None)
            dirty.add(target.node)
        # Not a set intersection with `rank`: that walks through all nodes.
        changed |= self._propagate([id for id in dirty if id in self.network.rank])
        self._settle_ties(changed, delta)
        return changed

    def _changed_nodes(self, delta: Delta) -> list[tuple[NodeId, Node | None, Node | None]]:
        """Nodes before and after, those too whose options are those of a changed one."""
        changed = {id: (id, old, new) for id, (old, new) in delta.of("node")}
        nodes = self.document.graph.nodes
        calls = {user for id in changed for user in self._alike.get(id, ())}
        return [*changed.values(), *((id, nodes[id], nodes[id]) for id in calls - changed.keys())]

    def _redeclared(self, delta: Delta) -> set[NodeId]:
        """Take in changed names; the nodes whose options use one."""
        declaring = (delta.of("variable"), delta.of("dimension"))
        if not any(True for changes in declaring for _ in changes):
            return set()
        before = self.scope
        self._declare()
        names = before.keys() | self.scope.keys()
        changed = (name for name in names if before.get(name) != self.scope.get(name))
        dirty = set().union(*(self._users.get(name, set()) for name in changed))
        return dirty | self._concerned_with_batch(delta)

    def _concerned_with_batch(self, delta: Delta) -> set[NodeId]:
        """Nodes that care which dimension is the batch, where a meaning has changed."""
        meanings = (
            (old.meaning if old else "", new.meaning if new else "")
            for _, (old, new) in delta.of("dimension")
        )
        if all(old == new for old, new in meanings):
            return set()
        self._plain.clear()
        findings = self.findings.items()
        return {id for id, f in findings if f.layer and f.layer.batch_axis() is not None}

    def _declare(self) -> None:
        """Evaluate variables and free dimensions."""
        document = self.document
        free = {name: size.free(name, d.multiple) for name, d in document.dimensions.items()}
        known = {**free, **self.frame.scope} if self.frame else {}
        variables = {n: v for n, v in document.variables.items() if n not in known}
        values, faults = expression.resolve(
            {name: variable.value for name, variable in variables.items()},
            {name: variable.divisors for name, variable in variables.items()},
            known,
        )
        self.scope: Scope = {**free, **values, **known}
        self.name_problems = (
            *(Problem("error", text, option=name) for name, text in faults.items()),
            *beyond_range(document.variables, self.scope),
        )

    def _register(self, id: NodeId, node: Node) -> None:
        if node.same_as is not None:
            self._alike.setdefault(node.same_as, set()).add(id)
            node = meant(self.document.graph, node)
        names = names_of(node)
        # repr tells 1 from True and 1.0, which are equal as keys.
        self._recipes[id] = Recipe(repr(node.options), names)
        for name in _needed(node, names):
            self._users.setdefault(name, set()).add(id)

    def _forget(self, id: NodeId, node: Node | None) -> None:
        for name in _needed(node, self._recipes[id].names) if node else ():
            self._users[name].discard(id)
        if node and node.same_as is not None:
            self._alike[node.same_as].discard(id)

    def _drop(self, id: NodeId) -> None:
        finding = self.findings.pop(id)
        self.counted -= finding.counted
        self.trainable -= finding.trainable
        self.problems_by_node.pop(id, None)
        self._recipes.pop(id, None)
        self._wirings.pop(id, None)

    def _propagate(self, dirty: Iterable[NodeId]) -> set[NodeId]:
        """Examine nodes in topological order, and those after them whose inputs change."""
        rank = self.network.rank
        heap = [(rank[id], id) for id in dirty]
        heapify(heap)
        waiting = {id for _, id in heap}
        changed: set[NodeId] = set()
        while heap:
            _, id = heappop(heap)
            waiting.discard(id)
            before = self.findings.get(id)
            after = self._examine(id)
            if after is before or after == before:
                continue
            changed.add(id)
            self._store(id, after)
            if before is None or _followers_see(before, after):
                for follower in self.network.followers(id):
                    if follower not in waiting:
                        waiting.add(follower)
                        heappush(heap, (rank[follower], follower))
        return changed

    def _store(self, id: NodeId, finding: Finding) -> None:
        before = self.findings.get(id)
        if before is not None:
            self.counted -= before.counted
            self.trainable -= before.trainable
        self.findings[id] = finding
        self.counted += finding.counted
        self.trainable += finding.trainable
        if finding.problems:
            self.problems_by_node[id] = finding.problems
        else:
            self.problems_by_node.pop(id, None)

    # One node

    def _examine(self, id: NodeId) -> Finding:
        self.examined += 1
        node = self.document.graph.nodes[id]
        kind = self.kind(node.kind)
        if kind is None:
            text = unknown_kind(node.kind)
            return Finding(None, problems=(Problem("error", text, id),), counted=_UNCOUNTED)
        built = self._build(id, meant(self.document.graph, node), kind)
        if self.frame is not None and id in self.frame.given:
            given = self.frame.given[id]
            return Finding(built.layer, {}, Result((given,), work=lambda: 0), {"out": given})
        inputs, gaps = self._inputs(id, built.layer)
        if built.problems:
            outputs = {port.name: ANYTHING for port in built.layer.outputs()}
            problems = (*(replace(problem, node=id) for problem in built.problems), *gaps)
            return Finding(built.layer, inputs, None, outputs, problems, counted=_UNCOUNTED)
        if gaps or self._is_apart(id):
            return self._judged(id, built.layer, inputs, gaps)
        key = (built.layer, node.trainable, self._behind(id, built.layer), tuple(inputs.items()))
        finding = self._plain.get(key)
        if finding is None:
            finding = self._judged(id, built.layer, inputs, gaps)
            if not finding.problems:
                self._plain[_room(self._plain, key)] = finding
        return finding

    def _judged(self, id: NodeId, layer: Layer, inputs: Inputs, gaps: list[Problem]) -> Finding:
        examined = self._infer(layer, inputs)
        problems = (*(_problem(id, remark) for remark in examined.remarks), *gaps)
        return self._finding(id, layer, inputs, examined, problems)

    def _finding(
        self,
        id: NodeId,
        layer: Layer,
        inputs: Inputs,
        examined: Examined,
        problems: tuple[Problem, ...],
    ) -> Finding:
        result = examined.result
        tensors = result.outputs if result else ()
        ports = layer.outputs()
        outputs = {
            port.name: tensors[place] if place < len(tensors) else ANYTHING
            for place, port in enumerate(ports)
        }
        extra = (
            *self._free_params(id, result),
            *self._misplaced_batch(id, layer, inputs),
            *self._hint_behind(id, layer),
        )
        if result is not None and not self._is_apart(id):
            trained = result.tally.trainable if self.document.graph.nodes[id].trainable else 0
            found = (*problems, *extra)
            return Finding(layer, inputs, result, outputs, found, {}, result.tally, trained)
        found = (*problems, *extra)
        if result is None:
            return Finding(layer, inputs, None, outputs, found, counted=_UNCOUNTED)
        return self._counted(id, Finding(layer, inputs, result, outputs, found))

    def _build(self, id: NodeId, node: Node, kind: type[Layer]) -> Built:
        spelling, names = self._recipes[id]
        values = tuple((type(value), value) for value in map(self.scope.get, names))
        key = (kind, spelling, values)
        built = self._memo.layers.get(key)
        if built is None:
            built = build(kind, node, self.scope)
            self._memo.layers[_room(self._memo.layers, key)] = built
        return built

    def _infer(self, layer: Layer, inputs: Inputs) -> Examined:
        key = (layer, tuple(inputs.items()))
        examined = self._memo.results.get(key)
        if examined is None:
            self.inferred += 1
            examined = examine(layer, inputs)
            self._memo.results[_room(self._memo.results, key)] = examined
        return examined

    def _inputs(self, id: NodeId, layer: Layer) -> tuple[Inputs, list[Problem]]:
        """The tensors at a node's inputs, and what is missing or does not belong there."""
        wires_in = self._wiring(id, layer)
        problems = list(wires_in.problems)
        inputs: dict[str, Tensor | tuple[Tensor, ...]] = {}
        for port, wires in wires_in.sources:
            arrived = tuple(self._arrives(id, port, wire, problems) for wire in wires)
            if port.variadic:
                inputs[port.name] = arrived or (ANYTHING, ANYTHING)
            elif arrived or not port.optional:
                inputs[port.name] = arrived[0] if arrived else ANYTHING
        return inputs, problems

    def _wiring(self, id: NodeId, layer: Layer) -> Wiring:
        ports = layer.inputs()
        known = self._wirings.get(id)
        if known is None or known.ports != ports:
            sources = self.document.graph.sources.get(id, EMPTY)
            known = self._wirings[id] = wiring(id, ports, sources)
        return known

    def _arrives(
        self,
        id: NodeId,
        port: Port,
        wire: tuple[int, Source],
        problems: list[Problem],
    ) -> Tensor:
        slot, source = wire
        finding = self.findings.get(source.node)
        tensor = finding.outputs.get(source.port) if finding else None
        if tensor is None:
            if finding is not None and finding.layer is not None:
                text = message("{port} comes from an output that is gone.", port=port.name)
                problems.append(Problem("error", text, id, port.name, slot))
            return ANYTHING
        return tensor

    def _hint_behind(self, id: NodeId, layer: Layer) -> Iterator[Problem]:
        before = self._behind(id, layer)
        hint = layer.hint_behind(before) if before else None
        if hint is not None:
            yield Problem("hint", hint, id, layer.inputs()[0].name)

    def _behind(self, id: NodeId, layer: Layer) -> Layer | None:
        """The layer that feeds the first input, where this one has something to say of it."""
        if type(layer).hint_behind is Layer.hint_behind:
            return None
        _, wires = self._wiring(id, layer).sources[0]
        before = self.findings.get(wires[0][1].node) if wires else None
        return before.layer if before else None

    def _free_params(self, id: NodeId, result: Result | None) -> Iterator[Problem]:
        for param in result.unsized if result else ():
            text = message(
                "{param} would have the free dimension {name} in its shape {shape}.",
                param=param.shown(),
                name=", ".join(sorted(size.free_names(param.count))),
                shape=Tensor(param.shape),
            )
            yield Problem("error", text, id)

    def _misplaced_batch(self, id: NodeId, layer: Layer, inputs: Inputs) -> Iterator[Problem]:
        expected = layer.batch_axis()
        first = next(iter(inputs.values()), None)
        if expected is None or not isinstance(first, Tensor) or first.partial:
            return
        for place, axis in enumerate(first.shape):
            meaning = self.document.dimensions.get(str(axis))
            if meaning is not None and meaning.meaning == "batch" and place != expected:
                text = message(
                    "{layer} takes axis {expected} for the batch, but {name} is axis {place}.",
                    layer=layer.kind,
                    expected=expected,
                    name=str(axis),
                    place=place,
                )
                yield Problem("warning", text, id, next(iter(inputs)))

    # Shared modules and tensors

    def _is_apart(self, id: NodeId) -> bool:
        """Whether a node may share what it has: then what is found depends on others too."""
        return id in self._tying or self.document.graph.nodes[id].same_as is not None

    def _called_again(self, id: NodeId, node: Node, finding: Finding) -> Finding:
        """The finding of another call of a layer's module, which adds no parameters."""
        assert finding.layer is not None
        result = self._infer(finding.layer, finding.inputs).result
        assert result is not None
        problems = [problem for problem in finding.problems if problem.option != SAME]
        fault = self._call_fault(node, result)
        if fault is not None:
            problems.append(Problem("error", fault, id, option=SAME))
        shared = without_module(result)
        return replace(finding, result=shared, problems=tuple(problems), counted=Tally(), tied={})

    def _call_fault(self, node: Node, mine: Result) -> Message | None:
        owner = owner_of(self.document.graph, node)
        if owner is None or node.same_as is None:
            return message("{name} is to be the same as a layer that it cannot be.", name=node.name)
        found = self.findings.get(node.same_as)
        theirs = found.result if found else None
        return misfit(node.name, owner.name, mine, theirs) if theirs else None

    def _counted(self, id: NodeId, finding: Finding) -> Finding:
        """The finding with its ties checked and what it adds to the totals."""
        if finding.result is None:
            return finding
        node = self.document.graph.nodes[id]
        if node.same_as is not None:
            return self._called_again(id, node, finding)
        ties = self.document.graph.ties
        tied: dict[str, ParamRef] = {}
        problems = [p for p in finding.problems if p.option != TIE]
        for param in finding.params if ties else ():
            owner = ties.get(ParamRef(id, param.name))
            fault = self._tie_fault(param, owner) if owner else None
            if fault is not None:
                problems.append(replace(fault, node=id))
            elif owner is not None:
                tied[param.name] = owner
        problems += self._lost_ties(id, finding) if ties else ()
        own = [param for param in finding.params if param.name not in tied]
        counted = tally(own) if tied else finding.result.tally
        trainable = counted.trainable if node.trainable else 0
        return Finding(
            finding.layer,
            finding.inputs,
            finding.result,
            finding.outputs,
            tuple(problems),
            tied,
            counted,
            trainable,
        )

    def _tie_fault(self, param: Param, owner: ParamRef) -> Problem | None:
        finding = self.findings.get(owner.node)
        theirs = (
            next((p for p in finding.params if p.name == owner.param), None) if finding else None
        )
        if theirs is None:
            text = message(
                "{param} is tied to {owner}, which is not there.",
                param=param.name,
                owner=owner.param,
            )
        elif not _same_shape(param, theirs):
            text = message(
                "{param} {shape} cannot share the tensor of {owner} {theirs}.",
                param=param.name,
                shape=Tensor(param.shape),
                owner=owner.param,
                theirs=Tensor(theirs.shape),
            )
        else:
            return None
        return Problem("error", text, option=TIE)

    def _lost_ties(self, id: NodeId, finding: Finding) -> Iterator[Problem]:
        if finding.result is None:
            return
        have = {param.name for param in finding.params}
        for param in self.document.graph.ties:
            if param.node == id and param.param not in have:
                text = message("{param} is tied, but this layer has none.", param=param.param)
                yield Problem("error", text, id, option=TIE)

    def _settle_ties(self, changed: set[NodeId], delta: Delta) -> None:
        """Count again what shares a tensor with something that has changed."""
        again = {param.node for param, _ in delta.of("tie")}
        for param, owner in self.document.graph.ties.items():
            if owner.node in changed or param.node in changed:
                again.add(param.node)
        again.update(user for id in changed for user in self._alike.get(id, ()))
        for id in again & self.findings.keys():
            before = self.findings[id]
            after = self._counted(id, before)
            if after != before:
                self._store(id, after)
                changed.add(id)

    # What others read

    def problems(self) -> list[Problem]:
        """All problems: of names first, then by node in stored order."""
        nodes = sorted(self.problems_by_node)
        return [*self.name_problems, *(p for id in nodes for p in self.problems_by_node[id])]

    def totals(self) -> Totals:
        """The totals as they stand."""
        weights, biases, buffers, unknown, _, idle = self.counted
        return Totals(weights, biases, buffers, unknown, idle, self.trainable)


@dataclass(frozen=True, slots=True)
class Totals:
    """Elements of a design; with `unknown` tensors every figure is a lower bound."""

    weights: int
    biases: int
    buffers: int
    unknown: int
    idle: int
    trainable: int

    @property
    def parameters(self) -> int:
        """Weights and biases, each tensor once."""
        return self.weights + self.biases

    @property
    def frozen(self) -> int:
        """Parameters that are not trained."""
        return self.parameters - self.trainable

    @property
    def active(self) -> int:
        """Parameters that work for one token: of experts only those that are chosen."""
        return self.parameters - self.idle

    @property
    def known(self) -> bool:
        """Whether every tensor has a size."""
        return not self.unknown


_UNCOUNTED = Tally(unknown=1)
"""Of a layer of which nothing can be said: whatever it holds, the totals are lower bounds."""

SAME = "same_as"
"""Stands in `Problem.option` for a layer that is another call of one that it cannot be."""

TIE = "tie"
"""Stands in `Problem.option` for a tie, which is no option."""

_MOST_KEPT = 200_000


def _needed(node: Node, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a node uses, and its kind where a document declares it."""
    return (*names, node.kind) if is_declared(node.kind) else names


def _room(memo: dict[object, Any], key: object) -> object:
    """`key`, after making room for it where a memo has grown beyond bounds."""
    if len(memo) >= _MOST_KEPT:
        memo.clear()
    return key


def _followers_see(before: Finding, after: Finding) -> bool:
    return before.outputs != after.outputs or type(before.layer) is not type(after.layer)


def _problem(id: NodeId, remark: Any) -> Problem:
    return Problem(
        remark.severity,
        remark.message,
        id,
        remark.port,
        option=remark.option,
        expected=remark.expected,
        got=remark.got,
    )


def _same_shape(a: Param, b: Param) -> bool:
    """Whether two parameters may be one tensor; what stands for many copies is none."""
    fits = (Verdict.IDENTICAL, Verdict.EQUAL_HERE)
    return (
        not (a.spans or b.spans)
        and len(a.shape) == len(b.shape)
        and all(
            compare(mine, theirs) in fits for mine, theirs in zip(a.shape, b.shape, strict=True)
        )
    )
