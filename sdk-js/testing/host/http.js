/** Nothing stands in for `wasi:http`: what comes in and goes out through it is the engine's, and a test asks `web.answer`. */
export {};
