"""Describe records that a decoder reads: Avro by its schema, Protobuf as a `.proto` file has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from router.decoders import Avro, Protobuf

_AVRO = "application/vnd.apache.avro;version=1.9.0"


@dataclass(frozen=True, slots=True)
class Decoded:
    """Describe a record that is not JSON. name: of its type. payload: None where a description alone tells of it."""

    name: str
    content_type: str
    payload: dict[str, Any] | None = None
    description: str = ""


def decoded_payload(decoder: Any) -> Decoded | None:
    """Return what a decoder reads; None where it is one of the application.

    A message of Protobuf is in the description: Redoc 3.0 shows nothing of a document with a schema that is a text.
    """
    if isinstance(decoder, Avro):
        schema = decoder.schema
        name = schema.get("name") if isinstance(schema, dict) else None
        return Decoded(str(name or "record"), "application/avro", {"schemaFormat": _AVRO, "schema": schema})
    if isinstance(decoder, Protobuf):
        from router.contract.asyncapi.proto import proto_text

        descriptor = decoder.message.DESCRIPTOR
        text = f"The message `{descriptor.full_name}` of Protobuf:\n\n```proto\n{proto_text(descriptor)}```"
        return Decoded(descriptor.name, "application/protobuf", description=text)
    return None
