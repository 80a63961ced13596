"""Neon's OpenAPI as data: as it came, and closed, that is without room for unknown properties."""

import copy
import re

import yaml

BASE_URL = "https://console.neon.tech/api/v2"
BASE_PATH = "/api/v2"


class Loader(yaml.CSafeLoader):
    """Keeps times in examples as text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def texts_as_keys(node):
    """YAML reads the statuses, keys of JSON, as numbers."""
    if isinstance(node, dict):
        return {str(key): texts_as_keys(value) for key, value in node.items()}
    if isinstance(node, list):
        return [texts_as_keys(value) for value in node]
    return node


def load(path):
    with open(path, encoding="utf-8") as file:
        return texts_as_keys(yaml.load(file, Loader))


def resolve(spec, node):
    while "$ref" in node:
        target = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def merge(spec, node):
    """The members of an object, those of its allOf included; None where it is no plain object."""
    node = resolve(spec, node)
    if "oneOf" in node or "anyOf" in node or not ("allOf" in node or "properties" in node):
        return None
    merged = {"type": "object", "properties": dict(node.get("properties", {}))}
    required = list(node.get("required", []))
    for part in node.get("allOf", []):
        found = merge(spec, part)
        if found is None:
            return None
        merged["properties"].update(found["properties"])
        required += found.get("required", [])
    for kept in ("nullable", "additionalProperties"):
        if kept in node:
            merged[kept] = node[kept]
    if required:
        merged["required"] = sorted(set(required))
    return merged


def close(spec):
    """Says additionalProperties: false wherever the spec names an object's properties and doesn't
    speak of others. Objects put together by allOf have to be written as one for that: each part
    would forbid the others' properties."""
    closed = copy.deepcopy(spec)

    def walk(node):
        if isinstance(node, list):
            for value in node:
                walk(value)
        elif isinstance(node, dict):
            for value in node.values():
                walk(value)
            is_schema = not isinstance(node.get("properties"), dict) or "$ref" not in node
            whole = merge(spec, node) if is_schema and is_composed(node) else None
            if whole is not None:
                node.clear()
                node.update(whole)
                walk(node["properties"])
                node.setdefault("additionalProperties", False)

    def is_composed(node):
        is_object = node.get("type") == "object" and isinstance(node.get("properties"), dict)
        return is_object or isinstance(node.get("allOf"), list)

    walk(closed["paths"])
    walk(closed["components"])
    return closed


class Paths:
    """Which operation of the spec a request is for."""

    def __init__(self, spec):
        self.spec = spec
        self.found = {}
        self.templates = []
        for template in spec["paths"]:
            parts = re.split(r"\{[^}]*\}", template)
            pattern = re.compile("[^/]+".join(re.escape(part) for part in parts) + r"\Z")
            self.templates.append((template.count("{"), pattern, template))
        self.templates.sort(key=lambda entry: entry[0])

    def find(self, method, path):
        """(template, operation), (template, None) for a method that it doesn't have, or None."""
        if not path.startswith(BASE_PATH + "/"):
            return None
        rest = path[len(BASE_PATH):]
        for _, pattern, template in self.templates:
            if pattern.match(rest):
                return template, self.spec["paths"][template].get(method.lower())
        return None

    def query_names(self, template, operation):
        lists = (self.spec["paths"][template].get("parameters", []), operation.get("parameters", []))
        parameters = [resolve(self.spec, entry) for entries in lists for entry in entries]
        return {entry["name"] for entry in parameters if entry["in"] == "query"}
