#!/usr/bin/env python3
"""Writes the carrier's description so that a server made of it takes lists as the carrier does: by their name repeated.

Usage: patch.py DESCRIPTION PATCHED. The description leaves open how a form writes a list, and the server then wants
`name[]`, which no client of the carrier sends.
"""
import json
import sys

source, target = sys.argv[1:3]
with open(source, encoding="utf-8") as file:
    description = json.load(file)
patched = 0
for operations in description["paths"].values():
    for operation in operations.values():
        if not isinstance(operation, dict):
            continue
        content = operation.get("requestBody", {}).get("content", {})
        form = content.get("application/x-www-form-urlencoded")
        for name, schema in (form or {}).get("schema", {}).get("properties", {}).items():
            if schema.get("type") == "array":
                form.setdefault("encoding", {})[name] = {"style": "form", "explode": True}
                patched += 1
if patched == 0:
    sys.exit(f"{source}: no form with a list in it; is this the description of the API?")
with open(target, "w", encoding="utf-8") as file:
    json.dump(description, file)
print(f"{patched} lists are written as the carrier takes them")
