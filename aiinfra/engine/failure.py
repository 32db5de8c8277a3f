"""A failure as one line of text that people can read and that we can parse.

Errors leave a provider as text and come back from the engine wrapped in more text. The line is
`message ← cause ← root → hint [code]`, or `[code, transient]`; it survives any wrapping that keeps the line whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aiinfra.errors import AiinfraError, StepError

CAUSE = " ← "
HINT = " → "
MAX_LINES = 6
MAX_LENGTH = 1000
"""Characters of what is kept of a text that others wrote; Helm's sentences have about 300."""
_TAIL = r"(?m)^(?P<body>.*\S)\s+\[(?P<code>bug|[a-z]+(?:\.[a-z0-9_]+)+)(?P<transient>, transient)?\]"
_WRAPPING = (
    r"^(?:\s|\*"
    r"|error: "
    r"|<\{%[^%]*%\}>"
    r"|BAIL: |step executor errored: |step application failed: "
    r"|rpc error: code = \w+ desc = "
    r"|\d+ errors? occurred:"
    r"|sdk-v2/provider2\.go:\d+: "
    r"|Refreshed resource is in an unhealthy state:)*"
)


_COUNT = r"\b\d+ errors? occurred:\s*$"


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
    for match in re.finditer(_TAIL, text):
        line = re.sub(_WRAPPING, "", match[0])
        if line not in seen:
            seen.add(line)
            yield _parsed(re.sub(_WRAPPING, "", match["body"]), match["code"], match["transient"] is not None)


def last_words(text: str) -> str:
    """Return what an error that others wrote says, on one line: its last lines, without counts and bullets.

    Go programs write several errors as a count and a list (hashicorp/go-multierror `ListFormatFunc`), also inside one
    another, and the root is what comes last.
    """
    lines = [
        line for raw in text.splitlines() if (line := " ".join(re.sub(_COUNT, "", re.sub(_WRAPPING, "", raw)).split()))
    ]
    kept = list(dict.fromkeys(lines))
    said = f"{'… ' if len(kept) > MAX_LINES else ''}{_joined(kept[-MAX_LINES:])}"
    return said if len(said) <= MAX_LENGTH else f"… {said[-MAX_LENGTH:].partition(' ')[2]}"


def _joined(lines: Sequence[str]) -> str:
    """Return the lines as one; what ends in a colon introduces the next."""
    return "; ".join(lines).replace(":; ", ": ")


def _parsed(body: str, code: str, transient: bool) -> StepError:
    chain, _, hint = body.partition(HINT)
    message, *causes = chain.split(CAUSE)
    return StepError(message, causes=causes, code=code, hint=hint, transient=transient)


def _clean(part: str) -> str:
    """Return the part on one line, without our separators and without a trailing full stop."""
    line = " ".join(part.split()).replace("←", "<-").replace("→", "->")
    return line.rstrip(".")
