"""The survey, natively: `python -m unittest` with sdk-python in PYTHONPATH."""

import unittest
from unittest import mock

import handler  # registers what is tested
from hookswitch import Failure, store, testing
from hookswitch.handlers import failure_of

QUESTIONS = ["How was <it>?", "How friendly & quick?"]


class Survey(unittest.TestCase):
    def setUp(self):
        testing.reset(greeting="Welcome.", questions=QUESTIONS, help_below=2.5, help="+12025550124")

    def test_callers_are_greeted_and_asked_the_first_question(self):
        self.assertEqual(
            testing.answer(),
            '<Response><Say>Welcome.</Say><Gather action="answer/0" numDigits="1" timeout="8"><Say>How was &lt;it&gt;?</Say>'
            "</Gather><Redirect>silence/1/0</Redirect></Response>",
        )

    def test_each_answer_leads_to_the_next_question(self):
        heard = testing.answer(step="answer/0", digits="5")
        self.assertIn('action="answer/1"', heard)
        self.assertIn("How friendly &amp; quick?", heard)

    def test_other_keys_are_asked_for_again(self):
        for digits in ("0", "9", "*", "", None):
            heard = testing.answer(step="answer/1", digits=digits)
            self.assertIn("from 1 to 5", heard)
            self.assertIn('action="answer/1"', heard)

    def test_the_answers_are_logged_and_who_is_not_content_is_helped(self):
        for first, second, expected in [("5", "4", "Thank you"), ("2", "1", "<Dial>+12025550124</Dial>")]:
            with self.subTest(first + second):
                testing.new_session()
                testing.answer(step="answer/0", digits=first)
                # The carrier may send it again.
                testing.answer(step="answer/0", digits=first)
                self.assertIn(expected, testing.answer(step="answer/1", digits=second))
        self.assertEqual(
            testing.logged(), [("info", "survey: 5, 4, average 4.50"), ("info", "survey: 2, 1, average 1.50")]
        )

    def test_the_page_has_the_results_and_no_caller(self):
        self.assertIn("Nobody has answered", testing.web("GET", "/").body.decode())
        for caller, digits in (("CA1", "5"), ("CA2", "2"), ("CA2", "2")):
            testing.new_session()
            testing.answer(id=caller, step="answer/0", digits=digits)
            testing.answer(id=caller, step="answer/1", digits=digits)
        page = testing.web("GET", "/").body.decode()
        self.assertIn("<p>2 answered, 3.50 of 5 on average.</p>", page)
        self.assertIn("<li>How was &lt;it&gt;?</li>", page)
        self.assertNotIn("CA", page)
        self.assertEqual(testing.web("POST", "/").status, 404)

    def test_the_page_counts_no_more_than_an_invocation_can_read(self):
        for number in range(handler.RESULTS_MAX):
            store.set(f"result/CA{number:032}", "4.00")
        self.assertIn(f"<p>{handler.RESULTS_MAX} answered, 4.00 of 5", testing.web("GET", "/").body.decode())
        for number in range(handler.RESULTS_MAX, 1500):
            store.set(f"result/CA{number:032}", "1.00")
        with mock.patch.object(store, "get", wraps=store.get) as read:
            page = testing.web("GET", "/").body.decode()
        self.assertIn(f"<p>The first {handler.RESULTS_MAX} results by call id, 4.00 of 5 on average.</p>", page)
        self.assertEqual(read.call_count, handler.RESULTS_MAX)

    def test_a_store_that_takes_nothing_does_not_spoil_the_call(self):
        for kind in ("too-many", "too-large", "unavailable"):
            with self.subTest(kind), mock.patch.object(store, "set", side_effect=store.StorageError("store: no", kind)):
                testing.answer(step="answer/0", digits="5")
                self.assertIn("Thank you", testing.answer(step="answer/1", digits="4"))
                self.assertIn(("error", "the result is not kept: store: no"), testing.logged())
        self.assertIn("Nobody has answered", testing.web("GET", "/").body.decode())

    def test_who_is_silent_is_asked_once_more_and_then_let_go(self):
        testing.answer(step="answer/0", digits="5")
        self.assertIn("still there", testing.answer(step="silence/1/1"))
        self.assertIn("<Hangup/>", testing.answer(step="silence/2/1"))
        self.assertEqual(testing.logged(), [("warn", "the survey was left after 1 answers")])

    def test_what_is_wrong_is_said_with_where_it_happened(self):
        try:
            self.fail(testing.answer(step="attic"))
        except ValueError as error:
            message, causes = failure_of(error)
        self.assertEqual(message, "ValueError: there is no step 'attic'; which link leads to it?")
        self.assertRegex(causes[0], r"^at answer \(handler\.py:\d+\)$")
        testing.reset()
        with self.assertRaisesRegex(Failure, r"there is no greeting; add it to \[config\]"):
            testing.answer()


if __name__ == "__main__":
    unittest.main()
