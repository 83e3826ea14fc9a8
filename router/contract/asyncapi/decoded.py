"""Describe records that a decoder reads: Avro by its schema, Protobuf as a `.proto` file has it."""

from __future__ import annotations

from typing import Any

from router.decoders import Avro, Protobuf

_AVRO = "application/vnd.apache.avro;version=1.9.0"
_PROTOBUF = "application/vnd.google.protobuf;version=3"


def decoded_payload(decoder: Any) -> tuple[str, str, dict[str, Any]] | None:
    """Return name, content type and payload of what a decoder reads; None where it is one of the application."""
    if isinstance(decoder, Avro):
        schema = decoder.schema
        name = schema.get("name") if isinstance(schema, dict) else None
        return str(name or "record"), "application/avro", {"schemaFormat": _AVRO, "schema": schema}
    if isinstance(decoder, Protobuf):
        from router.contract.asyncapi.proto import proto_text

        descriptor = decoder.message.DESCRIPTOR
        payload = {"schemaFormat": _PROTOBUF, "schema": proto_text(descriptor)}
        return descriptor.name, "application/protobuf", payload
    return None
