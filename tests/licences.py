#!/usr/bin/env python3
"""Checks that every dependency of the given workspaces may be used under a licence from the list below.

    python3 tests/licences.py WORKSPACE…

Reads `cargo metadata`; needs no network beyond what building needs. Prints each package that does not fit and
exits 1 if there is one.
"""

import json
import re
import subprocess
import sys

# Licences that ask for nothing but their notice.
ALLOWED = {
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",  # of data: the root certificates of webpki-root-certs
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
}


def allowed(expression):
    """Whether an SPDX expression can be met: OR needs one side, AND both, and AND binds tighter.

    Old crates write OR as a slash.
    """
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def any_of():
        result = all_of()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            right = all_of()
            result = result or right
        return result

    def all_of():
        result = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            right = one()
            result = result and right
        return result

    def one():
        token = tokens.pop(0)
        if token == "(":
            result = any_of()
            tokens.pop(0)
            return result
        if tokens and tokens[0] == "WITH":
            token = f"{token} {tokens.pop(0)} {tokens.pop(0)}"
        return token in ALLOWED

    try:
        return any_of() and not tokens
    except IndexError:
        return False


def packages(workspace):
    """Every package that building `workspace` may need, its own included."""
    command = ["cargo", "metadata", "--format-version=1", "--locked"]
    return json.loads(subprocess.run(command, cwd=workspace, check=True, stdout=subprocess.PIPE).stdout)["packages"]


def main():
    found = {(p["name"], p["version"]): p["license"] or "" for workspace in sys.argv[1:] for p in packages(workspace)}
    bad = {package: licence for package, licence in found.items() if not allowed(licence)}
    for (name, version), licence in sorted(bad.items()):
        print(f"{name} {version}: {licence or 'no licence named'} is not in the list of tests/licences.py", file=sys.stderr)
    print(f"{len(found)} packages, {len(bad)} with a licence that is not allowed")
    return 1 if bad or not found else 0


# What the reading of expressions must get right, checked at each run: it costs nothing.
for expression, expected in {
    "MIT": True,
    "GPL-3.0": False,
    "MIT/GPL-3.0": True,
    "MIT AND GPL-3.0": False,
    "GPL-3.0 OR MIT AND Zlib": True,
    "(GPL-3.0 OR MIT) AND GPL-2.0": False,
    "Apache-2.0 WITH LLVM-exception": True,
    "MIT OR": False,
    "": False,
}.items():
    assert allowed(expression) == expected, expression

if __name__ == "__main__":
    sys.exit(main())
