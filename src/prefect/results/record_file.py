"""The file of a result: a line of JSON that says what follows, then the bytes that the serializer wrote.

Whether a result is there and still valid is told by the first line alone. The size and a checksum in it tell
a file that was cut or changed. Files of other implementations, one JSON object with `metadata` and `result`,
are read too.
"""

from __future__ import annotations

from typing import Any

import msgspec

from prefect.exceptions import SerializationError
from prefect.results.serializers import resolve_serializer
from prefect.schemas.base import Schema, whole
from prefect.schemas.results import ResultRecord, ResultRecordMetadata

__all__ = ["decode_record", "encode_record", "encode_shared_record", "first_line_of", "read_metadata"]

_FORMAT = "result/1"


class _FirstLine(Schema):
    metadata: ResultRecordMetadata
    format: str
    size: int
    crc32: int


class _Foreign(Schema):
    metadata: ResultRecordMetadata
    result: str


_LINE = msgspec.json.Decoder(whole(_FirstLine))
_FOREIGN = msgspec.json.Decoder(whole(_Foreign))
_ENCODER = msgspec.json.Encoder()


def encode_record(metadata: ResultRecordMetadata, payload: bytes) -> bytes:
    """Return the content of a result's file.

    Args:
        metadata: What is known of the result, its serializer among it.
        payload: What the serializer wrote.
    """
    from zlib import crc32  # noqa: PLC0415 - only runs that keep results need it

    line = _FirstLine(metadata=metadata, format=_FORMAT, size=len(payload), crc32=crc32(payload))
    return b"%s\n%s" % (_ENCODER.encode(line), payload)


def encode_shared_record(metadata: ResultRecordMetadata, payload: bytes) -> bytes:
    """Return the content of a file that other implementations read too; larger by a third.

    Args:
        metadata: What is known of the value, its serializer among it.
        payload: What the serializer wrote.
    """
    from binascii import b2a_base64  # noqa: PLC0415 - only what other processes are to read needs it

    text = b2a_base64(payload, newline=False).decode()
    return _ENCODER.encode(_Foreign(metadata=metadata, result=text))


def first_line_of(content: bytes) -> bytes:
    """Return the line that says what the file holds."""
    return content[: content.find(b"\n") + 1] or content


def read_metadata(first_line: bytes, where: str) -> ResultRecordMetadata:
    """Read what a file says of its result.

    Args:
        first_line: The file's first line, or all of it.
        where: The file's name, for the error.

    Raises:
        prefect.exceptions.SerializationError: It is no file of a result, or it is damaged.
    """
    try:
        if b'"format":' in first_line:
            return _LINE.decode(first_line).metadata
        return _FOREIGN.decode(first_line).metadata
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SerializationError(f"{where} is no file of a result, or is damaged: {error}.") from error


def decode_record(content: bytes, where: str) -> ResultRecord:
    """Read a result from its file's content.

    Args:
        content: The file's content.
        where: The file's name, for the error.

    Raises:
        prefect.exceptions.SerializationError: It is no file of a result, it is damaged, or its serializer
            cannot read it.
    """
    line = first_line_of(content)
    metadata = read_metadata(line, where)
    payload = _payload(content, line, where)
    settings: dict[str, Any] = metadata.serializer or {"type": "auto"}
    try:
        return ResultRecord(result=resolve_serializer(settings).loads(payload), metadata=metadata)
    except Exception as error:  # serializers may be of users' making
        raise SerializationError(f"The result in {where} cannot be read: {error}") from error


def _payload(content: bytes, line: bytes, where: str) -> bytes:
    if b'"format":' not in line:
        return _FOREIGN.decode(content).result.encode()
    from zlib import crc32  # noqa: PLC0415 - only runs that keep results need it

    said = _LINE.decode(line)
    payload = content[len(line) :]
    if len(payload) != said.size:
        raise SerializationError(
            f"{where} was cut: it has {len(payload)} of {said.size} bytes of the result."
        )
    if crc32(payload) != said.crc32:
        raise SerializationError(f"{where} is damaged: its checksum is wrong.")
    return payload
