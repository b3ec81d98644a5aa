/* global HOOKSWITCH_ENGINE -- put in by build.mjs */

/** What runs the handler: `starlingmonkey` or `quickjs` in a component, `node` in its tests. */
export const ENGINE = typeof HOOKSWITCH_ENGINE === 'string' ? HOOKSWITCH_ENGINE : 'node';
