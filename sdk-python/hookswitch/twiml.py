"""Documents: an element is a function with the carrier's name; attributes are arguments by name.

``twiml.Response(twiml.Gather(twiml.Say("For sales, press one."), action="menu", numDigits=1))``

Text is escaped. The names are not checked here: the host holds each document against the grammar, and in
``hookswitch dev`` and ``hookswitch test`` says what is wrong with it. A name that Python or SSML needs otherwise is
written with ``element("say-as", …)``; an attribute such as ``from`` with a trailing underscore.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

#: What XML 1.0 can't say at all, even escaped.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


class Element:
    """A part of a document; prints itself as XML."""

    def __init__(self, xml: str) -> None:
        self._xml = xml

    def __str__(self) -> str:
        return self._xml

    def __repr__(self) -> str:
        return f"Element({self._xml!r})"


def element(name: str, *children: object, **attributes: object) -> Element:
    """One element. False leaves a child out, None an attribute; a list stands for what is in it.

    A child that is None is an error: the caller would hear nothing where something was meant.
    """
    inside = "".join(_child(name, child) for child in children)
    written = "".join(_attribute(attribute, value) for attribute, value in attributes.items())
    return Element(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")


def __getattr__(name: str) -> Callable[..., Element]:
    # Module attributes that are not there are element names; Python's own lookups have underscores.
    if name.startswith("_"):
        raise AttributeError(f"module 'hookswitch.twiml' has no attribute {name!r}")
    return lambda *children, **attributes: element(name, *children, **attributes)


def _child(name: str, child: object) -> str:
    if child is None:
        raise TypeError(f"<{name}> was given None: what it should say is missing; to leave a child out on purpose, give False")
    if child is False:
        return ""
    if isinstance(child, Element):
        return str(child)
    if isinstance(child, Iterable) and not isinstance(child, str):
        return "".join(_child(name, part) for part in child)
    return _NOT_XML.sub("", str(child)).translate(_TEXT)


def _attribute(name: str, value: object) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f' {name.rstrip("_")}="{_NOT_XML.sub("", text).translate(_ATTRIBUTE)}"'
