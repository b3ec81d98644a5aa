"""Sends webhooks signed by the carrier's official library to a host on loopback.

Our own signing proves nothing about our own checking: here `twilio.request_validator` signs, and the rest is
Python's standard library. `client.mjs` does the same with the library for Node; both read and write the same.

    python3 -m venv .venv && .venv/bin/pip install -r requirements.txt
    .venv/bin/python client.py < requests.json

Standard input is one JSON object:

    {"base_url": "http://127.0.0.1:8080",       where the requests are sent; loopback only
     "public_url": "https://calls.example.com", what is signed; base_url if left out
     "auth_token": "12345",
     "cases": [{"name": "incoming call",
                "path": "/acme/ivr/voice?lang=en",
                "method": "POST",               the default; GET puts the parameters into the query
                "parameters": {"CallSid": "CA1", "Digits": ["1", "2"]},
                "json": {"CallSid": "CA1"},     in place of parameters: a JSON body with bodySHA256 in the URL
                "sent": {"CallSid": "CA2"},     sent in place of the parameters that were signed
                "auth_token": "54321",          signs this case
                "headers": {"I-Twilio-Idempotency-Token": "t1"}}]}

`cases.json` holds cases for any host: `/VOICE` stands for the path of a voice entry, `refused` says which get a 403.

Standard output is a JSON list, one answer a case: {"name", "status", "headers", "body"}, header names in lower case.
"""

import ipaddress
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from twilio.request_validator import RequestValidator

TIMEOUT_S = 20
FORM = "application/x-www-form-urlencoded"


class Parameters(dict):
    """Parameters as web frameworks hand them to the library: several values to a name."""

    def getlist(self, name):
        value = self[name]
        return value if isinstance(value, list) else [value]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer is an answer: what a redirect leads to was not signed."""

    def redirect_request(self, *_):
        return None


def require_loopback(base_url):
    host = urllib.parse.urlsplit(base_url).hostname
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        sys.exit(f"base_url is {base_url}; expected an address of loopback, as in http://127.0.0.1:8080")


def encoded(parameters):
    return urllib.parse.urlencode(parameters, doseq=True)


def build(case, base_url, public_url, auth_token):
    """One signed request."""
    validator = RequestValidator(case.get("auth_token", auth_token))
    method = case.get("method", "POST")
    path = case["path"]
    parameters = Parameters(case.get("parameters", {}))
    sent = case.get("sent", parameters)
    headers = {"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
    body = None
    signed_path = sent_path = path
    signed_parameters = {}
    if "json" in case:
        text = json.dumps(case["json"], ensure_ascii=False)
        separator = "&" if "?" in path else "?"
        signed_path = sent_path = f"{path}{separator}bodySHA256={validator.compute_hash(text)}"
        body = (json.dumps(sent) if "sent" in case else text).encode()
        headers["Content-Type"] = "application/json"
    elif method == "GET":
        separator = "&" if "?" in path else "?"
        signed_path = path + (separator + encoded(parameters) if parameters else "")
        sent_path = path + (separator + encoded(sent) if sent else "")
    else:
        signed_parameters = parameters
        body = encoded(sent).encode()
        headers["Content-Type"] = FORM
    headers["X-Twilio-Signature"] = validator.compute_signature(public_url + signed_path, signed_parameters)
    headers.update(case.get("headers", {}))
    return urllib.request.Request(base_url + sent_path, data=body, headers=headers, method=method)


def answer(opener, request):
    try:
        response = opener.open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as refused:
        response = refused
    with response:
        return {
            "status": response.status,
            "headers": {name.lower(): value for name, value in response.headers.items()},
            "body": response.read().decode("utf-8", "replace"),
        }


def main():
    given = json.load(sys.stdin)
    base_url = given["base_url"].rstrip("/")
    require_loopback(base_url)
    public_url = given.get("public_url", base_url).rstrip("/")
    # No proxy, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())
    answers = []
    for case in given["cases"]:
        request = build(case, base_url, public_url, given["auth_token"])
        answers.append({"name": case["name"], **answer(opener, request)})
    json.dump(answers, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
