"""Reads what Loom's log holds with python3-avro alone, by docs/events.md: a container file, and raw message bodies.

Usage: read_events.py SCHEMAS EVENTS.avro BODY...
SCHEMAS is a folder of <fingerprint>.avsc as they lie in the bucket loom_schemas. Prints one JSON object.
"""

import io
import json
import pathlib
import sys

import avro.datafile
import avro.io
import avro.schema


def plain(value):
    """JSON can hold it: bytes as hex, times as Unix milliseconds."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if hasattr(value, "timestamp"):
        return round(value.timestamp() * 1000)
    return value


def rabin(canonical):
    """CRC-64-AVRO as the Avro specification defines it, little endian."""
    empty = value = 0xC15D213AA4D7A795
    for byte in canonical.encode():
        mixed = (value ^ byte) & 0xFF
        for _ in range(8):
            mixed = (mixed >> 1) ^ (empty if mixed & 1 else 0)
        value = (value >> 8) ^ mixed
    return value.to_bytes(8, "little")


class Registry:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.known = {}

    def schema(self, fingerprint):
        if fingerprint not in self.known:
            text = (self.folder / (fingerprint.hex() + ".avsc")).read_text()
            schema = avro.schema.parse(text)
            if rabin(schema.canonical_form) != fingerprint:
                raise SystemExit("%s is not the fingerprint of its schema" % fingerprint.hex())
            self.known[fingerprint] = schema
        return self.known[fingerprint]

    def fact(self, body):
        """The record of a single-object encoding, with its name; items of a decision are opened in turn."""
        if body[:2] != b"\xc3\x01":
            raise SystemExit("not a single-object encoding")
        schema = self.schema(body[2:10])
        rest = io.BytesIO(body[10:])
        record = avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(rest))
        if rest.read():
            raise SystemExit("bytes are left over")
        if schema.fullname == "loom.DecisionMade":
            record["items"] = [dict(item, body=self.fact(item["body"])) for item in record["items"]]
        return {"name": schema.fullname, "record": record}


def main(schemas, events, *bodies):
    registry = Registry(schemas)
    with avro.datafile.DataFileReader(open(events, "rb"), avro.io.DatumReader()) as reader:
        rows = [row for row in reader]
    facts = [registry.fact(pathlib.Path(body).read_bytes()) for body in bodies]
    json.dump(plain({"events": rows, "facts": facts}), sys.stdout)


main(*sys.argv[1:])
