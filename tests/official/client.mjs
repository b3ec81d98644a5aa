// Sends webhooks signed by the carrier's official library for Node to a host on loopback.
//
// The twin of client.py, whose header tells what goes in and out. It signs with another implementation, and
// repeated values and text beyond ASCII are where two implementations come to differ.
//
//     npm ci && node client.mjs < requests.json

import http from "node:http";
import { isIP } from "node:net";
import { text } from "node:stream/consumers";
import { getExpectedBodyHash, getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js";

const TIMEOUT_MS = 20_000;

function requireLoopback(baseUrl) {
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, "");
  const isLoopback = host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  if (!isLoopback) {
    throw new Error(`base_url is ${baseUrl}; expected an address of loopback, as in http://127.0.0.1:8080`);
  }
}

function encoded(parameters) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  return new URLSearchParams(pairs).toString();
}

/** One signed request: method, path, headers and body as they go over the wire. */
function build(entry, publicUrl, authToken) {
  const token = entry.auth_token ?? authToken;
  const method = entry.method ?? "POST";
  const parameters = entry.parameters ?? {};
  const sent = entry.sent ?? parameters;
  const separator = entry.path.includes("?") ? "&" : "?";
  const withQuery = (values) => (Object.keys(values).length ? entry.path + separator + encoded(values) : entry.path);
  const headers = { "user-agent": "TwilioProxy/1.1", accept: "*/*" };
  let [signedPath, sentPath, signedParameters, body] = [entry.path, entry.path, {}, undefined];
  if ("json" in entry) {
    const json = JSON.stringify(entry.json);
    signedPath = sentPath = `${entry.path}${separator}bodySHA256=${getExpectedBodyHash(json)}`;
    body = "sent" in entry ? JSON.stringify(sent) : json;
    headers["content-type"] = "application/json";
  } else if (method === "GET") {
    [signedPath, sentPath] = [withQuery(parameters), withQuery(sent)];
  } else {
    signedParameters = parameters;
    body = encoded(sent);
    headers["content-type"] = "application/x-www-form-urlencoded";
  }
  headers["x-twilio-signature"] = getExpectedTwilioSignature(token, publicUrl + signedPath, signedParameters);
  if (body !== undefined) {
    headers["content-length"] = Buffer.byteLength(body);
  }
  Object.assign(headers, entry.headers);
  return { method, path: sentPath, headers, body };
}

function send(baseUrl, { method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    // Not `fetch`: it would normalise the URL that was signed as text.
    const { hostname, port } = new URL(baseUrl);
    const options = { host: hostname.replace(/^\[|\]$/g, ""), port, path, method, headers, timeout: TIMEOUT_MS };
    const request = http.request(options, async (response) => {
      resolve({ status: response.statusCode, headers: response.headers, body: await text(response) });
    });
    request.on("timeout", () => request.destroy(new Error(`no answer from ${baseUrl}${path} in ${TIMEOUT_MS} ms`)));
    request.on("error", reject);
    request.end(body);
  });
}

const given = JSON.parse(await text(process.stdin));
const baseUrl = given.base_url.replace(/\/+$/, "");
requireLoopback(baseUrl);
const publicUrl = (given.public_url ?? baseUrl).replace(/\/+$/, "");
const answers = [];
for (const entry of given.cases) {
  const request = build(entry, publicUrl, given.auth_token);
  answers.push({ name: entry.name, ...(await send(baseUrl, request)) });
}
process.stdout.write(`${JSON.stringify(answers, null, 1)}\n`);
