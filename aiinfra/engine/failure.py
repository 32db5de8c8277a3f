"""A failure as one line of text that people can read and that we can parse.

Errors leave a provider as text and come back from the engine wrapped in more text. The line is
`message ← cause ← root → hint [code]`, or `[code, transient]`; it survives any wrapping that keeps the line whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiinfra.errors import AiinfraError, StepError

CAUSE = " ← "
HINT = " → "
_TAIL = re.compile(r"^(?P<body>.*\S)\s+\[(?P<code>bug|[a-z]+(?:\.[a-z0-9_]+)+)(?P<transient>, transient)?\]", re.M)
_WRAPPING = re.compile(
    r"^(?:\s|\*"
    r"|error: "
    r"|<\{%[^%]*%\}>"
    r"|BAIL: |step executor errored: |step application failed: "
    r"|rpc error: code = \w+ desc = "
    r"|\d+ errors? occurred:"
    r"|sdk-v2/provider2\.go:\d+: "
    r"|Refreshed resource is in an unhealthy state:)*"
)


def render_failure(error: AiinfraError) -> str:
    """Return the error as one line: what failed, its causes to the root, the hint and the code."""
    record = error.record
    causes = error.causes if isinstance(error, StepError) else ()
    chain = CAUSE.join(_clean(part) for part in (record.message, *causes))
    hint = f"{HINT}{_clean(record.hint)}" if record.hint else ""
    return f"{chain}{hint} [{record.code}{', transient' if record.transient else ''}]"


def parse_failure(text: str) -> StepError | None:
    """Return the first failure in a text, or None when it has none."""
    return next(parse_failures(text), None)


def parse_failures(text: str) -> Iterator[StepError]:
    """Yield every failure in a text, each once."""
    seen: set[str] = set()
    for match in _TAIL.finditer(text):
        line = _WRAPPING.sub("", match[0])
        if line not in seen:
            seen.add(line)
            yield _parsed(_WRAPPING.sub("", match["body"]), match["code"], match["transient"] is not None)


def _parsed(body: str, code: str, transient: bool) -> StepError:
    chain, _, hint = body.partition(HINT)
    message, *causes = chain.split(CAUSE)
    return StepError(message, causes=causes, code=code, hint=hint, transient=transient)


def _clean(part: str) -> str:
    """Return the part on one line, without our separators and without a trailing full stop."""
    line = " ".join(part.split()).replace("←", "<-").replace("→", "->")
    return line.rstrip(".")
