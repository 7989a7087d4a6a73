/**
 * What benchmark.js looks for on the global object, to be imported before it: lodash and platform, which it cannot `require`
 * in a bundle; a `window`, which a worker lacks; and Node's clock, without which it counts whole milliseconds of Date.
 */
// @ts-expect-error -- nobody here uses more of it than the name
import lodash from "lodash";
// @ts-expect-error -- likewise
import platform from "platform";

/** As process.hrtime: seconds and the nanoseconds beyond them, since `begin` if that is given. */
function hrtime(/** @type {[number, number]} */ begin = [0, 0]) {
  const now = performance.now();
  const seconds = Math.floor(now / 1e3);
  return [seconds - begin[0], (now - 1e3 * seconds) * 1e6 - begin[1]];
}

Object.assign(globalThis, { window: globalThis, _: lodash, platform, process: { hrtime } });
