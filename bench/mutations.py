"""What can be done to a module so that its tests must notice: one small change at a time, each compiled.

Turned round or moved by one: comparisons, conditions, `and` and `or`, arithmetic, numbers, True and False, `min` and
`max`, `is_...` and `has_...`. Taken out: calls, assignments to attributes and items, `raise`, `continue`, `break`, the
value of a `return`. Left alone: text, annotations, decorators, and the numbers that a module names at its top, which
are choices or AWS's limits: what a test could say of those is their value again.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_NO_CODE = {"annotation", "returns", "decorator_list", "type_params", "bases", "format_spec"}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A module with one change: its code, and where and what the change is."""

    module: str
    line: int
    #: The function, with its class.
    where: str
    before: str
    after: str
    code: CodeType

    @property
    def key(self) -> str:
        """What names it in the list of equivalent ones, whatever the line's number."""
        return f"{self.where}: {self.before} -> {self.after}"


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a node stands in its parent, and the statement and the function around it."""

    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt | None
    where: str

    @property
    def node(self) -> ast.AST:
        found = getattr(self.parent, self.field)
        held: ast.AST = found if self.index is None else found[self.index]
        return held

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def module_of(path: Path) -> str:
    """Return a module's name below courier, such as `messaging.worker`; also that of the module that a test is for."""
    _, *folders = path.with_suffix("").parts[path.parts.index("courier" if "courier" in path.parts else "unit") :]
    return ".".join(folders).replace("test_", "")


def imported(path: Path) -> set[str]:
    """Return the modules of courier that the file in `path` imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "courier":
            module = str(node.module)
            found |= {f"{module}.{alias.name}".removeprefix("courier.") for alias in node.names}
            found.add(module.removeprefix("courier."))
    return found


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of the module in `path`."""
    tree = ast.parse(path.read_text())
    for place in _places(tree, None, ""):
        original = place.node
        for replacement in _replacements(place):
            ast.copy_location(replacement, original)
            before = ast.unparse(place.statement or original)
            place.put(ast.fix_missing_locations(replacement))
            after = ast.unparse(replacement if place.statement is original else place.statement or replacement)
            code = compile(tree, str(path), "exec")
            place.put(original)
            old, new = _difference(before, after)
            line = getattr(original, "lineno", 0)
            yield Mutant(module=module_of(path), line=line, where=place.where, before=old, after=new, code=code)


def _difference(before: str, after: str) -> tuple[str, str]:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    old, new = next((old, new) for old, new in pairs if old != new)
    return old.strip(), new.strip()


def _places(node: ast.AST, statement: ast.stmt | None, where: str) -> Iterator[_Place]:
    for field, value in ast.iter_fields(node):
        if field in _NO_CODE:
            continue
        listed = isinstance(value, list)
        for index, child in enumerate(value if listed else [value]):
            if not isinstance(child, ast.AST) or _is_left_alone(child, where):
                continue
            around = child if isinstance(child, ast.stmt) else statement
            named = isinstance(child, ast.FunctionDef | ast.ClassDef)
            inside = f"{where}.{child.name}".lstrip(".") if isinstance(child, ast.FunctionDef | ast.ClassDef) else where
            place = _Place(parent=node, field=field, index=index if listed else None, statement=around, where=inside)
            if not named:
                yield place
            yield from _places(child, around, inside)


def _is_left_alone(node: ast.AST, where: str) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    return not where and isinstance(node, ast.Assign | ast.AnnAssign)


def _replacements(place: _Place) -> Iterator[ast.AST]:
    node = place.node
    make = _MAKERS.get(type(node))
    # What stands under a `not` is turned round by leaving that out.
    if make and not (isinstance(node, ast.Attribute) and isinstance(place.parent, ast.UnaryOp)):
        yield from make(node)
    if place.field == "test" or (place.field == "ifs" and isinstance(place.parent, ast.comprehension)):
        yield from _negated(node)


def _negated(node: ast.AST) -> Iterator[ast.AST]:
    # What is compared or negated is turned round by itself.
    if isinstance(node, ast.expr) and not isinstance(node, ast.Compare | ast.UnaryOp | ast.Constant):
        yield ast.UnaryOp(op=ast.Not(), operand=node)


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in _COMPARED[type(operator)]:
            yield ast.Compare(
                left=node.left, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]], comparators=node.comparators
            )


def _bool_op(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(op=ast.Or() if isinstance(node.op, ast.And) else ast.And(), values=node.values)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _bin_op(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in _COMPUTED:
        yield ast.BinOp(left=node.left, op=_COMPUTED[type(node.op)](), right=node.right)


def _aug_assign(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield ast.Pass()
    if type(node.op) in _COMPUTED:
        yield ast.AugAssign(target=node.target, op=_COMPUTED[type(node.op)](), value=node.value)


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(value=not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(value=node.value + 1)


def _attribute(node: ast.Attribute) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load) and node.attr.lstrip("_").startswith(("is_", "has_")):
        yield ast.UnaryOp(op=ast.Not(), operand=node)


def _call(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in _CALLED:
        yield ast.Call(func=ast.Name(id=_CALLED[node.func.id], ctx=ast.Load()), args=node.args, keywords=node.keywords)


def _expression(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call):
        yield ast.Pass()


def _assign(node: ast.Assign | ast.AnnAssign) -> Iterator[ast.AST]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if node.value and any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets):
        yield ast.Pass()


def _return(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is None:
        yield ast.Pass()
    elif not isinstance(node.value, ast.Constant):
        yield ast.Return(value=ast.Constant(value=None))


def _nothing(_: ast.AST) -> Iterator[ast.AST]:
    yield ast.Pass()


_MAKERS: dict[type[ast.AST], Callable[..., Iterator[ast.AST]]] = {
    ast.Compare: _compare,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary,
    ast.BinOp: _bin_op,
    ast.AugAssign: _aug_assign,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _assign,
    ast.Return: _return,
    ast.Raise: _nothing,
    ast.Delete: _nothing,
    ast.Break: _nothing,
    ast.Continue: _nothing,
}


class MutantFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from the code of its mutant; for `sys.meta_path`."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Return where the module comes from; None: it is another one."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutant's code as the module."""
        exec(self._code, module.__dict__)  # noqa: S102  the mutant is what is tested
