"""Runs what ctest counts as one test: the cases of a file that always run, or one that may skip.

run_entry.py entries FILE…       prints FILE:NAME lines for cmake/Tests.cmake; NAME is `all`, Class or Class.test_x
run_entry.py run FILE NAME       runs one; exit code 77 where something was skipped, so that ctest says so

A case or class may skip if a decorator or its own code says so (unittest.skipIf …, self.skipTest). Each of those is an
entry of its own: what ctest lists as skipped at its end is then just what did not run.
"""
import ast
import importlib.util
import sys
import unittest
from pathlib import Path

SKIPPED = 77
ALL = "all"


def may_skip(node, helpers=frozenset()):
    """Whether a decorator or a call in a function skips, or calls a helper that does."""
    names = {"skip", "skipIf", "skipUnless", "skipTest", "SkipTest", *helpers}
    return any(isinstance(part, ast.Attribute) and part.attr in names for part in ast.walk(node))


def that_may_skip(functions):
    """Names of those that skip, or call one that does."""
    found = set()
    while more := {part.name for part in functions if part.name not in found and may_skip(part, found)}:
        found |= more
    return found


def entries(path):
    """Names of the cases and classes that may skip; `all` stands for the others, if there are any."""
    found, others = [], False
    for group in ast.parse(path.read_text()).body:
        if not isinstance(group, ast.ClassDef):
            continue
        functions = [part for part in group.body if isinstance(part, ast.FunctionDef)]
        skipping = that_may_skip(functions)
        cases = [part.name for part in functions if part.name.startswith("test")]
        if any(map(may_skip, group.decorator_list)) or skipping & {"setUp", "setUpClass"}:
            found.append(group.name)
        else:
            found += [f"{group.name}.{case}" for case in cases if case in skipping]
            others = others or not cases or not skipping.issuperset(cases)
    return [ALL] * others + found


def cases_of(suite):
    for part in suite:
        yield from cases_of(part) if isinstance(part, unittest.TestSuite) else [part]


def run(path, name):
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    alone = entries(path)

    def entry_of(case):
        group, method = case.id().split(".")[-2:]
        return next((own for own in (f"{group}.{method}", group) if own in alone), ALL)
    cases = [case for case in cases_of(unittest.defaultTestLoader.loadTestsFromModule(module)) if entry_of(case) == name]
    if not cases:
        sys.exit(f"{path.name} has no case {name}")
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(cases))
    return 1 if not result.wasSuccessful() else SKIPPED if result.skipped else 0


if __name__ == "__main__":
    if sys.argv[1] == "entries":
        for file in sys.argv[2:]:
            for entry in entries(Path(file)):
                print(f"{file}:{entry}")
    else:
        sys.exit(run(Path(sys.argv[2]), sys.argv[3]))
