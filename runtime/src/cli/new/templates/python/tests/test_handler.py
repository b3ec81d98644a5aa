import unittest

import handler  # noqa: F401 -- registers what is tested
from hookswitch import testing


class Menu(unittest.TestCase):
    def setUp(self):
        testing.reset(greeting="Welcome.", office="+12025550123")

    def test_callers_are_greeted_and_asked(self):
        self.assertIn("<Say>Welcome.</Say>", testing.answer())

    def test_key_1_reaches_the_office_and_others_are_asked_again(self):
        self.assertEqual(testing.answer(step="menu", digits="1"), "<Response><Dial>+12025550123</Dial></Response>")
        self.assertIn("Sorry", testing.answer(step="menu", digits="2"))

    def test_the_end_of_a_call_is_logged(self):
        testing.tell(status="completed")
        self.assertIn("completed", testing.logged()[0][1])


if __name__ == "__main__":
    unittest.main()
