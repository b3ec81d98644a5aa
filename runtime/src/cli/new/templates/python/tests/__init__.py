"""`PYTHONPATH=.hookswitch python3 -m unittest`"""
