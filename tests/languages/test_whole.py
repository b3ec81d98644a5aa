import unittest

import handler  # noqa: F401 -- registers what is tested
from hookswitch import testing


class Whole(unittest.TestCase):
    def test_what_stands_in_for_the_host_answers_as_it_does(self):
        self.assertIn("Redirect", testing.answer())
        self.assertIn("Every check holds", testing.answer(step="second"))
