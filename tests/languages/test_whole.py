import unittest

import handler  # noqa: F401 -- registers what is tested
from hookswitch import handlers, testing


class Whole(unittest.TestCase):
    def test_what_stands_in_for_the_host_answers_as_it_does(self):
        self.assertIn("Redirect", testing.answer())
        self.assertIn("Every check holds", testing.answer(step="second"))

    def test_a_function_without_a_return_is_told_so(self):
        function = handlers.registered["voice"]
        self.addCleanup(handlers.registered.update, voice=function)
        handlers.registered["voice"] = lambda call: None
        with self.assertRaisesRegex(handlers.Failure, "returned None; expected Response.* or text; is a return missing"):
            testing.answer()

    def test_failures_say_what_was_wrong_and_what_to_do(self):
        for error, expected in (
            (MemoryError(), "MemoryError"),
            (ValueError("no"), "ValueError: no"),
            (ModuleNotFoundError("No module named 'x'", name="x"), "ModuleNotFoundError: No module named 'x'; import it at the top of the file"),
            (ModuleNotFoundError("No module named 'http.client'", name="http.client"), "ModuleNotFoundError: No module named 'http.client'; use hookswitch.http"),
            (ModuleNotFoundError("No module named 'requests'", name="requests"), "ModuleNotFoundError: No module named 'requests'; use hookswitch.http"),
            (ModuleNotFoundError("No module named 'urllib.request'", name="urllib.request"), "ModuleNotFoundError: No module named 'urllib.request'; use hookswitch.http"),
            (handlers.Failure("sold out"), "sold out"),
        ):
            self.assertEqual(handlers.failure_of(error), (expected, []))
