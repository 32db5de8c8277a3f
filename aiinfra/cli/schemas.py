"""Which document `aiinfra schema` prints."""

from __future__ import annotations

from collections.abc import Mapping

from aiinfra.cli.options import SchemaOf


def document(of: SchemaOf) -> Mapping[str, object]:
    """Return the JSON Schema of what is named."""
    match of:
        case SchemaOf.ENVIRONMENT:
            from aiinfra.catalog import Catalog
            from aiinfra.config.schema import environment_schema

            return environment_schema(Catalog.installed())
        case SchemaOf.EVENTS:
            from aiinfra.ui.schemas import events_schema

            return events_schema()
        case SchemaOf.RESULT:
            from aiinfra.ui.schemas import result_schema

            return result_schema()
        case SchemaOf.ERRORS:
            from aiinfra.ui.schemas import errors_document

            return errors_document()
