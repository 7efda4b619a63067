# SPDX-License-Identifier: Apache-2.0
"""Filter.N.{Name,Value.M}: every filter must match, one value of each is enough, * and ? are wildcards."""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from errors import ApiError
from model import Tags
from params import Params

_MAX_VALUES = 200
Fields = Mapping[str, Callable[[Any], str]]


def _pattern(value: str) -> re.Pattern[str]:
    """fnmatch's meaning of * and ?, without its character classes."""
    return re.compile(fnmatch.translate(value.replace("[", "[[]")))


def _texts(name: str, fields: Fields, item: Any) -> Iterable[str]:
    """What of the item the filter looks at."""
    tags: Tags = item.tags
    if name == "tag-key":
        return [key for key, _ in tags]
    if name.startswith("tag:"):
        return [value for key, value in tags if key == name[4:]]
    return [fields[name](item)]


def parse_filters(params: Params, fields: Fields) -> Callable[[Any], bool]:
    """A predicate over items that have .tags; `fields` names the other filters that this call knows."""
    wanted = []
    for entry in params.structs("Filter"):
        name, values = entry.required("Name"), entry.strings("Value")
        entry.finish()
        if name not in fields and name != "tag-key" and not name.startswith("tag:"):
            raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not values:
            raise ApiError("InvalidParameterValue", f"The filter '{name}' has no value")
        if len(values) > _MAX_VALUES:
            raise ApiError("FilterLimitExceeded", f"The filter '{name}' has more than {_MAX_VALUES} values")
        wanted.append((name, [_pattern(value) for value in values]))

    def matches(item: Any) -> bool:
        return all(any(pattern.match(text) for text in _texts(name, fields, item) for pattern in patterns)
                   for name, patterns in wanted)

    return matches
