"""The routes that the sandbox has, read from its table, and the part of Neon's OpenAPI about them."""

import re

import neon_spec

DEFINITION = re.compile(r"^#define ([A-Z]) (.+)$", re.MULTILINE)
ROUTE = re.compile(r'ROUTE\("([A-Z]+)",\s*([^,]+?),\s*\w+,\s*([^)]*)\)')
PIECE = re.compile(r'"([^"]*)"|\b([A-Z])\b')


def read_table(path):
    """(method, path) of every route of the API in the sandbox's routes.c, in its order."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    definitions = dict(DEFINITION.findall(text))

    def expand(expression):
        return "".join(
            expand(definitions[name]) if name else literal
            for literal, name in PIECE.findall(expression)
        )

    found = [
        (method, expand(pattern))
        for method, pattern, flags in ROUTE.findall(text)
        if "ROUTE_ADMIN" not in flags
    ]
    # A table that is written in another way must not look like an empty one.
    if len(found) < text.count('\n    ROUTE("') - text.count("ROUTE_ADMIN)") or not found:
        raise SystemExit(f"{path}: some of its routes can't be read")
    return found


def cut_spec(path, routes):
    """The spec with these routes alone, and those of them that it doesn't have."""
    spec = neon_spec.load(path)
    kept, lacking = {}, []
    for method, pattern in routes:
        item = spec["paths"].get(pattern, {})
        if method.lower() not in item:
            lacking.append(f"{method} {pattern}")
            continue
        shared = {name: item[name] for name in ("parameters",) if name in item}
        kept.setdefault(pattern, shared)[method.lower()] = item[method.lower()]
    spec["paths"] = kept
    return spec, lacking
