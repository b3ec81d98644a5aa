"""To JSON Schema 4.0 is an integer; to the readers of JSON in many languages, and to this API, it is none."""

import schemathesis


@schemathesis.hook
def map_body(context, body):
    return whole(body)


def whole(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value
