"""Which exchanges a checker has to look at: those with something in them that none before had.

The spec judges a document member by member: which keys an object has, and each value by itself,
by type, enum, pattern, format, length and range. So two values are the same to it where they have
the same type, keep the same side of each limit it names and match the same of its patterns and
formats; and a document whose every member was seen at its place needs no second look."""

import bisect
import functools
import re

FORMATS = (
    ("date-time", re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")),
    ("uuid", re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")),
    ("email", re.compile(r"[^@\s]+@[^@\s]+\Z")),
    ("uri", re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+\Z")),
    ("number", re.compile(r"-?\d+(\.\d+)?\Z")),
    ("truth", re.compile(r"(true|false)\Z")),
)
LENGTHS = {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
RANGES = {"minimum", "maximum"}


class Classes:
    def __init__(self, spec):
        self.words = set()
        self.names = set()
        patterns, lengths, limits = set(), {0, 1}, {0, 1 << 31, 1 << 63, 1 << 64, -(1 << 31)}

        def walk(node):
            if isinstance(node, list):
                for value in node:
                    walk(value)
            if not isinstance(node, dict):
                return
            for key, value in node.items():
                if key == "enum" and isinstance(value, list):
                    self.words.update(word for word in value if isinstance(word, str))
                elif key == "pattern" and isinstance(value, str):
                    patterns.add(value)
                elif key in LENGTHS and isinstance(value, int):
                    lengths.update((value, value + 1))
                elif key in RANGES and isinstance(value, (int, float)):
                    limits.add(value)
                elif key == "properties" and isinstance(value, dict):
                    self.names.update(value)
                walk(value)

        walk(spec)
        self.lengths = sorted(lengths)
        self.limits = sorted(limits)
        self.patterns = [pattern for _, pattern in FORMATS]
        self.patterns += [re.compile(pattern) for pattern in sorted(patterns)]
        self.of_text = functools.lru_cache(maxsize=1 << 16)(self._of_text)

    def _of_text(self, text):
        if text in self.words:
            return text
        matches = sum(1 << i for i, one in enumerate(self.patterns) if one.search(text))
        return ("text", bisect.bisect_right(self.lengths, len(text)), matches)

    def _of_number(self, number):
        low = bisect.bisect_left(self.limits, number)
        return (type(number).__name__, low, bisect.bisect_right(self.limits, number))

    def add(self, value, place, found):
        """Adds to `found` what stands in `value`, a JSON document or part of it, at `place`."""
        if isinstance(value, dict):
            keys = []
            for key, member in value.items():
                name = key if key in self.names else self.of_text(key)
                keys.append(name)
                self.add(member, (place, name), found)
            count = bisect.bisect_right(self.lengths, len(value))
            found.add((place, count, frozenset(keys)))
        elif isinstance(value, list):
            for item in value:
                self.add(item, (place, 0), found)
            found.add((place, "list", bisect.bisect_right(self.lengths, len(value))))
        elif isinstance(value, str):
            found.add((place, self.of_text(value)))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found.add((place, self._of_number(value)))
        else:
            found.add((place, type(value).__name__))
