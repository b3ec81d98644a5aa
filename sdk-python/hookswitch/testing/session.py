"""Stands in for the interface ``session``."""

from hookswitch.testing import state

get = state.session.get
set = state.session.set
delete = state.session.delete
keys = state.session.keys
add = state.session.add
swap = state.session.swap
