import unittest

import handler  # noqa: F401 -- registers what is tested
from hookswitch import handlers, testing, web


class Whole(unittest.TestCase):
    def setUp(self):
        testing.reset()

    def test_what_stands_in_for_the_host_answers_as_it_does(self):
        for path, kind in (("refused", "unreachable"), ("slow", "timeout")):
            testing.fails(f"GET {handler.SERVICE}/{path}", kind)
        testing.answers(f"GET {handler.SERVICE}/busy", 503)
        self.assertIn("Redirect", testing.answer())
        self.assertIn(("x-hookswitch-retry", "off"), testing.requests()[-2].headers)
        self.assertIn("Every check holds", testing.answer(step="second"))

    def test_web_requests_are_answered(self):
        answered = testing.web("POST", "/hours", form={"hours": "9 & later"})
        self.assertEqual((answered.status, answered.header("Location")), (303, "/dev/handler/web/"))
        page = testing.web("GET", "/?name=Ann+Lee", headers={"X-Own": "own"})
        self.assertEqual(page.body.decode(), "9 & later; Ann Lee; own; 192.0.2.1")
        self.assertEqual(testing.web("POST", "/json", json={"sum": [1, 2]}).headers[1:], [("set-cookie", "a=1"), ("set-cookie", "b=2")])
        typed = testing.web("POST", "/typed", json=[1], headers={"Content-Type": "text/csv"})
        self.assertEqual((typed.body, typed.headers), (b"text/csv", [("content-type", "text/plain")]))
        self.assertEqual(testing.web("PUT", "/a/b").body, b'"PUT a b"')
        with self.assertRaisesRegex(handlers.Failure, "returned None to a web request; expected a Response of hookswitch.web; is a return missing"):
            testing.web("GET", "/none")
        for wrong in ({"status": 99}, {"status": "200"}, {"headers": {"x": 5}}, {"headers": {"x": None}}, {"body": None}):
            with self.assertRaisesRegex(handlers.Failure, "the answer to a web request.*; expected"):
                web.Response(**wrong)

    def test_a_run_of_a_schedule_is_told_from_what_a_carrier_tells(self):
        testing.run("remind", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00+01:00", attempt=2)
        testing.tell(kind="other", status="schedule", subject="schedule:remind:x")
        expected = "run remind schedule:remind:2026-11-23T09:00Z 2026-11-23T09:00:00Z 2026-11-23T10:00:00+01:00 2"
        self.assertEqual(testing.logged(), [("info", expected)])

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
